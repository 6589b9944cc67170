"""Starts and ends programs that outlive the command that started them."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

# $1: where to record the process; $2: cgroup folders to enter, one per line; the rest: the program.
_LAUNCH = """
record=$1; printf '%s' "$2" | while IFS= read -r group; do echo $$ >"$group/cgroup.procs"; done; shift 2
echo "$$ $(cut -d' ' -f22 /proc/$$/stat)" >"$record"
exec "$@"
"""


@dataclass(frozen=True)
class Process:
    """A process, known by its id and by when it started (in clock ticks), so that a reused id is no match."""

    pid: int
    started: int

    @classmethod
    def current(cls) -> Process:
        """The process that asks."""
        stat = _stat(os.getpid())
        assert stat
        return cls(os.getpid(), stat.started)

    @classmethod
    def recorded(cls, record: Path) -> Process | None:
        """The process that ``start`` recorded in this file, whether it still runs or not."""
        try:
            pid, started = record.read_text().split()
            return cls(int(pid), int(started))
        except (FileNotFoundError, ValueError):
            return None

    @classmethod
    def start(
        cls,
        command: Sequence[str | Path],
        *,
        record: Path,
        log: Path,
        groups: Iterable[Path] = (),
        env: Mapping[str, str] | None = None,
    ) -> Process:
        """Start a program detached from this one.

        It has its own session, no input, and its output goes to ``log``. ``record`` says from its first moment
        which process it is; ``groups`` are the cgroups it enters before it runs.
        """
        record.unlink(missing_ok=True)
        lines = "".join(f"{group}\n" for group in groups)
        with log.open("ab") as output:
            subprocess.run(
                ["setsid", "--fork", "sh", "-c", _LAUNCH, "sh", str(record), lines, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=env,
                check=True,
            )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if process := cls.recorded(record):
                return process
            time.sleep(0.01)
        raise RuntimeError(f"{command[0]} was not started; see {log}")

    @property
    def alive(self) -> bool:
        """Whether it still runs (a process that ended and waits to be collected does not)."""
        return (stat := _stat(self.pid)) is not None and stat.started == self.started and stat.state not in "ZX"

    @property
    def command(self) -> str:
        """Its command line, shortened; empty when it is gone."""
        try:
            words = Path(f"/proc/{self.pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return " ".join(words).strip()[:80]

    @property
    def child(self) -> int | None:
        """Id of the first process that it started and that still runs."""
        try:
            return int(Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0])
        except (FileNotFoundError, IndexError):
            return None

    @classmethod
    def below(cls, pid: int) -> list[Process]:
        """The descendants of a process.

        The parent's id in each process's own record is read, and not the lists of children that the threads of the
        parent keep: when a thread ends, its children move to the list of another thread, which may have been read.
        """
        children: dict[int, list[Process]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (stat := _stat(int(entry.name))):
                children.setdefault(stat.parent, []).append(cls(int(entry.name), stat.started))
        found = list(children.get(pid, []))
        for process in found:  # grows while it is walked
            found += children.get(process.pid, [])
        return found

    def end(self, *, timeout: float = 10, first: signal.Signals = signal.SIGTERM) -> None:
        """End it: ask with ``first``, wait ``timeout`` seconds, then kill. Returns when it is gone."""
        if not self._signal(first, timeout) and not self._signal(signal.SIGKILL, 30):
            raise RuntimeError(f"process {self.pid} can't be ended, not even by SIGKILL")

    def wait(self, timeout: float) -> bool:
        """Wait until it has ended, ``timeout`` seconds at most; whether it has."""
        return self._signal(None, timeout)

    def _signal(self, number: signal.Signals | None, timeout: float) -> bool:
        """Send a signal, if any, and wait; whether the process is gone then."""
        try:
            handle = os.pidfd_open(self.pid)  # from here on the id is not reused
        except OSError as error:
            # The last two, by the kernel's version: the id is that of another process's thread now.
            if error.errno not in (errno.ESRCH, errno.ENOENT, errno.EINVAL):
                raise
            return True
        try:
            if not self.alive:
                return True
            if number is not None:
                signal.pidfd_send_signal(handle, number)
            return bool(select.select([handle], [], [], timeout)[0])
        except ProcessLookupError:
            return True
        finally:
            os.close(handle)


class _Stat(NamedTuple):
    """What /proc says of a process: its state, its parent's id and when it started (in clock ticks)."""

    state: str
    parent: int
    started: int


def _stat(pid: int) -> _Stat | None:
    """The record of a process, or None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return _Stat(fields[0], int(fields[1]), int(fields[19]))
