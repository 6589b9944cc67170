"""The results of the fault tests: rows that the tests write, and docs/reliability.md generated from them.

``python -m sandbox.faults.report begin`` forgets earlier rows, ``… write`` makes the document. Rows are kept only
with ``FAULTS=full`` in the environment, as ``make test-faults`` has it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.paths import PROJECT, WORK

from .catalogue import NEXUS, OTHERS

ROWS = WORK / "faults/rows"
DOCUMENT = PROJECT / "docs/reliability.md"


@dataclass(frozen=True)
class Row:
    """One fault in one operation on one thing: what the first run said, what the second did, what was lost."""

    lane: str
    subject: str
    operation: str
    fault: str
    first: str
    second: str
    lost: str = ""
    seconds: float = 0.0
    sentence: str = ""

    @property
    def verdict(self) -> str:
        """The row in a few words, for a cell."""
        if self.lost:
            return f"**LOST: {self.lost}**"
        return self.first if self.first == self.second else f"{self.first}, then {self.second}"


@dataclass(frozen=True)
class Lane:
    """What a lane is called in the report, and what the reader should know before its tables."""

    title: str
    text: str = ""


_NEXUS = """
A proxy in front of a real Nexus Core injects one fault into one request of one operation. The request is the
last one that changes something; faults of the response (lost, cut, not from the server) are injected into each
request in turn. The operations are called as the engine calls them. After the second run, everything on the
server (repositories, roles, users, privileges, realms, anonymous access, licence, components, working logins)
is compared with the result of an undisturbed run. The retry timeout of the client (60 s) and its pauses are 30
times shorter here, and its time-outs are 1 s. Nothing is shortened for the real restart and the real read-only
mode.

`added` of RealmActivation and `before` of AnonymousAccess, which a deletion restores, are what the successful
run found: after a killed run, a deletion leaves the realm active and anonymous access unchanged. The stand-in
provides what is marked ᵖ: docker repositories, their realm and connectors, and features of versions that are
not available here, namely the licence (3.77), path routing (3.83), the HTTPS file of Jetty 12 (3.86) and the
login limiter (3.93). Everything else is Nexus itself.
"""
_DRIFT = """
Each kind is changed, and deleted if it can be deleted, by Nexus's REST API between two runs. A cell contains
what `refresh` reports and what the next `up` did. Afterwards the server is as it was before. The password of
the administrator requires the one that was set by hand, as `current_password`.
"""
_NAMES = """
The name of each kind that has rules of its own: the other kinds share one of these rules. An object lives if
its create, its update and its deletion succeed and the `up` and each refresh between find no difference. A
generator tries 200 more names for each kind. Names are written with the escapes of Python.
"""
_KEPT = """
An image is pushed. Then a generator edits program, state and server in random order, and every second operation
meets a fault. `force_destroy` is never set. After each operation the manifest and the layer of the image are
fetched.
"""
_ENGINE = """
The whole dev stack is deployed, and only the process of the engine is killed (SIGKILL). What it had started
continues beside the next run and is ended after the test. `At the beginning` is when the state records an
operation as pending, `in the middle` some time later, and `at the end` when the state no longer records it; on
the CLI the next operation has usually begun by then. Each kill is tested once for each resource, in consecutive
runs until one completes. A refresh and an `up` then find nothing to do. On the CLI, `pulumi cancel` runs
between two runs. After a create, and after each kill at a random moment, every property in the state is
compared with that of an undisturbed run; after a kill at a random moment the whole server is compared, too.
"""
_HOST = """
The host is a real systemd host, and the engine is the CLI if it is available. A cut of SSH resets every
connection between engine and host. If the run survives because Pulumi reconnects, its next step is cut, too. A
wrong clock applies to every process of the host, Nexus included: a library replaces the clock of the kernel.
"""
LANES = {
    "nexus": Lane("Between provider and Nexus", _NEXUS.strip()),
    "drift": Lane("Changed and deleted by hand", _DRIFT.strip()),
    "names": Lane("Odd names", _NAMES.strip()),
    "kept": Lane("Attempts to lose an image", _KEPT.strip()),
    "engine": Lane("The engine killed", _ENGINE.strip()),
    "host": Lane("On the host", _HOST.strip()),
}


def record(
    *,
    lane: str,
    subject: str,
    operation: str,
    fault: str,
    first: str,
    second: str,
    lost: str = "",
    seconds: float = 0.0,
    sentence: str = "",
) -> None:
    """Keep a row for the report; ``lost`` says what is lost, doubled or left to be done by hand, if anything is.

    ``first`` and ``second`` are what the two runs came to, in a few words: ``done``, ``Unreachable``. How many
    seconds the first took and what it said in full are kept with the row.
    """
    if os.environ.get("FAULTS") != "full":
        return
    ROWS.mkdir(parents=True, exist_ok=True)
    row = Row(lane, subject, operation, fault, first, second, lost, seconds, sentence)
    with (ROWS / f"{lane}.jsonl").open("a") as file:
        file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")


def rows() -> list[Row]:
    """All rows, ordered by lane and time."""
    found = [
        Row(**json.loads(line)) for file in sorted(ROWS.glob("*.jsonl")) for line in file.read_text().splitlines()
    ]
    order = [*LANES, *sorted({row.lane for row in found} - set(LANES))]
    return sorted(found, key=lambda row: order.index(row.lane))


def render(kept: Iterable[Row]) -> str:
    """The document."""
    kept = list(kept)
    lost = [row for row in kept if row.lost]
    names = sum(row.lane == "names" for row in kept)
    parts = [
        "# Injected faults and their results\n",
        "`make test-faults` generates this page. Each cell contains the result of the run that met the "
        "fault and, if that failed, the result of the next run without manual intervention. A name such "
        "as `Unreachable` is the type of the error; its text is one sentence with property, reason and "
        "remedy. Several results in one cell belong to different moments of the operation. A dash means "
        "that the fault was not injected, usually because the operation sends no request to which it "
        "applies.\n",
        f"{len(kept) - names} faults injected and {names} odd names tried; {len(lost)} left something lost, "
        f"duplicated, orphaned or to be done by hand. On {_machine()}.\n",
    ]
    for name in dict.fromkeys(row.lane for row in kept):
        lane = LANES.get(name, Lane(name))
        parts += [f"## {lane.title}\n", *([f"{lane.text}\n"] if lane.text else [])]
        of_lane = [row for row in kept if row.lane == name]
        for operation in dict.fromkeys(row.operation for row in of_lane):
            parts += [f"### {operation}\n", _table([row for row in of_lane if row.operation == operation])]
        if name == "nexus":
            parts += ["The faults, and the duration of the run that met them:\n", _legend(of_lane)]
    return "\n".join(parts)


def _table(of: list[Row]) -> str:
    """Whichever there are more of, subjects or faults, goes down the page."""
    subjects, faults = (
        list(dict.fromkeys(names)) for names in zip(*((r.subject, r.fault) for r in of), strict=True)
    )
    cells: dict[tuple[str, str], list[Row]] = {}
    for row in of:
        cells.setdefault((row.subject, row.fault), []).append(row)
    across, down = (subjects, faults) if len(subjects) <= len(faults) else (faults, subjects)
    lines = [["", *across], ["---"] * (len(across) + 1)]
    for name in down:
        pairs = [(one, name) if across is subjects else (name, one) for one in across]
        lines.append([name.replace("|", "\\|"), *(_cell(cells.get(pair, [])) for pair in pairs)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(of: list[Row]) -> str:
    said = [row.verdict for row in of]
    return "; ".join(dict.fromkeys(sorted(said, key=lambda one: (one != "done", one)))) or "-"


def _legend(of: list[Row]) -> str:
    max_seconds: dict[str, float] = {}
    for row in of:
        max_seconds[row.fault] = max(row.seconds, max_seconds.get(row.fault, 0))
    described = {**{name: fault.what for name, fault in NEXUS.items()}, **OTHERS}
    return "".join(
        f"- **{name}**: {what}; {max_seconds[name]:.1f} s at most.\n"
        for name, what in described.items()
        if name in max_seconds
    )


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{os.cpu_count()} cores, {memory:.0f} GB of memory, {system}, Python {platform.python_version()}"


def main(arguments: list[str]) -> int:
    """``begin`` or ``write``; fails when there is nothing to write, or something was lost."""
    if arguments == ["begin"]:
        shutil.rmtree(ROWS, ignore_errors=True)
        return 0
    kept = rows()
    if arguments != ["write"] or not kept:
        print("usage: python -m sandbox.faults.report begin|write (after tests with FAULTS=full)", file=sys.stderr)
        return 2
    Path(DOCUMENT).write_text(render(kept))
    print(f"{DOCUMENT.relative_to(PROJECT)}: {len(kept)} faults")
    return 1 if any(row.lost for row in kept) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
