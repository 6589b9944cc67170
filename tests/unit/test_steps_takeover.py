"""What the service step finds on a host: other units, another data directory, a server to take over."""

from __future__ import annotations

import shutil

import pytest

from tests.unit.steps_shell import SHELLS
from tests.unit.unit_files import OURS, Host, start, step


@pytest.mark.parametrize(
    ("starts", "said"),
    [
        (
            start("/usr/sbin/nginx", "-g", "daemon"),
            "starts another program than Nexus. Choose another unit",
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
    for name, data in (("second", "data"), ("third", "other")):
        (host.folder / "facts" / name).mkdir()
        (host.folder / "facts" / name / "service.data-dir").write_text(f"{host.folder}/{data}\n")
    assert step(shell, host, FORMER) == "former=second\n"


@pytest.mark.parametrize("step_cut", ["prepare", "account"])
def test_records_of_unit_that_never_ran_are_forgotten(shell: list[str], host: Host, step_cut: str) -> None:
    """A change of unit was cut, and another one followed: the unit between them must not count as a server."""
    facts, data = host.folder / "facts", f"{host.folder}/data\n"
    host.unit("third", OURS)
    for name, where in (("nexus", data), ("second", data), ("third", data), ("other", "/srv/data\n")):
        (facts / name).mkdir(exist_ok=True)
        (facts / name / f"{step_cut}.data-dir").write_text(where)
    (facts / "second/account.user-made").write_text("registry\n")
    (facts / "nexus/account.user-made").write_text("nexus\n")
    stubs = 'put_file() { cat >"$1"; }\n'
    assert "second.service" in step(shell, host, f"{stubs}forget_cut_changes")
    assert sorted(path.name for path in facts.iterdir()) == ["nexus", "other", "third"]
    assert (facts / "nexus/account.user-made").read_text() == "nexus\nregistry\n"


def test_licence_is_copied_again_after_an_interruption(shell: list[str], host: Host) -> None:
    """A licence that was installed by hand lies in the Java preferences of the service's account."""
    (host.folder / "home/.java/.userPrefs/com").mkdir(parents=True)
    stubs = f"getent() {{ echo nexus:x:1:1::{host.folder}/home:; }}\nchown() {{ :; }}\n"
    step(shell, host, f"{stubs}cp() {{ command cp -R {host.folder}/work $3; kill $$; }}\ncopy_preferences")
    step(shell, host, f"{stubs}copy_preferences")
    assert (host.folder / "data/javaprefs/.java/.userPrefs/com").is_dir()


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
install_dir= java= drop_in= owner_before= left_stopped= former_unit= former_units= KEYSTORE_PASSWORD=
at_exit restart_stopped_unit
"""


@pytest.mark.parametrize("unit", ["third", "nexus"])
def test_unit_between_two_changes_leaves_no_records(host: Host, unit: str) -> None:
    """The change of nexus to second is killed after each of its writes; the next one may go back to nexus."""
    base, facts = host.folder, host.folder / "facts"
    stubs = f"{SYSTEMD.format(base=base)}at_exit :\n"
    count = f"echo >>{base}/writes; [ $(wc -l <{base}/writes) -ne $cut ] || {{ kill -9 $$; exit 1; }}"
    take_over = "find_former_unit; stop_former_units"
    first = f'put_file() {{ cat >"$1"; {count}; }}\nselect_unit second; {take_over}; echo complete'
    following = f"select_unit {unit}; {take_over}; remove_former_units; forget_cut_changes"
    records = {
        "account.user-made": "nexus",
        "firewall.prepare": "8443",
        "service.data-dir": f"{base}/data",
        "service.digest": "d",
    }
    said, cut = "", 0
    while "complete" not in said and cut < 20:
        cut += 1
        shutil.rmtree(facts)
        host.unit("nexus", OURS.format(root="/opt/nexus", data=base / "data"))
        for name in {"nexus", "second", unit}:
            (facts / name).mkdir(parents=True)
            (facts / name / "account.data-dir").write_text(f"{base}/data\n")
        for fact, value in records.items():
            (facts / "nexus" / fact).write_text(f"{value}\n")
        (base / "nexus.state").write_text("active\n")
        (base / "writes").unlink(missing_ok=True)
        said = step(SHELLS["dash"], host, f"{stubs}cut={cut}\n{first}")
        step(SHELLS["dash"], host, stubs + following)
        assert [path.name for path in facts.iterdir()] == [unit], f"killed after write {cut}"
        assert (facts / unit / "account.user-made").read_text() == "nexus\n"
    assert "complete" in said


@pytest.mark.parametrize("unit", ["nexus", "second"])
def test_former_unit_is_removed_once_new_one_is_written(shell: list[str], host: Host, unit: str) -> None:
    """The new unit gets its facts. A run that is interrupted before keeps it."""
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
    stop = f"{SYSTEMD.format(base=base)}find_former_unit; stop_former_units"
    assert step(shell, host, f"{stop}; forget_stopped; echo $unit $FACTS").splitlines() == [
        "second.service becomes nexus.service",
        f"nexus {facts}/nexus",
    ]
    assert (base / "etc/second.service").exists()
    assert (facts / "second/service.starting").exists()
    assert (base / "second.state").read_text() == "failed\n"
    assert "stopped and removed second.service" in step(shell, host, f"{stop}; left_stopped=; remove_former_units")
    assert {file.name: file.read_text() for file in (facts / "nexus").iterdir()} == {
        "account.user-made": "nexus\n",
        "prepare.java-home": "/new\n",
        "service.data-dir": f"{base}/data\n",
        "service.former-unit": "second\n",
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
    """A service that this run stopped is started again, unless its unit was replaced."""
    base = host.folder
    host.unit("nexus", "[Service]\n")
    host.unit("second", OURS.format(root="/opt/nexus", data=base / "data"))
    (base / "facts/second").mkdir()
    for unit in ("nexus", "second"):
        (base / f"{unit}.state").write_text("active\n" if unit == (started or "nexus") else "inactive\n")
    (base / "data/log").symlink_to(base)
    stubs = f"""{SYSTEMD.format(base=base)}
foreign_process() {{ [ "$*" = others ] || echo "sleep (pid 7)"; }}
account_of() {{ echo 1:1; }}
settle_owner() {{ owner=a:b; save_fact account.chown-pending x; finish_owner_change; }}
"""
    shown = step(shell, host, stubs + does.format(base))
    assert said.format(base) in shown
    assert (base / f"{started or 'nexus'}.state").read_text() == ("active\n" if started else "failed\n")


@pytest.mark.parametrize(
    ("does", "started"),
    [
        ("adopt_unit", "nexus"),
        ("former_unit=second; stop_former_unit", "second"),
        ("note_stopped nexus; write_unit; recall_stopped", ""),
    ],
)
def test_killed_run_is_remembered_to_have_stopped_the_server(
    shell: list[str], host: Host, does: str, started: str
) -> None:
    """SIGKILL runs no trap, so the next run starts the server again when it fails."""
    base = host.folder
    host.unit("nexus", "[Service]\n")
    host.unit("second", OURS.format(root="/opt/nexus", data=base / "data"))
    (base / "facts/second").mkdir()
    (base / f"{started or 'nexus'}.state").write_text("active\n")
    stubs = f"{SYSTEMD.format(base=base)}unit_text() {{ :; }}\nupdate_file() {{ :; }}\n"
    step(shell, host, f"{stubs}{does}; kill -9 $$")
    assert (base / f"{started or 'nexus'}.state").read_text() == ("failed\n" if started else "active\n")
    (base / "nexus.state").write_text("failed\n") if not started else None
    for _ in range(2):
        step(shell, host, f"{stubs}former_units=second; recall_stopped; fail refused")
        assert (base / f"{started or 'nexus'}.state").read_text() == ("active\n" if started else "failed\n")
    assert not list(base.glob("facts/*/service.left-stopped"))


def test_all_former_units_are_disabled_before_new_one_is_enabled(shell: list[str], host: Host) -> None:
    """Changes of unit that were cut leave several. A reboot must not start two servers on the same data."""
    base = host.folder
    for name in ("second", "third"):
        host.unit(name, OURS.format(root="/opt/nexus", data=base / "data"))
        (base / "facts" / name).mkdir()
    body = f"""{SYSTEMD.format(base=base)}unit_text() {{ :; }}
update_file() {{ :; }}
systemctl() {{ echo "$*"; }}
find_former_unit; stop_former_units; write_unit x y; cat $FACTS/service.former-unit"""
    said = step(shell, host, body).splitlines()
    disabled = [said.index(f"-q disable {name}.service") for name in ("second", "third")]
    assert max(disabled) < said.index("-q enable nexus.service")
    assert said[-2:] == ["second", "third"]


@pytest.mark.parametrize(
    ("loaded", "says", "reloads"),
    [
        ("{0}/etc/nexus.service", "NeedDaemonReload=no LoadState=loaded", False),
        ("{0}/etc/nexus.service", "NeedDaemonReload=yes LoadState=loaded", True),
        ("", "NeedDaemonReload=no LoadState=not-found", True),
        ("{0}/lib/nexus.service", "NeedDaemonReload=no LoadState=loaded", True),
        ("/run/systemd/generator.late/nexus.service", "NeedDaemonReload=no LoadState=loaded", True),
    ],
    ids=["as loaded", "changed", "new", "overrides one in /usr/lib", "overrides an init script"],
)
def test_systemd_reads_the_unit_that_was_written(
    shell: list[str], host: Host, loaded: str, says: str, reloads: bool
) -> None:
    """NeedDaemonReload tells of a change in the file that is loaded, not of one that takes precedence over it."""
    answers = dict(pair.split("=") for pair in says.split())
    host.unit("nexus", "", FragmentPath=loaded.format(host.folder), **answers)
    stubs = """systemctl() { case $1 in is-enabled) echo enabled ;; *) echo "systemctl $*" ;; esac; }
former_units= left_stopped=
unit_text() { :; }
update_file() { :; }
"""
    said = step(shell, host, f"unit_file() {{ echo {host.folder}/etc/nexus.service; }}\n{stubs}write_unit x y")
    assert ("systemctl daemon-reload" in said) == reloads


def test_delete_removes_the_unit_of_a_failed_change_of_unit(shell: list[str], host: Host) -> None:
    """The program's state still names the former unit, which the change had removed already."""
    base = host.folder
    host.unit("second", OURS.format(root=base, data=base / "data"))
    (base / "second.state").write_text("active\n")
    for name, value in (("service.former-unit", "nexus"), ("account.user-made", "nexus")):
        (base / "facts/second").mkdir(exist_ok=True)
        (base / "facts/second" / name).write_text(f"{value}\n")
    body = f"{SYSTEMD.format(base=base)}remove_former_rest() {{ :; }}\narg_install_root={base}\nremove_service"
    assert "stopped and removed second.service" in step(shell, host, body, "delete")
    assert not (base / "etc/second.service").exists()
    assert not (base / "facts/second").exists()
    assert [file.name for file in (base / "facts/nexus").iterdir()] == ["account.user-made"]


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
    body = f"""{SYSTEMD.format(base=host.folder)}former_units=second
close_port() {{ echo "closed $1"; }}
semanage() {{ echo "semanage $*"; }}
command() {{ :; }}
remove_former_root() {{ :; }}
stop_former_units; left_stopped=; remove_former_units; remove_former_rest; remove_former_rest"""
    assert step(shell, host, body).splitlines()[1:] == [
        "closed 8443",
        "semanage fcontext -d /srv/former/nexus-[^/]+/bin/nexus",
    ]
    left = {
        file.name: file.read_text() for file in (facts / "nexus").iterdir() if not file.name.startswith("service")
    }
    assert left == {"firewall.prepare": "9443\n", "firewall.registry-team": "5000\n"}
