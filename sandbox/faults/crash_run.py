"""Striking a stack while it works: a command is begun again and again, and struck at a boundary not tried yet."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from nexus_registry.providers.registry_check import digest

from ..process import Process
from ..stack import Result, Running, Stack

BEGUN, MIDDLE, DONE = "begun", "middle", "done"
DIFFER = ("content", "stdin", "stdout", "stderr", "proves")
"""Properties that are another each time they are made, or tell of the way instead of the end; so is every
``…incarnation``."""
FOUND = ("added", "before")
"""What a create found: one that was killed after it had acted takes its own work for that."""
_POLL = 0.01

FinalState = dict[tuple[str, str], str]


def final_state(stack: Stack) -> FinalState:
    """The state as it must be at the end, whatever the way: a digest for each property of each resource."""
    return {
        (one["urn"].rpartition("::")[2], key): digest({key: value})
        for one in stack.export()["resources"]
        for key, value in one.get("outputs", {}).items()
        if key not in DIFFER + FOUND and not key.endswith(("incarnation", "incarnations"))
    }


def differing_keys(one: FinalState, other: FinalState) -> set[tuple[str, str]]:
    """Resources and properties that are not the same in both."""
    return {key for key, _ in one.items() ^ other.items()}


def run_and_kill(stack: Stack, command: Callable[[], Result], seconds: float) -> tuple[bool, list[Process]]:
    """Begin a command and kill its engine so many seconds later: whether it still ran, and what it left behind."""
    runner = threading.Thread(target=command, daemon=True)
    runner.start()
    while runner.is_alive() and not stack.running:
        time.sleep(_POLL)
    time.sleep(seconds)
    engine = stack.running
    if engine is None or engine.poll() is not None:
        runner.join()
        return False, []
    orphans = _kill(engine)
    runner.join()
    if orphans is None:
        return False, []
    stack.after_a_kill()
    return True, orphans


def end_processes(orphans: Collection[Process]) -> None:
    """End what a killed engine left behind."""
    for orphan in orphans:
        orphan.end(patience=0, first=signal.SIGKILL)


def _kill(engine: Running) -> list[Process] | None:
    """SIGKILL to an engine, and to nothing else: the processes that it leaves behind; None if it had ended."""
    below = Process.below(engine.pid)
    try:
        os.kill(engine.pid, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return below


Kill = tuple[str, str]
"""The resource that was under way, and how far it was."""


@dataclass
class CrashRun:
    """One command, struck at every boundary of every resource until nothing is left to strike it at.

    A run is struck as soon as an operation is noted as under way, ``middles`` seconds after that, and when it is
    noted as done: each of these once for each resource. What was struck is begun again at once, beside whatever of
    it still acts, until a run comes to its end untouched.
    """

    stack: Stack
    command: Callable[[], Result]
    act: Callable[[], bool] | None = None
    """What happens to a run, and whether there was anything for it to hit: otherwise it is tried again a moment
    later. A run that it does not end is struck at the next boundary too. None: the engine is killed, and only it;
    see :meth:`end_orphans`."""
    middles: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Moments in the middle by a resource's name, in seconds after its beginning; 0.3 when it has none."""
    only: Collection[str] = ()
    """Names of the resources at which it is struck; empty for all."""
    phases: Collection[str] = (BEGUN, MIDDLE, DONE)
    kills: list[Kill] = field(default_factory=list)
    results: list[tuple[Kill, Result]] = field(default_factory=list)
    """Each strike, with what the run that met it came to."""
    orphans: list[Process] = field(default_factory=list)

    def run(self, *, limit: int = 200) -> Result:
        """Run to the end that nothing prevents any more; at most ``limit`` times."""
        for _ in range(limit):
            before = len(self.kills)
            result = self._one()
            self.results += [(act, result) for act in self.kills[before:]]
            if len(self.kills) == before:
                return result
        raise AssertionError(f"no end after {limit} runs; struck at {self.kills[-5:]}")

    def end_orphans(self) -> None:
        """End what the killed engines left behind."""
        end_processes(self.orphans)

    def _one(self) -> Result:
        """One run, and what it came to."""
        results: list[Result] = []
        runner = threading.Thread(target=lambda: results.append(self.command()), daemon=True)
        runner.start()
        killed = False
        since: dict[str, float] = {}
        while runner.is_alive():
            now = time.monotonic()
            engine = self.stack.running
            pending = {urn.rpartition("::")[2] for urn in self.stack.under_way()} if engine else set()
            mark = None if killed else self._mark(since, pending, now)
            since = {name: since.get(name, now) for name in pending}
            if mark and engine and engine.poll() is None:
                if not self.act:
                    orphans = _kill(engine)
                    killed = orphans is not None
                    self.orphans += orphans or []
                if killed or (self.act and self.act()):
                    self.kills.append(mark)
            time.sleep(_POLL)
        if killed:
            self.stack.after_a_kill()
        return results[0]

    def _mark(self, since: Mapping[str, float], pending: set[str], now: float) -> Kill | None:
        """A boundary that this moment is at and that was not struck yet."""
        here = [(name, BEGUN) for name in pending] + [(name, DONE) for name in since.keys() - pending]
        here += [
            (name, f"{MIDDLE}, {moment:g} s")
            for name in pending & since.keys()
            for moment in self.middles.get(name, (0.3,))
            if moment <= now - since[name] < moment + 0.5
        ]
        for name, how in sorted(here):
            wanted = (not self.only or name in self.only) and how.partition(",")[0] in self.phases
            if wanted and (name, how) not in self.kills:
                return name, how
        return None
