"""A change of version: what preview and host refuse alike, and what an interrupted change is known by."""

from __future__ import annotations

from pathlib import Path

import pytest
from nexus_registry.components.host.version import InstalledVersionProvider
from nexus_registry.providers.compat import version_change_error

from tests.unit.steps_shell import parsed, run

CHANGES = [
    ("3.41.1-01", "3.62.0-01", False, ""),
    ("3.70.1-02", "3.70.1-03", False, ""),
    ("3.71.0-06", "3.100.0-01", False, ""),
    ("3.62.0-01", "3.41.1-01", False, "older"),
    ("3.100.0-01", "3.71.0-06", False, "older"),
    ("3.70.1-03", "3.70.1-02", False, "older"),
    ("3.70.1-02", "3.71.0-06", False, "database migrator by hand (https://help.sonatype.com/en/orient-3-70"),
    ("3.41.1-01", "3.96.0-01", False, "database migrator by hand"),
    ("3.70.1-02", "3.71.0-06", True, ""),
    ("3.69.0-02", "3.70.1-02", True, "Migrate it by hand"),
    ("3.60.0-02", "3.69.0-02", True, ""),
]
"""Version that ran, version desired, whether the data are in H2 before 3.71, and what is said against it."""


@pytest.mark.parametrize(("before", "desired", "h2", "said"), CHANGES)
def test_preview_refuses_unsupported_upgrade(before: str, desired: str, h2: bool, said: str) -> None:
    olds = {"version": before, "h2": h2}
    failures = InstalledVersionProvider().check(olds, {"version": desired, "h2": h2}).failures
    assert [failure.property for failure in failures] == ["version"] * bool(said)
    assert all(said in failure.reason and before in failure.reason for failure in failures)
    assert bool(version_change_error(before, desired, h2=h2)) == bool(said)


def test_first_or_unknown_version_passes() -> None:
    provider = InstalledVersionProvider()
    assert not provider.check({}, {"version": "3.71.0-06"}).failures
    assert not provider.check({"version": "3.71.0-06"}, {"version": provider}).inputs.get("h2")
    assert [one.property for one in provider.check({}, {"version": "latest"}).failures] == ["version"]


@pytest.mark.parametrize(("before", "desired", "h2", "said"), CHANGES)
def test_host_refuses_unsupported_upgrade(
    shell: list[str], tmp_path: Path, before: str, desired: str, h2: bool, said: str
) -> None:
    for folder in ("db", "etc"):
        (tmp_path / folder).mkdir()
    if h2:
        (tmp_path / "db/nexus.mv.db").touch()
        (tmp_path / "etc/nexus.properties").write_text("nexus.datastore.enabled=true\n")
    body = f"from={before} to={desired}; refuse_versions; echo fine"
    shown = run(shell, parsed(f"--data-dir {tmp_path}", body))
    assert shown == "fine\n" if not said else said in shown
    assert not said or shown.startswith(f"version: the data in {tmp_path} were last used by Nexus {before}, not")


@pytest.mark.parametrize(
    ("free_mb", "h2", "needed"), [(4100, False, 4099), (4098, False, 4099), (9, True, 6), (5, True, 6)]
)
def test_too_little_room_is_refused_before_anything_is_done(
    shell: list[str], tmp_path: Path, free_mb: int, h2: bool, needed: int
) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / ("nexus.mv.db" if h2 else "data")).touch()
    version = "3.71.0-06" if h2 else "3.41.1-01"
    body = f"from={version}; du() {{ echo 2500 db; }}; df() {{ echo x x x {free_mb * 1024}; }}\n"
    body += "refuse_little_room; echo fine"
    shown = run(shell, parsed(f"--data-dir {tmp_path}", body))
    assert (shown == "fine\n") == (free_mb >= needed)
    assert shown == "fine\n" or f"needs {needed} MB of free disk" in shown


WAY_BACK = """unit_file() { echo $arg_data_dir/unit; }
unit_origin() { echo "$origin"; }
derive_https_xml() { :; }
stock_args() { :; }
refuse_said='version: no' install_dir=/x java=/x origin=ours from=3.41.1-01 to=3.62.0-01
cd $arg_data_dir
mkdir -p db etc/fabric root/nexus-$from/bin
cp /bin/true root/nexus-$from/bin/nexus
arg_install_root=$arg_data_dir/root
printf '%s\\n' User=nexus Group=nexus "ExecStart=$PWD/root/nexus/bin/nexus run" "X=-Dkaraf.data=$PWD -D" >unit
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (":", ""),
        ("echo 'jdbcUrl=jdbc\\:h2\\:file\\:${karaf.data}/db/nexus' >etc/fabric/nexus-store.properties", ""),
        (
            "echo 'nexus.datastore.nexus.jdbcUrl=jdbc:h2:file:/x/db/nexus' >etc/nexus.properties",
            "leads to a datab",
        ),
        (
            "echo 'jdbcUrl=jdbc\\:postgresql\\://x' >etc/fabric/nexus-store.properties",
            "leads to a database elsewhere",
        ),
        (
            "echo nexus.datastore.nexus.jdbcUrl=jdbc:postgresql://x >etc/nexus.properties",
            "leads to a database elsew",
        ),
        ("origin=other", "there is no nexus.service of this program with"),
        ("rm root/nexus-3.41.1-01/bin/nexus", "to go back to. Set version to 3.41.1-01 first"),
        ("arg_user=another", "its unit has another User. Set version to 3.41.1-01 first"),
        ("arg_data_dir=$PWD/etc; cp unit etc/", "its unit has another data_dir"),
        ("ln -s /srv keystores", "keystores is a link or a disk of its own"),
        ("ln -s /srv db/component", "there are links in"),
    ],
)
def test_upgrade_with_external_database_is_refused(
    shell: list[str], tmp_path: Path, change: str, said: str
) -> None:
    shown = run(shell, parsed(f"--data-dir {tmp_path}", f"{WAY_BACK}{change}\nrefuse_without_rollback; echo fine"))
    assert shown == "fine\n" if not said else said in shown


def test_upgrade_without_rollback_follows_message(shell: list[str], tmp_path: Path) -> None:
    """A server whose database can't be copied is upgraded after the new version was written into the record."""
    (tmp_path / "etc/fabric").mkdir(parents=True)
    (tmp_path / "etc/nexus-registry.version").write_text("3.71.0-06\n")
    (tmp_path / "etc/fabric/nexus-store.properties").write_text("jdbcUrl=jdbc\\:postgresql\\://db/nexus\n")
    body = f"""{WAY_BACK}
from= to= version=3.77.1-01
stat() {{ echo 1; }}
arg_version=$version
cp -r root/nexus-3.41.1-01 root/nexus-3.71.0-06
plan_version; echo "changes '$from'"
"""
    flags = f"--data-dir {tmp_path}"
    said = run(shell, parsed(flags, body))
    assert f"write 3.77.1-01 into {tmp_path}/etc/nexus-registry.version, then run pulumi up" in said, said
    (tmp_path / "etc/nexus-registry.version").write_text("3.77.1-01\n")
    assert run(shell, parsed(flags, body)) == "changes ''\n"


STARTED = "Started Sonatype Nexus OSS 3.62.0-01\n"


@pytest.mark.parametrize(
    ("logged", "seen"),
    [
        ("echo $started >>nexus.log", True),
        ("echo ERROR >>nexus.log", False),
        ("echo $started | sed s/62/41/ >>nexus.log", False),
        ("echo $started >>nexus.log; gzip -c nexus.log >nexus-2026-11-24.log.gz; rm nexus.log", True),
        ("gzip -c nexus.log >nexus-2026-11-24.log.gz; echo ERROR >nexus.log", False),
        ("mv nexus.log nexus-2026-11-24.log; echo $started >nexus.log", True),
        (": >nexus.log; echo $started >>nexus.log", True),
        ("mv nexus.log.1 nexus.log.2; echo $started >>nexus.log; cp nexus.log nexus.log.1; : >nexus.log", True),
        ("mv nexus.log.1 nexus.log.2; mv nexus.log nexus.log.1; echo ERROR >nexus.log", False),
        ("gzip -c nexus.log.1 >nexus.log.2.gz; mv nexus.log nexus.log.1; echo ERROR >nexus.log", False),
    ],
)
@pytest.mark.parametrize("before", ["", f"{STARTED}before\n"], ids=["first log", "earlier try"])
def test_new_version_started_is_read_from_log(
    shell: list[str], tmp_path: Path, before: str, logged: str, seen: bool
) -> None:
    """A version that came up after its run was cut is known by its log, also when that was rotated since."""
    (tmp_path / "log").mkdir()
    for name in ("nexus-2026-11-20.log", "nexus.log.1"):  # of earlier tries
        (tmp_path / "log" / name).write_text(f"{name}\n{STARTED}")
    (tmp_path / "log/nexus.log").write_text(before)
    body = f"""cd {tmp_path}/log; started='{STARTED.strip()}'
{{ echo phase start; journal_logs; }} >{tmp_path}/service.upgrade
{logged}
touch -d @0 *  # the clock was set back meanwhile
FACTS={tmp_path} to=3.62.0-01; if new_version_started; then echo yes; else echo no; fi"""
    assert run(shell, parsed(f"--data-dir {tmp_path}", body)) == ("yes\n" if seen else "no\n")


@pytest.mark.parametrize(("logged", "seen"), [("echo $started >>nexus.log", True), (":", False)])
def test_journal_of_earlier_version_is_read(shell: list[str], tmp_path: Path, logged: str, seen: bool) -> None:
    """It holds inode and size of nexus.log and the names of the rotated files."""
    (tmp_path / "log").mkdir()
    for name in ("nexus.log", "nexus.log.1", "nexus-2026-11-20.log"):
        (tmp_path / "log" / name).write_text(STARTED)
    body = f"""cd {tmp_path}/log; started='{STARTED.strip()}'
{{ stat -c 'log %i %s' nexus.log; echo logs ./nexus-2026-11-20.log; }} >{tmp_path}/service.upgrade
{logged}
FACTS={tmp_path} to=3.62.0-01; if new_version_started; then echo yes; else echo no; fi"""
    assert run(shell, parsed(f"--data-dir {tmp_path}", body)) == ("yes\n" if seen else "no\n")


@pytest.mark.parametrize(
    ("files", "there"),
    [
        (["db/nexus.mv.db"], True),
        (["db/component/database.ocf"], True),
        (["db/lost+found/x"], False),
        (["etc/nexus.properties"], False),
        (["etc/fabric/nexus-store.properties"], False),
        (["etc/fabric/nexus-store.properties:jdbcUrl=jdbc\\:h2\\:file\\:${karaf.data}/db/nexus"], False),
        (["etc/fabric/nexus-store.properties:jdbcUrl=jdbc\\:postgresql\\://x"], True),
        (["etc/nexus.properties: nexus.datastore.nexus.jdbcUrl = jdbc\\:postgresql\\://x"], True),
        (["etc/nexus.properties:#nexus.datastore.nexus.jdbcUrl=jdbc:postgresql://x"], False),
    ],
)
@pytest.mark.parametrize("linked", [False, True])
def test_database_is_file_in_db_or_jdbc_url(
    shell: list[str], tmp_path: Path, files: list[str], there: bool, linked: bool
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "db").symlink_to("elsewhere") if linked else (tmp_path / "db/empty").mkdir(parents=True)
    for file in files:
        name, _, text = file.partition(":")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    body = "if has_database; then echo yes; else echo no; fi"
    assert run(shell, parsed(f"--data-dir {tmp_path}", body)) == ("yes\n" if there else "no\n")


def test_interrupted_upgrade_that_started_is_kept(shell: list[str], tmp_path: Path) -> None:
    versions = ["3.41.1-01", "3.62.0-01", "3.70.1-02", "3.30.0-01"]
    for version in versions:
        (tmp_path / f"nexus-{version}").mkdir()
        (tmp_path / f"nexus-{version}/.nexus-registry").touch()
    (tmp_path / "data/etc").mkdir(parents=True)
    body = f"put_file() {{ :; }}\nowner=$(id -un):$(id -gn) FACTS={tmp_path}/facts\n"
    body += f"from={versions[0]} to={versions[1]}\nfinish_upgrade"
    flags = f"--install-root {tmp_path} --data-dir {tmp_path}/data --version {versions[2]}"
    run(shell, parsed(flags, body))
    assert {path.name for path in tmp_path.glob("nexus-*")} == {f"nexus-{version}" for version in versions[:3]}


@pytest.mark.parametrize("does", ["plan_version", "finish_upgrade", "copy_data"])
def test_nothing_is_removed_where_upgrade_copy_is_link(shell: list[str], tmp_path: Path, does: str) -> None:
    """The service's account owns the data directory, and can make a link there that leads to root's files."""
    (tmp_path / "data/db").mkdir(parents=True)
    (tmp_path / "data/db/nexus.mv.db").touch()
    (tmp_path / "root/x.part").mkdir(parents=True)
    (tmp_path / "data/upgrade-copy").symlink_to(tmp_path / "root")
    body = f"""FACTS={tmp_path}/facts owner=$(id -un):$(id -gn) from=3.71.0-06 to=3.72.0-04
put_file() {{ :; }}
last_version() {{ echo 3.71.0-06; }}
refuse_without_rollback() {{ :; }}
refuse_little_room() {{ :; }}
{does}"""
    said = run(shell, parsed(f"--install-root {tmp_path} --data-dir {tmp_path}/data --version 3.72.0-04", body))
    assert f"{tmp_path}/data/upgrade-copy is a symbolic link" in said
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["x.part"]


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ("data-dir /old/data\ninstall-root /old/root\nowner x:y\n", "/old/data /old/root x:y"),
        ("", "/srv/nexus /opt/nexus nexus:nexus"),
    ],
    ids=["of this program", "of an earlier program, which did not write where"],
)
def test_interrupted_upgrade_is_rolled_back_in_place(
    shell: list[str], tmp_path: Path, lines: str, where: str
) -> None:
    (tmp_path / "before").mkdir()
    (tmp_path / "before/service.upgrade").write_text(f"phase change\nfrom 3.41.1-01\nto 3.62.0-01\n{lines}")
    body = f"""FACTS_ROOT={tmp_path} former_unit=before left_stopped= owner=nexus:nexus
new_version_started() {{ return 1; }}
save_fact() {{ :; }}
is_up() {{ return 1; }}
restore() {{ echo "back $unit $arg_data_dir $arg_install_root $owner"; }}
resume_upgrade
echo "then $unit $arg_data_dir $arg_install_root $owner; $left_stopped"
"""
    assert run(shell, parsed("", body)).splitlines()[1:] == [
        f"back before {where}",
        "version, configuration and database are those of 3.41.1-01",
        "then nexus /srv/nexus /opt/nexus nexus:nexus; before",
    ]


def test_rollback_works_on_full_disk(shell: list[str], tmp_path: Path) -> None:
    """The new version has filled the disk, on which the journal is too."""
    copy = tmp_path / "data/upgrade-copy/3.71.0-06"
    for name in ("data/db", "data/etc", "data/cache", "facts"):
        (tmp_path / name).mkdir(parents=True)
    (copy / "db").mkdir(parents=True)
    (copy / "db/of").touch()
    (tmp_path / "facts/service.upgrade").write_text("phase start\nfrom 3.71.0-06\nto 3.72.0-04\n")
    (tmp_path / "nexus").symlink_to("nexus-3.72.0-04")
    body = f"""FACTS={tmp_path}/facts owner=$(id -un):$(id -gn) from=3.71.0-06 to=3.72.0-04
put_file() {{ [ ! -d {tmp_path}/data/cache ] || fail "$1: the disk is full"; cat >"$1"; }}
unit_file() {{ echo {tmp_path}/unit; }}
systemctl() {{ :; }}
stop_service() {{ :; }}
restore"""
    assert run(shell, parsed(f"--install-root {tmp_path} --data-dir {tmp_path}/data", body)) == ""
    assert (tmp_path / "data/db/of").exists()
    assert not (tmp_path / "facts/service.upgrade").exists()
