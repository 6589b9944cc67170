"""The memory and open files of a stack's provider processes."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from sandbox.process import Process
from sandbox.stack import Stack


class Peak:
    """The most memory and open files that a provider process has while a command runs."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._over = stack, threading.Event()
        self.memory_kb = self.files = 0
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            engine = self._stack.running
            for process in Process.below(engine.pid) if engine else ():
                self._look(Path(f"/proc/{process.pid}"))
            time.sleep(0.02)

    def _look(self, process: Path) -> None:
        try:
            if b"pulumi.dynamic" not in (process / "cmdline").read_bytes():
                return
            status = (process / "status").read_text()
            memory = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
            self.memory_kb = max(self.memory_kb, int(memory))
            self.files = max(self.files, len(list((process / "fd").iterdir())))
        except (OSError, StopIteration):
            return
