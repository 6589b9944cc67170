"""Interrupts the runs of a stack: a command is repeated, each run is interrupted at a boundary not tried yet."""

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
"""Properties that differ between equal runs, or describe a run instead of its result; so does every
``…incarnation``."""
FOUND = ("added", "before")
"""What a create found. A create that was killed after its write finds its own object."""
_POLL = 0.01

FinalState = dict[tuple[str, str], str]


def final_state(stack: Stack) -> FinalState:
    """The state that every way to the end must lead to: a digest for each property of each resource."""
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
    """Start a command and kill its engine after ``seconds``: whether it still ran, and what processes it left."""
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
    """End the processes that a killed engine left."""
    for orphan in orphans:
        orphan.end(timeout=0, first=signal.SIGKILL)


def _kill(engine: Running) -> list[Process] | None:
    """Send SIGKILL to an engine only: the processes that it leaves, or None if it had ended."""
    below = Process.below(engine.pid)
    try:
        os.kill(engine.pid, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return below


Kill = tuple[str, str]
"""The resource whose operation was running, and the moment in it."""


@dataclass
class CrashRun:
    """One command, interrupted once at every boundary of every resource.

    The boundaries are: the state lists the operation as pending, ``middles`` seconds after that, and the state
    lists it no longer. An interrupted run is repeated at once, while processes that it left may still act. The
    last run is the one that nothing interrupts.
    """

    stack: Stack
    command: Callable[[], Result]
    act: Callable[[], bool] | None = None
    """Interrupts a run and tells whether it had an effect; without one it is called again a moment later. A run
    that continues is interrupted at the next boundary too. None: the engine is killed, and only it; see
    :meth:`end_orphans`."""
    middles: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Moments within an operation, in seconds after its start, by the resource's name; the default is 0.3."""
    only: Collection[str] = ()
    """Names of the resources at which runs are interrupted; empty for all."""
    phases: Collection[str] = (BEGUN, MIDDLE, DONE)
    kills: list[Kill] = field(default_factory=list)
    results: list[tuple[Kill, Result]] = field(default_factory=list)
    """Each interruption, with the result of its run."""
    orphans: list[Process] = field(default_factory=list)

    def run(self, *, limit: int = 200) -> Result:
        """Repeat the command until a run is not interrupted; at most ``limit`` times."""
        for _ in range(limit):
            before = len(self.kills)
            result = self._one()
            self.results += [(act, result) for act in self.kills[before:]]
            if len(self.kills) == before:
                return result
        raise AssertionError(f"no end after {limit} runs; interrupted at {self.kills[-5:]}")

    def end_orphans(self) -> None:
        """End what the killed engines left behind."""
        end_processes(self.orphans)

    def _one(self) -> Result:
        """One run and its result."""
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
        """The boundary that is reached now and was not tried yet."""
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
