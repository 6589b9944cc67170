"""What the service step finds out about the database: its connection, its version and its first password."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from tests.unit.steps_shell import parsed, run
from tests.unit.unit_files import Host, step

PASSWORD = """put_file() { cat >"$1"; }
log() { :; }
ADMIN_PASSWORD=configured arg_version=$version
provide_first_password
"""


@pytest.mark.parametrize("version", ["3.41.1-01", "3.71.0-06"])
def test_first_password_survives_failed_start(shell: list[str], host: Host, version: str) -> None:
    file, fact = host.folder / "data/admin.password", host.folder / "facts/nexus/service.first-password"
    assert step(shell, host, f"version={version}\n{PASSWORD}") == ""
    first = file.read_text()
    assert len(first) == 48
    (host.folder / "data/db").mkdir()
    (host.folder / "data/db/nexus.mv.db").touch()  # the start got so far
    fact.unlink(missing_ok=True)
    assert step(shell, host, f"version={version}\n{PASSWORD}replace_first_password() {{ :; }}") == ""
    assert file.read_text() == first
    assert version == "3.41.1-01" or fact.read_text() == f'NEXUS_SECURITY_INITIAL_PASSWORD="{first}"\n'
    file.unlink()  # by the step, which has put the configured one in force
    assert step(shell, host, f"version={version}\n{PASSWORD}replace_first_password\nprovide_first_password") == ""
    assert not file.exists()
    assert version == "3.41.1-01" or first not in fact.read_text()


@pytest.mark.parametrize(
    ("files", "sealed", "first"),
    [
        (["etc/fabric/nexus-store.properties"], False, True),
        (["etc/fabric/nexus-store.properties"], True, False),
        (["db/nexus.mv.db"], False, False),
        ([], True, True),
    ],
    ids=["external, perhaps new", "external, used before", "own, used before", "own, lost"],
)
def test_first_password_of_new_database_is_kept_until_it_is_changed(
    shell: list[str], host: Host, files: list[str], sealed: bool, first: bool
) -> None:
    """The step can't see whether an external database is new; an existing one refuses the password."""
    for name in files:
        (host.folder / "data" / name).parent.mkdir(parents=True)
        (host.folder / "data" / name).write_text("jdbcUrl=jdbc:postgresql://db/nexus\n")
    for name in ("sealed", "first-password") if sealed else ():
        (host.folder / f"facts/nexus/service.{name}").write_text("yes\n")
    assert step(shell, host, f"version=3.77.0-01\n{PASSWORD}") == ""
    assert (host.folder / "data/admin.password").exists() == first


@pytest.mark.parametrize("other", ["jdbc:postgresql://new/nexus", "jdbc:postgresql://old/nexus"])
def test_other_database_gets_first_password(shell: list[str], host: Host, other: str) -> None:
    """A random password was set for the former database. Nobody could log in to the new one with it."""
    store = host.folder / "data/etc/fabric/nexus-store.properties"
    store.parent.mkdir(parents=True)
    store.write_text("jdbcUrl=jdbc:postgresql://old/nexus\n")
    (host.folder / "facts/nexus/service.sealed").write_text("yes\n")  # by an earlier version of this program
    assert step(shell, host, f"version=3.77.0-01\n{PASSWORD}replace_first_password") == ""
    store.write_text(f"jdbcUrl={other}\n")
    assert step(shell, host, f"version=3.77.0-01\n{PASSWORD}") == ""
    assert (host.folder / "data/admin.password").exists() == ("new" in other)


def test_later_lines_of_first_password_are_no_curl_options(shell: list[str], host: Host) -> None:
    """The file belongs to the service's account, and curl runs as root: an option could write any file."""
    (host.folder / "data/admin.password").write_text('fi"rst\noutput = /etc/cron.d/own\n')
    curl = "curl() { cat >&2; echo 204; }\nbase_url() { echo http://x; }\n"
    said = step(shell, host, f"{curl}ADMIN_PASSWORD=configured\nset_admin_password")
    assert 'user = "admin:fi\\"rst"\n' in said
    assert "cron.d" not in said


CONNECTION = "NEXUS_DATASTORE_NEXUS_JDBCURL=jdbc:postgresql://x?password=s3cret"


@pytest.mark.parametrize(
    ("environment", "file", "written", "refused"),
    [
        (CONNECTION, "", "", True),
        ("A=b", CONNECTION, "", True),
        ("A=b", f"# {CONNECTION}", "", False),
        (CONNECTION, "", "etc/nexus.properties", False),
        (CONNECTION, "", "properties", False),
        ("NEXUS_DATASTORE_ENABLED=true", "", "", False),
    ],
    ids=["unit", "file", "comment", "written", "properties", "no connection"],
)
def test_connection_in_replaced_unit_is_refused(
    shell: list[str], host: Host, environment: str, file: str, written: str, refused: bool
) -> None:
    """Without that connection, Nexus would start on an empty database of its own."""
    (host.folder / "default").write_text(f"{file}\n")
    if written.startswith("etc"):
        (host.folder / "data/etc").mkdir()
        (host.folder / "data" / written).write_text("nexus.datastore.nexus.jdbcUrl=jdbc:postgresql://x\n")
    says = {"Environment": environment, "EnvironmentFiles": f"{host.folder}/default (ignore_errors=yes)"}
    host.unit("nexus", "[Service]\n", **says)
    given = "arg_property='nexus.datastore.nexus.jdbcUrl=jdbc:postgresql://x'\n" if written == "properties" else ""
    stubs = "unit_origin() { echo other; }\nnexus_launcher() { :; }\nrefuse_other_data() { :; }\n"
    said = step(shell, host, f"{given}{stubs}log() {{ echo fine; exit; }}\nadopt_unit")
    assert said.startswith("unit: nexus.service gives Nexus") if refused else said == "fine\n"
    assert "s3cret" not in said


STARTED = "Started Sonatype Nexus OSS 3.62.0-01\n"
LAUNCHER = "by-hand/bin/nexus"


@pytest.mark.parametrize(
    ("files", "known"),
    [
        ({"log/nexus.log": STARTED}, True),
        ({"log/nexus.log": "later\n", "log/nexus-2026-11-24.log.gz": STARTED}, True),
        ({"log/nexus.log.1": STARTED.replace("62", "61"), "log/nexus.log": f"{STARTED}later\n"}, True),
        ({"log/request.log": STARTED}, False),
        ({"by-hand/system/org/sonatype/nexus/nexus-main/3.62.0-01/nexus-main.jar": ""}, True),
        ({"by-hand/bin/sonatype-nexus-repository-3.62.0-01.jar": ""}, True),
        ({"etc/nexus-registry.version": "3.62.0-01\n", "log/nexus.log": STARTED.replace("62", "61")}, True),
        ({"by-hand/lib/java-3.2.1-01.jar": ""}, False),
        ({"etc/nexus-registry.version": "3.71.0-06/../../data/x\n", "log/nexus.log": STARTED}, True),
        ({"etc/nexus-registry.version": "3.71.0-06/../../data/x\n"}, False),
        ({"etc/nexus-registry.version": "3.62.0-01x\n"}, False),
        ({"log/nexus.log": "Started Sonatype Nexus OSS 3..-\n"}, False),
        ({"etc/fabric/nexus-store.properties": "jdbcUrl=jdbc:postgresql://x\n"}, None),
    ],
)
def test_version_of_data_is_found_or_refused(
    shell: list[str], tmp_path: Path, files: dict[str, str], known: bool | None
) -> None:
    """Without it, a new version would start on the database before that is copied."""
    for name, text in {"db/nexus.mv.db": "", LAUNCHER: "", **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((gzip.compress if name.endswith("gz") else bytes)(text.encode()))
        os.utime(tmp_path / name, (1, 1 + (name != "log/nexus.log")))  # a rotated file was written to last
    stubs = f"unit_property() {{ [ $1 != ExecStart ] || echo 'path={tmp_path}/{LAUNCHER} ; argv[]='; }}\n"
    stubs += "refuse_versions() { :; }\nrefuse_without_rollback() { :; }\nrefuse_little_room() { :; }\n"
    said = run(shell, parsed(f"--data-dir {tmp_path}", f'{stubs}plan_version; echo "from $from"'))
    expected = "no record says which version ran on {0} last: taking it for 3.71.0-06\nfrom \n"
    unknown = (
        "version: no record, log or unit contains the version of Nexus that used {0} last. Write that version"
    )
    if known:
        assert said == "from 3.62.0-01\n"
    else:
        assert said.startswith((expected if known is None else unknown).format(tmp_path))
