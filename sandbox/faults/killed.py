"""Killing the engine: a command of a stack is begun again and again, and killed at a boundary not tried yet."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..process import Process
from ..stack import Result, Stack

BEGUN, MIDDLE, DONE = "begun", "middle", "done"
_POLL = 0.01


@dataclass
class Journey:
    """One command, killed at every boundary of every resource until nothing is left to kill it at.

    A run is killed as soon as an operation is noted as under way, one ``middle`` after that (the number of seconds
    that ``middles`` has for a resource's name, 0.3 when it has none), and when it is noted as done: each of these
    once for each resource. Only the engine is killed; what it started lives on as it may, beside the next run, and
    is ended by :meth:`end_orphans`.
    """

    stack: Stack
    command: Callable[[], Result]
    middles: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    kills: list[tuple[str, str]] = field(default_factory=list)
    """What was under way, and how far, at each kill."""
    orphans: list[Process] = field(default_factory=list)

    def run(self, *, limit: int = 200) -> Result:
        """Run to the end that no kill prevents; at most ``limit`` times."""
        for _ in range(limit):
            result = self._one()
            if result is not None:
                return result
        raise AssertionError(f"no end after {limit} runs; killed at {self.kills[-5:]}")

    def end_orphans(self) -> None:
        """End what the killed engines left behind."""
        for orphan in self.orphans:
            orphan.end(patience=0, first=signal.SIGKILL)

    def _one(self) -> Result | None:
        """One run: its result when it came to its end, None when it was killed."""
        results: list[Result] = []
        runner = threading.Thread(target=lambda: results.append(self.command()), daemon=True)
        runner.start()
        killed = False
        before: dict[str, float] = {}
        while runner.is_alive():
            now = time.monotonic()
            under_way = (
                {urn.rpartition("::")[2] for urn in self.stack.under_way()} if self.stack.running else set()
            )
            mark = self._mark(before, under_way, now)
            before = {name: before.get(name, now) for name in under_way}
            if mark and not killed and (killed := self._kill()):
                self.kills.append(mark)
            time.sleep(_POLL)
        if killed:
            self.stack.after_a_kill()
            return None
        return results[0]

    def _mark(self, before: Mapping[str, float], under_way: set[str], now: float) -> tuple[str, str] | None:
        for name in sorted(under_way):
            if self._new(name, BEGUN):
                return name, BEGUN
            for seconds in self.middles.get(name, (0.3,)):
                since = now - before.get(name, now)
                if seconds <= since < seconds + 0.5 and self._new(name, f"{MIDDLE} {seconds:g} s"):
                    return name, f"{MIDDLE} {seconds:g} s"
        for name in sorted(before.keys() - under_way):
            if self._new(name, DONE):
                return name, DONE
        return None

    def _new(self, name: str, phase: str) -> bool:
        return (name, phase) not in self.kills

    def _kill(self) -> bool:
        engine = self.stack.running
        if engine is None or engine.poll() is not None:
            return False
        self.orphans += Process.below(engine.pid)
        os.kill(engine.pid, signal.SIGKILL)
        return True
