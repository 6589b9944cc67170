"""Histories of a host: the program changes once, the run is cut, the program changes again.

After that the service runs as the last program says, or a step refused with a message, and then going back to a
program that is accepted brings everything up again. Either way nothing is lost. Nexus is played
(``played_nexus``); the host, its systemd and the steps are real.

``HISTORIES=500`` runs as many histories at random, instead of the fixed ones. Each worker of pytest has a host.
"""

from __future__ import annotations

import os
import random
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import host as hosts
from sandbox.faults.report import record
from sandbox.paths import PROJECT
from sandbox.shell import free_port
from tests.host.played import PlayedServer
from tests.host.steps import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nexus_registry.components.host.steps import Verb

FULL = os.environ.get("FAULTS") == "full"
VERSIONS = ("3.71.0-06", "3.72.0-04", "3.73.0-12")
STEPS = ("prepare", "account", "archive", "keystore", "service")
KEPT = "what people stored"
HOST = "histories" + os.environ.get("PYTEST_XDIST_WORKER", "")


@dataclass
class Program(PlayedServer):
    """What a program says of a server, and what the host's steps make of it."""

    def up(self, verb: Verb = "update", cut: tuple[str, float] | None = None) -> str:  # type: ignore[override]
        """Run the steps until one fails, and return its message; ``cut`` ends one of them after some seconds."""
        self.turn_to(self.version)
        for step in STEPS:
            cutter = None
            if cut and cut[0] == step:
                cutter = threading.Thread(target=self._kill, args=cut)
                cutter.start()
            done = self.run(step, verb, check=False)
            if cutter:
                cutter.join()
            if done.returncode:
                return (done.stderr.strip().splitlines() or ["(killed)"])[-1]
        return ""

    def _kill(self, step: str, seconds: float) -> None:
        """Kill the step, with its children, so many seconds after it has taken the lock."""
        pid = r"$(sed -n 's/.*pid \([0-9]*\)$/\1/p' /run/nexus-registry.lock)"
        watch = f"grep -q '^step {step} ' /run/nexus-registry.lock && group=$(cut -d' ' -f5 /proc/{pid}/stat)"
        kill = f"sleep {seconds}; kill -9 -- -$group"
        self.host.ssh(
            f"for i in $(seq 200); do if {watch} 2>/dev/null; then {kill}; exit; fi; sleep 0.05; done; true",
            check=False,
        )

    def running(self) -> bool:
        """Whether Nexus answers with what was stored."""
        return self.curl("kept", check=False).endswith(" 200")

    def until_running(self) -> None:
        deadline = time.monotonic() + 120
        while not self.running():
            assert time.monotonic() < deadline, "the service does not run"
            time.sleep(0.2)

    def clear(self) -> None:
        """Remove every server of the host, with its data and accounts."""
        self.host.ssh(
            "for unit in $(grep -l 'Written by nexus-registry' /etc/systemd/system/*.service); do "
            "systemctl disable --now ${unit##*/}; rm $unit; done 2>/dev/null; systemctl daemon-reload; "
            "rm -rf /opt/nexus* /var/lib/nexus* /run/nexus-registry*; "
            "for user in nexus nexus2 nexus22; do userdel $user; groupdel $user; done 2>/dev/null; true"
        )

    def audit(self) -> None:
        """The service runs as this program says, and only it; everything that was stored is there."""
        assert self.curl("kept").split(" 200")[0] == KEPT
        assert self.served() == self.store.fingerprint
        units = self.host.ssh("grep -l 'Written by nexus-registry' /etc/systemd/system/*.service").stdout.split()
        assert units == [f"/etc/systemd/system/{self.unit}.service"]
        assert self.property("UnitFileState") == "enabled"
        pid = self.property("MainPID")
        assert self.host.ssh(f"ps -o user= -p {pid}").stdout.strip() == self.user
        assert self.host.ssh("pgrep -fc '/bin/nexus run'").stdout.strip() == "1"
        assert self.host.ssh(f"readlink {self.install_root}/nexus").stdout.strip() == f"nexus-{self.version}"
        assert self.host.read(f"{self.data_dir}/etc/nexus-registry.version").strip() == self.version
        facts = self.host.ssh("ls /var/lib/nexus-registry/*/service.*").stdout.split()
        assert {Path(fact).parent.name for fact in facts} == {self.unit}
        assert not [fact for fact in facts if "upgrade" in fact]
        assert not self.host.exists(f"{self.data_dir}/admin.password")


def change(program: Program, what: str) -> Program:
    """The same program with one argument changed to a new value."""
    following: dict[str, Any] = {
        "version": {"version": VERSIONS[min(VERSIONS.index(program.version) + 1, 2)]},
        "user": {"user": f"{program.user}2", "group": f"{program.user}2"},
        "data_dir": {"data_dir": f"{program.data_dir}2"},
        "unit": {"unit": f"{program.unit}2"},
        "port": {"ports": (free_port(), free_port())},
        "certificate": {"store": Store.make(program.store.password)},
        "install_root": {"install_root": f"{program.install_root}2"},
    }
    return replace(program, **following[what])


CHANGES = ("version", "user", "data_dir", "unit", "port", "certificate", "install_root")


@dataclass(frozen=True)
class History:
    """First change, where its run is cut, second change."""

    first: str
    step: str
    seconds: float
    second: str

    @classmethod
    def at_random(cls, seed: object, first: str = "", second: str = "") -> History:
        chosen = random.Random(str(seed))  # noqa: S311 - no secret
        early = {"user": "account", "version": "archive", "certificate": "keystore"}
        one, other = first or chosen.choice(CHANGES), second or chosen.choice(CHANGES)
        step = early.get(one, "service") if chosen.random() < 0.2 else "service"
        return cls(one, step, round(chosen.uniform(0, 4 if step == "service" else 0.5), 2), other)

    def __str__(self) -> str:
        return f"{self.first}, cut in {self.step} after {self.seconds} s, {self.second}"


def histories() -> list[Any]:
    """Half of them for one worker, half for the other."""
    made = made_histories()
    halves = [pytest.mark.xdist_group(f"host-histories-{half}") for half in (0, 1)]
    return [pytest.param(one, marks=halves[place % 2], id=str(one)) for place, one in enumerate(made)]


def made_histories() -> list[History]:
    if soak := os.environ.get("HISTORIES"):
        return [History.at_random(seed) for seed in range(int(soak))]
    pairs = [(first, second) for first in CHANGES for second in CHANGES]
    if not FULL:
        pairs = [("version", "version"), ("unit", "data_dir"), ("version", "unit"), ("user", "install_root")]
    return [History.at_random(pair, *pair) for pair in pairs]


@pytest.fixture(scope="module")
def bare() -> Program:
    """A program for a host without remains of a former test."""
    program = Program(hosts.up(HOST), Store.make("keystore-1"), "", "admin & é")
    program.version = VERSIONS[0]
    program.clear()
    return program


@pytest.fixture
def begun(bare: Program) -> Program:
    """A server that runs, with something stored in it."""
    bare.clear()
    program = replace(bare, ports=(free_port(), free_port()))
    assert program.up("create") == ""
    assert program.curl("kept", "-X", "PUT", "-d", KEPT).endswith(" 204")
    return program


@pytest.fixture
def killing_cp(bare: Program) -> Iterator[str]:
    """A ``cp`` on the host that kills the step it runs in; the path to remove."""
    path = "/usr/local/sbin/cp"
    bare.host.ssh(f"printf '#!/bin/sh\nkill -9 0\n' >{path} && chmod 0755 {path}")
    yield path
    bare.host.ssh(f"rm -f {path}")


def test_new_user_after_interrupted_upgrade_keeps_server_up(begun: Program, killing_cp: str) -> None:
    assert change(begun, "version").up() == "(killed)"
    begun.host.ssh(f"rm {killing_cp}")
    assert not begun.running()
    said = change(change(begun, "version"), "user").up()
    assert said.endswith(
        f"its unit has another User. Set version to {begun.version} first, and change it in an up of its own."
    )
    begun.until_running()
    former = change(begun, "user")
    assert former.up() == ""
    former.audit()


@pytest.mark.full_faults
def test_page_returns_to_former_version(begun: Program) -> None:
    page = (PROJECT / "docs/how-to/upgrades.md").read_text().partition("## Return to the former version")[2]
    commands = page.partition("```sh\n")[2].partition("```")[0]
    newer = change(begun, "version")
    assert newer.up() == ""
    assert newer.curl("kept", "-X", "PUT", "-d", "later").endswith(" 204")
    begun.host.ssh(f"set -eu\n{commands.replace('3.76.1-01', begun.version)}")
    assert begun.up() == ""
    begun.audit()
    assert newer.up() == ""


INIT_SCRIPT = """#!/bin/sh
### BEGIN INIT INFO
# Provides:          nexus
# Required-Start:    $network
# Required-Stop:     $network
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Nexus
### END INIT INFO
export _JAVA_OPTIONS=-Dkaraf.data={data}
run="--pidfile /run/by-hand.pid --chuid nexus --startas {root}/nexus-{version}/bin/nexus"
case $1 in
    start) start-stop-daemon --start --background --make-pidfile $run -- run ;;
    stop) start-stop-daemon --stop --pidfile /run/by-hand.pid --retry TERM/30 ;;
esac
"""


def test_server_of_init_script_is_adopted(begun: Program) -> None:
    begun.host.ssh(
        "systemctl disable --now nexus; rm /etc/systemd/system/nexus.service; rm -r /var/lib/nexus-registry; "
        "cat >/etc/init.d/nexus; chmod 0755 /etc/init.d/nexus; update-rc.d nexus defaults; "
        "systemctl daemon-reload; systemctl start nexus",
        stdin=INIT_SCRIPT.format(data=begun.data_dir, root=begun.install_root, version=begun.version),
    )
    begun.until_running()
    assert begun.property("FragmentPath") == "/run/systemd/generator.late/nexus.service"
    assert begun.up("create") == ""
    begun.audit()
    assert begun.property("FragmentPath") == "/etc/systemd/system/nexus.service"
    assert begun.up() == ""
    begun.run("service", "delete")
    begun.host.ssh("systemctl daemon-reload")
    assert begun.property("UnitFileState") != "enabled", "the init script would start a program that is gone"
    begun.host.ssh("rm /etc/init.d/nexus; systemctl daemon-reload")


def may_refuse(history: History, first: str) -> bool:
    """Whether a step may refuse: data are not moved, and an upgrade takes an up of its own."""
    if first == "(killed)" and history.second == "version":
        return history.first in ("version", "user", "data_dir", "unit", "install_root")
    return "data_dir" in (history.first, history.second) or (first == "(killed)" and history.first == "version")


@pytest.mark.parametrize("history", histories())
def test_last_program_runs_or_is_refused(begun: Program, history: History) -> None:
    once = change(begun, history.first)
    first = once.up(cut=(history.step, history.seconds))
    assert first in ("", "(killed)") or history.first == "data_dir", first
    twice = change(once, history.second)
    said = second = twice.up()
    assert not second or may_refuse(history, first), second
    for former in (once, begun):
        if not said:
            break
        assert said.split(":")[0] in {"data_dir", "version", "unit", "user", "install_root", "http_port"}, said
        twice = former
        said = twice.up()
    assert said == ""
    twice.audit()
    if "data_dir" not in (history.first, history.second):
        assert twice.host.ssh("ls /var/lib/nexus-registry").stdout.split() == [twice.unit]
    assert twice.up() == ""
    record(
        lane="host",
        subject=f"{history.first}, then {history.second}",
        operation="update twice",
        fault=f"the first run killed in {history.step}" if first else "none: the first run was done before",
        first="refused" if first and first != "(killed)" else "killed" if first else "done",
        second="refused, and the former program runs" if second else "done",
        sentence=second,
    )
