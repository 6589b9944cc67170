"""What the service step finds on a host: other units, another data directory, a database without a password."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from tests.unit.steps_shell import parsed, run
from tests.unit.unit_files import OURS, Host, start


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host with facts, an empty data directory and the functions that the step's own folder needs."""
    for folder in ("facts/nexus", "data", "work"):
        (tmp_path / folder).mkdir(parents=True)
    return Host(tmp_path)


def step(shell: list[str], host: Host, body: str, verb: str = "update") -> str:
    base = host.folder
    before = parsed(f"--data-dir {base}/data", f"FACTS_ROOT={base}/facts FACTS={base}/facts/nexus verb={verb}")
    files = f'unit_file_of() {{ echo "{base}/etc/$1.service"; }}\nwork={base}/work owner=$(id -un):$(id -gn)\n'
    return host.run(shell, files + body, before)


@pytest.mark.parametrize(
    ("starts", "said"),
    [
        (
            start("/usr/sbin/nginx", "-g", "daemon"),
            "starts another program than Nexus. Set unit to a name that is",
        ),
        (start("/srv/hand/nexus/bin/nexus", "start"), "fine\n"),
        ("", "starts another program than Nexus"),
    ],
)
def test_unit_that_starts_no_nexus_is_refused(shell: list[str], host: Host, starts: str, said: str) -> None:
    host.unit("nexus", "[Service]\n", ExecStart=starts, FragmentPath=f"{host.folder}/etc/nexus.service")
    assert said in step(shell, host, "refuse_foreign_unit; echo fine")


def test_masked_unit_is_refused(shell: list[str], host: Host) -> None:
    host.unit("nexus", "", LoadState="masked")
    assert step(shell, host, "refuse_foreign_unit").startswith("unit: nexus.service is masked. Unmask it")


FORMER = "find_former_unit; echo former=$former_unit"


@pytest.mark.parametrize(
    ("verb", "complete", "own", "cut", "said"),
    [
        ("update", True, False, {}, "former=second\n"),
        ("create", False, False, {}, "former=second\n"),
        (
            "create",
            True,
            False,
            {},
            "data_dir: second.service keeps its data in {data}, too. Give each NexusServer",
        ),
        (
            "update",
            True,
            True,
            {},
            "data_dir: second.service keeps its data in {data}, too. Give each NexusServer",
        ),
        ("update", True, True, {"nexus": "second"}, "former=second\n"),
        ("update", True, True, {"second": "nexus"}, "former=second\n"),
    ],
    ids=["update", "incomplete", "create", "both", "change was cut", "cut change was taken back"],
)
def test_other_unit_on_same_data_is_adopted_or_refused(
    shell: list[str], host: Host, verb: str, complete: bool, own: bool, cut: dict[str, str], said: str
) -> None:
    """A unit of another name on the same data is this server or refused."""
    data = host.folder / "data"
    host.unit("second", OURS.format(root="/opt/nexus", data=data))
    (host.folder / "facts/second").mkdir()
    (host.folder / "facts/second/service.digest").touch() if complete else None
    for unit, former in cut.items():
        (host.folder / "facts" / unit / "service.former-unit").write_text(f"{former}\n")
    if own:
        host.unit("nexus", OURS.format(root="/opt/nexus", data=data))
    assert step(shell, host, FORMER, verb).startswith(said.format(data=data))


@pytest.mark.parametrize(
    ("enabled", "active", "started_by", "remedy"),
    [
        ("disabled", "inactive", "", ""),
        ("enabled", "inactive", "", "systemctl disable --now by-hand)"),
        ("disabled", "active", "", "systemctl disable --now by-hand)"),
        ("static", "inactive", "", ""),
        ("static", "active", "", "systemctl stop by-hand; rm /etc/by-hand.service; systemctl daemon-reload)"),
        ("static", "inactive", "site.target", "systemctl stop by-hand; rm /etc/by-hand.service"),
    ],
)
def test_manual_unit_on_same_data_must_be_off(
    shell: list[str], host: Host, enabled: str, active: str, started_by: str, remedy: str
) -> None:
    """A unit by hand on the same data is refused unless it is off; one without [Install] can't be disabled."""
    launcher = host.install("hand", str(host.folder / "data"))
    says = {"ActiveState": active, "WantedBy": started_by, "FragmentPath": "/etc/by-hand.service"}
    host.unit("by-hand", "nexus", ExecStart=start(launcher, "run"), **says)
    said = step(shell, host, f"systemctl() {{ echo {enabled}; }}\n{FORMER}")
    assert said.startswith("data_dir: by-hand.service keeps its data in") == bool(remedy)
    assert remedy in said if remedy else said == "former=\n"


def test_interrupted_change_of_unit_is_resumed(shell: list[str], host: Host) -> None:
    """A change of unit that was cut is known by its facts."""
    for name, data in (("second", "data"), ("third", "other")):
        (host.folder / "facts" / name).mkdir()
        (host.folder / "facts" / name / "service.data-dir").write_text(f"{host.folder}/{data}\n")
    assert step(shell, host, FORMER) == "former=second\n"


def test_records_of_unit_that_never_ran_are_forgotten(shell: list[str], host: Host) -> None:
    """A change of unit was cut, and another one followed: the unit between them must not count as a server."""
    facts, data = host.folder / "facts", f"{host.folder}/data\n"
    host.unit("third", OURS)
    for name, where in (("nexus", data), ("second", data), ("third", data), ("other", "/srv/data\n")):
        (facts / name).mkdir(exist_ok=True)
        (facts / name / "account.data-dir").write_text(where)
    (facts / "second/account.user-made").write_text("registry\n")
    (facts / "nexus/account.user-made").write_text("nexus\n")
    stubs = 'put_file() { cat >"$1"; }\n'
    assert "second.service" in step(shell, host, f"{stubs}forget_cut_changes")
    assert sorted(path.name for path in facts.iterdir()) == ["nexus", "other", "third"]
    assert (facts / "nexus/account.user-made").read_text() == "nexus\nregistry\n"


# systemctl and systemd's answers, over one file for each unit's state.
SYSTEMD = """
state() {{ cat "{base}/$1.state" 2>/dev/null || echo inactive; }}
systemctl() {{
    case $* in
        *stop*) echo failed >{base}/${{3%.service}}.state ;;
        *start*) echo active >{base}/${{3%.service}}.state ;;
    esac
}}
unit_property() {{
    case $1 in
        ActiveState) state "${{2:-$unit}}" ;;
        FragmentPath) echo "{base}/etc/${{2:-$unit}}.service" ;;
        ExecStart) echo "path={base}/by-hand/bin/nexus ;" ;;
        DropInPaths) echo "/usr/lib/systemd/system/service.d/10.conf $drop_in" ;;
        MainPID) echo 0 ;;
    esac
}}
put_file() {{ cat >"$1"; }}
derive_https_xml() {{ echo derived; }}
desired_properties() {{ :; }}
own_drop_in() {{ echo {base}/run/nexus-registry.conf; }}
install_dir= java= drop_in= owner_before= left_stopped= former_unit= KEYSTORE_PASSWORD=
at_exit restart_stopped_unit
"""


@pytest.mark.parametrize("unit", ["nexus", "second"])
def test_former_unit_is_removed_once_new_one_is_written(shell: list[str], host: Host, unit: str) -> None:
    """It hands its facts on. A run that is cut before leaves it, also for a return to its name."""
    base, facts = host.folder, host.folder / "facts"
    for name in ("nexus", "second"):
        host.unit(name, OURS.format(root="/opt/former", data=base / "data"))
        (facts / name).mkdir(exist_ok=True)
    (base / "second.state").write_text("active\n")
    (base / "etc/nexus.service").unlink() if unit == "second" else None
    for name, value in (
        ("account.user-made", "nexus"),
        ("prepare.java-home", "/old"),
        ("service.starting", "1 2 3"),
    ):
        (facts / "second" / name).write_text(f"{value}\n")
    (facts / "nexus/prepare.java-home").write_text("/new\n")
    (facts / "nexus/service.former-unit").write_text("second\n")
    stop = f"{SYSTEMD.format(base=base)}find_former_unit; stop_former_unit"
    assert step(shell, host, f"{stop}; left_stopped=; echo $unit $FACTS").splitlines() == [
        "second.service becomes nexus.service",
        f"nexus {facts}/nexus",
    ]
    assert (base / "etc/second.service").exists()
    assert (facts / "second/service.starting").exists()
    assert (base / "second.state").read_text() == "failed\n"
    assert "stopped and removed second.service" in step(shell, host, f"{stop}; left_stopped=; remove_former_unit")
    assert {file.name: file.read_text() for file in (facts / "nexus").iterdir()} == {
        "account.user-made": "nexus\n",
        "prepare.java-home": "/new\n",
        "service.data-dir": f"{base}/data\n",
        "service.former-root": "/opt/former\n",
    }
    assert not (facts / "second").exists()
    assert not (base / "etc/second.service").exists()


@pytest.mark.parametrize(
    ("does", "started", "said"),
    [
        ("adopt_unit; write_files", "nexus", "{0}/data/log is a symbolic link"),
        ("adopt_unit; left_stopped=; write_files", "", "{0}/data/log is a symbolic link"),
        ("former_unit=second; stop_former_unit; write_files", "second", "{0}/data/log is a symbolic link"),
        (
            "drop_in='{0}/a.conf {0}/gone.conf {0}/b.conf'; touch {0}/a.conf {0}/b.conf; adopt_unit",
            "nexus",
            "the unit that replaces it: {0}/a.conf {0}/b.conf. Move them away, run systemctl daemon-reload",
        ),
        (
            "settle_owner",
            "nexus",
            "data_dir: {0}/data is to belong to a:b and is in use by sleep (pid 7) of another account. End that",
        ),
    ],
)
def test_refusal_leaves_no_server_stopped(
    shell: list[str], host: Host, does: str, started: str, said: str
) -> None:
    """What this run has stopped is started again, unless its unit has become another."""
    base = host.folder
    host.unit("nexus", "[Service]\n")
    host.unit("second", OURS.format(root="/opt/nexus", data=base / "data"))
    (base / "facts/second").mkdir()
    for unit in ("nexus", "second"):
        (base / f"{unit}.state").write_text("active\n" if unit == (started or "nexus") else "inactive\n")
    (base / "data/log").symlink_to(base)
    stubs = f"""{SYSTEMD.format(base=base)}
foreign_process() {{ echo "sleep (pid 7)"; }}
account_of() {{ echo 1:1; }}
settle_owner() {{ owner=a:b; save_fact account.chown-pending x; finish_owner_change; }}
"""
    shown = step(shell, host, stubs + does.format(base))
    assert said.format(base) in shown
    assert (base / f"{started or 'nexus'}.state").read_text() == ("active\n" if started else "failed\n")


def test_rest_of_former_unit_is_removed(shell: list[str], host: Host) -> None:
    """Ports, rule and install_root that are not this server's; those of its registries are."""
    facts = host.folder / "facts"
    for unit, name, value in (
        ("nexus", "firewall.prepare", "9443"),
        ("second", "firewall.prepare", "8443 9443"),
        ("second", "firewall.registry-team", "5000"),
        ("second", "prepare.selinux-rule", "/srv/former/nexus-[^/]+/bin/nexus"),
    ):
        (facts / unit).mkdir(exist_ok=True)
        (facts / unit / name).write_text(f"{value}\n")
    body = f"""{SYSTEMD.format(base=host.folder)}former_unit=second
close_port() {{ echo "closed $1"; }}
semanage() {{ echo "semanage $*"; }}
command() {{ :; }}
remove_former_root() {{ :; }}
stop_former_unit; left_stopped=; remove_former_unit; remove_former_rest; remove_former_rest"""
    assert step(shell, host, body).splitlines()[1:] == [
        "closed 8443",
        "semanage fcontext -d /srv/former/nexus-[^/]+/bin/nexus",
    ]
    left = {
        file.name: file.read_text() for file in (facts / "nexus").iterdir() if not file.name.startswith("service")
    }
    assert left == {"firewall.prepare": "9443\n", "firewall.registry-team": "5000\n"}


@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize(
    ("old", "new", "refused"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_new_data_dir_with_old_database_is_refused(
    shell: list[str], host: Host, old: bool, new: bool, refused: bool, unit: bool
) -> None:
    """So it is where a change of unit was cut that had removed the former unit and not written the next one."""
    base = host.folder
    if unit:
        host.unit("nexus", OURS.format(root="/opt/nexus", data=f"{base}/before"))
    else:
        (base / "facts/nexus/service.data-dir").write_text(f"{base}/before\n")
    for folder, there in (("before", old), ("data", new)):
        (base / folder / "db").mkdir(parents=True)
        (base / folder / "db/nexus.mv.db").touch() if there else None
    said = step(shell, host, "former_unit=; refuse_other_database; echo fine")
    told = f"data_dir: nexus.service keeps its data in {base}/before, and there is no database in {base}/data."
    assert said.startswith(told) if refused else said == "fine\n"


PASSWORD = """put_file() { cat >"$1"; }
log() { :; }
ADMIN_PASSWORD=configured arg_version=$version
provide_first_password
"""


@pytest.mark.parametrize("version", ["3.41.1-01", "3.71.0-06"])
def test_first_password_survives_failed_start(shell: list[str], host: Host, version: str) -> None:
    """The first password outlives a start that failed and lost facts."""
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
    """Nobody can see from here whether an external database is new; one that is not refuses the password."""
    for name in files:
        (host.folder / "data" / name).parent.mkdir(parents=True)
        (host.folder / "data" / name).write_text("jdbcUrl=jdbc:postgresql://db/nexus\n")
    for name in ("sealed", "first-password") if sealed else ():
        (host.folder / f"facts/nexus/service.{name}").write_text("x\n")
    assert step(shell, host, f"version=3.77.0-01\n{PASSWORD}") == ""
    assert (host.folder / "data/admin.password").exists() == first


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
    told = "no record says which version ran on {0} last: taking it for 3.71.0-06\nfrom \n"
    unknown = (
        "version: no record, no log and no unit says which version of Nexus ran on {0} last. Write that version"
    )
    if known:
        assert said == "from 3.62.0-01\n"
    else:
        assert said.startswith((told if known is None else unknown).format(tmp_path))
