"""What came of each fault: rows that the tests leave, and docs/reliability.md made of them.

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
A proxy stands before a real Nexus Core and does one thing to one request of one operation: to the one that
matters most (the last that changes something), and where the answer is lost, cut or not the server's to each
request in turn. The operations are the providers' own, called as the engine calls them. After the second run
everything that the server has (repositories, roles, users, privileges, realms, anonymous access, licence,
components, which logins work) is compared with what an undisturbed run leaves. The client's waits (60 s of
patience, pauses) run 30 times as fast here and its time-outs are 1 s, so that a lasting fault costs seconds
and not minutes; with the real restart and the real read-only mode nothing is shortened.

What a create found before it (`added` of RealmActivation and `before` of AnonymousAccess, by which a deletion
goes) is what the run found that ended it: after a run that was killed, a deletion leaves the realm active and
anonymous access as it is. What is marked ᵖ is played by the stand-in: docker repositories, their realm and
connectors, and what is new in versions that no server here is of: the licence (3.77), path routing (3.83), Jetty
12's HTTPS file (3.86), the login limiter (3.93). Everything else is Nexus's own.
"""
_DRIFT = """
Each kind is changed, and deleted where it can be, over Nexus's REST API between two runs. A cell says what
`refresh` shows and what the next `up` did; the whole server is then as it was. The administrator's password
needs the one that was set by hand, as `current_password`.
"""
_KEPT = """
An image is pushed, and then somebody edits program, state and server in an order that a generator chose, each
request of half of the operations meeting a fault. `force_destroy` is never in force; after each operation the
image's manifest and layer are fetched.
"""
_ENGINE = """
The whole dev stack. Only the engine's own process is killed (SIGKILL): what it had begun goes on beside the next
run, and is ended when all is over. `At the beginning` is as soon as the state notes an operation as under way, `in
the middle` some time after that, `at the end` as soon as the state notes it no more, which on the CLI is seldom
seen before the next one begins. Each is met once for each resource, in runs that follow each other until one comes
to its end; then come a refresh and an `up` that have nothing to do. Between two runs is what a person does: on the
CLI `pulumi cancel`. After a create, and after each kill at a random moment, every property in the state is
compared with what an undisturbed run left, after the latter the whole server, too.
"""
_HOST = """
A real systemd host; the engine is the CLI where there is one. A cut of SSH resets every connection between engine
and host; a run that it does not end, because Pulumi dials again, is struck at its next step too. A wrong clock is
that of every process of the host, Nexus's included: a library between it and the kernel's.
"""
LANES = {
    "nexus": Lane("Between provider and Nexus", _NEXUS.strip()),
    "drift": Lane("Changed and deleted by hand", _DRIFT.strip()),
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
    """All that were kept, in the order of their lanes and of their arrival."""
    found = [
        Row(**json.loads(line)) for file in sorted(ROWS.glob("*.jsonl")) for line in file.read_text().splitlines()
    ]
    order = [*LANES, *sorted({row.lane for row in found} - set(LANES))]
    return sorted(found, key=lambda row: order.index(row.lane))


def render(kept: Iterable[Row]) -> str:
    """The document."""
    kept = list(kept)
    lost = [row for row in kept if row.lost]
    parts = [
        "# What was broken on purpose, and what came of it\n",
        "Made by `make test-faults`; anyone can make it again. Each cell says what the run that met the fault "
        "came to and, if that was not the end of it, what the next run did without anybody's help. A name such as "
        "`Unreachable` is the type of the error, whose text is one sentence with property, reason and remedy. "
        "Several results in one cell: of different moments of the operation. A dash: not tried in this run, as a "
        "rule because the operation sends nothing to which that fault could happen.\n",
        f"{len(kept)} faults injected; {len(lost)} left something lost, doubled, orphaned or to be done by hand. "
        f"On {_machine()}.\n",
    ]
    for name in dict.fromkeys(row.lane for row in kept):
        lane = LANES.get(name, Lane(name))
        parts += [f"## {lane.title}\n", *([f"{lane.text}\n"] if lane.text else [])]
        of_lane = [row for row in kept if row.lane == name]
        for operation in dict.fromkeys(row.operation for row in of_lane):
            parts += [f"### {operation}\n", _table([row for row in of_lane if row.operation == operation])]
        if name == "nexus":
            parts += ["What the faults are, and how long the run took that met them:\n", _legend(of_lane)]
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
        lines.append([name, *(_cell(cells.get(pair, [])) for pair in pairs)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(of: list[Row]) -> str:
    said = [row.verdict for row in of]
    return "; ".join(dict.fromkeys(sorted(said, key=lambda one: (one != "done", one)))) or "-"


def _legend(of: list[Row]) -> str:
    longest: dict[str, float] = {}
    for row in of:
        longest[row.fault] = max(row.seconds, longest.get(row.fault, 0))
    told = {**{name: fault.what for name, fault in NEXUS.items()}, **OTHERS}
    return "".join(
        f"- **{name}**: {what}; {longest[name]:.1f} s at most.\n" for name, what in told.items() if name in longest
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
