"""What the deletes of a destroy leave on a host whose service step never succeeded, run by three shells."""

from __future__ import annotations

import hashlib
import shutil

import pytest

from tests.unit.steps_shell import run
from tests.unit.unit_files import OURS, Host

# A host whose systemd keeps the state of each unit in a file. Root's own work is written down.
STUBS = """
FACTS_ROOT={base}/facts LOCK_FILE={base}/lock UNIT_FOLDERS={base}/etc
take_lock() {{ temp_dir={base}/work; }}
put_file() {{ cat >"$1" && chmod "$3" "$1"; }}
chown() {{ :; }}
unit_file_of() {{ echo "{base}/etc/$1.service"; }}
systemctl() {{
    case $1 in
        stop) echo inactive >"{base}/${{2%.service}}.state" ;;
        show) echo "$3=$(unit_property "$3" "${{4%.service}}")" ;;
    esac
}}
unit_property() {{
    case $1 in
        ActiveState) cat "{base}/${{2:-$unit}}.state" 2>/dev/null || echo inactive ;;
        FragmentPath) [ ! -f "{base}/etc/${{2:-$unit}}.service" ] || echo "{base}/etc/${{2:-$unit}}.service" ;;
        ExecStart | Environment) sed -n "s/^$1=//p" "{base}/etc/${{2:-$unit}}.service" ;;
    esac
}}
getent() {{ [ "$2" = nexus ] && echo nexus:x:990:990::; }}
outside_dirs() {{ :; }}
remove_user() {{ log "removed the user $1"; }}
remove_group() {{ log "removed the group $1"; }}
selinux_active() {{ false; }}
close_port() {{ log "closed $1"; }}
remove_launcher_rule() {{ log "removed the rule $1"; }}
"""
STEPS = {
    "keystore": "--user nexus --group nexus {at} --version 3.71.0-06 --fingerprint " + "ab" * 32,
    "archive": "--install-root {base}/opt --version 3.71.0-06 --sha256 " + "ab" * 32,
    "account": "--user nexus --group nexus --data-dir {base}/data --purge-data {purge}",
    "prepare": "{at} --heap-mb 512 --min-disk-mb 1",
}


def destroy(shell: list[str], host: Host, unit: str = "nexus", purge: str = "no", prepared: str = "") -> str:
    """The output of the deletes, in the order of a destroy; the first one that fails ends it.

    ``prepared``: another unit that the prepare step ran with.
    """
    base, said = host.folder, ""
    for step, flags in STEPS.items():
        line = flags.format(at=f"--install-root {base}/opt --data-dir {base}/data", base=base, purge=purge)
        verb = f"delete --unit {(step == 'prepare' and prepared) or unit}"
        said += run(shell, f"{STUBS.format(base=base)}\nstep {verb} {line}\necho done {step}", step)
        if f"done {step}" not in said:
            break
    return said


def install(host: Host, unit: str, state: str, *, by_hand: bool = False) -> None:
    """A server whose service step failed after it wrote the unit, or that was set up by hand."""
    base = host.folder
    program = base / "opt/nexus-3.71.0-06"
    (program / "bin").mkdir(parents=True)
    (program / "bin/nexus").write_text("#!/bin/sh\n")
    (base / "opt/nexus").symlink_to("nexus-3.71.0-06")
    (base / "etc/nexus.service").write_text(unit.format(root=base / "opt", data=base / "data"))
    (base / "nexus.state").write_text(f"{state}\n")
    for file in ("etc/ssl/keystore.jks", "etc/jetty/jetty-https.xml", "db/nexus.mv.db"):
        (base / "data" / file).parent.mkdir(parents=True)
        (base / "data" / file).touch()
    facts = {"account.user": "nexus", "account.data-dir": f"{base}/data", "service.starting": "1 2 3"}
    if not by_hand:
        (program / ".nexus-registry").write_text("sha256 abc\n")
        facts |= {"account.user-made": "nexus", "service.pending": "x"}
    for name, value in facts.items():
        (base / "facts/nexus" / name).write_text(f"{value}\n")


def left(host: Host) -> list[str]:
    """The files of the server and the records of the steps."""
    found = [path for top in ("opt", "etc", "data", "facts") for path in (host.folder / top).rglob("*")]
    return sorted(str(path.relative_to(host.folder)) for path in found if not path.is_dir() or path.is_symlink())


@pytest.mark.parametrize("purge", ["no", "yes"])
@pytest.mark.parametrize("state", ["active", "failed"])
def test_destroy_removes_service_that_never_started(shell: list[str], host: Host, state: str, purge: str) -> None:
    install(host, OURS, state)
    former = host.folder / "former"
    (former / "nexus-3.70.0-01").mkdir(parents=True)
    (former / "nexus-3.70.0-01/.nexus-registry").touch()
    (host.folder / "facts/nexus/service.former-root").write_text(f"{former}\n{host.folder}/opt\n")
    said = destroy(shell, host, purge=purge)
    assert said.endswith("done prepare\n"), said
    assert left(host) == ([] if purge == "yes" else ["data/db/nexus.mv.db"])
    assert (host.folder / "nexus.state").read_text() == "inactive\n"
    assert "removed the user nexus" in said
    assert not (host.folder / "facts").exists()
    assert not former.exists()


def test_destroy_keeps_service_that_has_started(shell: list[str], host: Host) -> None:
    install(host, OURS, "active")
    (host.folder / "facts/nexus/service.digest").touch()
    before = left(host)
    assert "nexus.service still runs" in destroy(shell, host)
    assert left(host) == before


BY_HAND = "[Service]\nExecStart={root}/nexus/bin/nexus run\nEnvironment=_JAVA_OPTIONS=-Dkaraf.data={data}\n"


@pytest.mark.parametrize("state", ["active", "inactive"])
def test_destroy_keeps_server_by_hand(shell: list[str], host: Host, state: str) -> None:
    """It was not taken over, because a step before the service failed."""
    install(host, BY_HAND, state, by_hand=True)
    before = [file for file in left(host) if not file.startswith("facts")]
    (host.folder / "facts/nexus/account.group-made").write_text("nexus\n")
    said = destroy(shell, host, purge="yes")
    assert said.endswith("done prepare\n"), said
    assert left(host) == before
    assert "removed" not in said
    assert (host.folder / "nexus.state").read_text() == f"{state}\n"


def test_destroy_restores_replaced_unit(shell: list[str], host: Host) -> None:
    """The service step has replaced the unit of a server that was set up by hand, and could not start it."""
    base = host.folder
    install(host, OURS, "failed", by_hand=True)
    by_hand = BY_HAND.format(root=base / "opt", data=base / "data")
    (base / "facts/nexus/service.unit-before").write_text(by_hand)
    (base / "facts/nexus/service.unit-mode").write_text("0600\n")
    before = [file for file in left(host) if not file.startswith("facts")]
    said = destroy(shell, host, purge="yes")
    assert said.endswith("done prepare\n"), said
    assert (base / "etc/nexus.service").read_text() == by_hand
    assert (base / "etc/nexus.service").stat().st_mode & 0o777 == 0o600  # it may contain a password
    assert left(host) == before
    assert f"restored {base}/etc/nexus.service" in said


def test_destroy_beside_other_program(shell: list[str], host: Host) -> None:
    """The unit that the program names starts another program than Nexus, so the service step refused it."""
    install(host, "[Service]\nExecStart=/usr/sbin/nginx\n", "active")
    (host.folder / "opt/nexus").unlink()
    said = destroy(shell, host, purge="yes")
    assert said.endswith("done prepare\n"), said
    assert left(host) == ["etc/nexus.service"]
    assert "removed the user nexus" in said


@pytest.mark.parametrize("purge", ["no", "yes"])
@pytest.mark.parametrize("account", ["second", "nexus"])
def test_destroy_after_interrupted_change_of_unit(shell: list[str], host: Host, account: str, purge: str) -> None:
    """The prepare step, and maybe the account step, ran with another unit; the former one is removed already."""
    install(host, OURS, "inactive")
    base, facts = host.folder, host.folder / "facts"
    (base / "etc/nexus.service").unlink()
    for fact in ("service.starting", "service.pending"):
        (facts / "nexus" / fact).unlink()
    (facts / "nexus/firewall.prepare").write_text("8443\n")
    (facts / "nexus/prepare.selinux-rule").write_text("/srv/nexus\n")
    (facts / "second").mkdir()
    for unit in ("nexus", "second"):
        for name, value in (("account.user", "nexus"), ("prepare.data-dir", f"{base}/data")):
            (facts / unit / name).write_text(f"{value}\n")
    said = destroy(shell, host, account, purge, prepared="second")
    assert said.endswith("done prepare\n"), said
    assert left(host) == ([] if purge == "yes" else ["data/db/nexus.mv.db"])
    for did in ("removed the user nexus", "closed 8443", "removed the rule /srv/nexus"):
        assert did in said


@pytest.mark.parametrize("unit", ["", OURS, BY_HAND], ids=["without a unit", "of a program", "by hand"])
def test_purge_keeps_data_of_other_server(shell: list[str], host: Host, unit: str) -> None:
    install(host, unit, "inactive")
    base = host.folder
    if unit:
        shutil.rmtree(base / "facts/nexus")
    else:
        (base / "etc/nexus.service").unlink()
        (base / "facts/nexus/service.digest").touch()
    said = destroy(shell, host, "second", "yes")
    assert f"purge_data: nexus.service has its data in {base}/data too" in said
    assert (base / "data/db/nexus.mv.db").exists()


@pytest.mark.parametrize("unit", [OURS, BY_HAND], ids=["of a program", "by hand"])
def test_destroy_keeps_server_of_other_unit(shell: list[str], host: Host, unit: str) -> None:
    """The service step has refused the data directory and the install root of another unit."""
    install(host, unit, "active", by_hand=unit == BY_HAND)
    facts = host.folder / "facts"
    before = [file for file in left(host) if not file.startswith("facts")]
    (facts / "nexus").rename(facts / "second") if unit == BY_HAND else (facts / "second").mkdir()
    (facts / "second/account.data-dir").write_text(f"{host.folder}/data\n")
    if unit == BY_HAND:
        (facts / "second/keystore.by-hand").write_text(f"{hashlib.sha256().hexdigest()}\n")
    said = destroy(shell, host, "second")
    assert said.endswith("done prepare\n"), said
    assert [file for file in left(host) if not file.startswith("facts")] == before


@pytest.mark.parametrize(
    ("unit", "verb", "refused"),
    [(OURS, "create", True), (OURS, "update", False), (BY_HAND, "update", True)],
    ids=["of another server", "of this server before", "by hand"],
)
def test_prepare_refuses_data_of_other_unit(
    shell: list[str], host: Host, unit: str, verb: str, refused: bool
) -> None:
    """Before a step writes there: the keystore step would replace the keystore of the other server."""
    install(host, unit, "active", by_hand=unit == BY_HAND)
    (host.folder / "facts/nexus/service.digest").touch()
    flags = STEPS["prepare"].format(at=f"--install-root {host.folder}/opt --data-dir {host.folder}/data")
    stubs = f"{STUBS.format(base=host.folder)}\ncheck_places() {{ :; }}\ncheck_host() {{ fail checked; }}\n"
    said = run(shell, f"{stubs}step {verb} --unit second {flags}", "prepare")
    assert said.startswith(f"data_dir: nexus.service keeps its data in {host.folder}/data") == refused, said
    assert said == "checked.\n" or refused
