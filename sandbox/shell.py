"""Running programs, and saying what is going on while they run."""

from __future__ import annotations

import fcntl
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_RESERVED = Path(tempfile.gettempdir()) / "nexus-sandbox-ports"
_RESERVATION = 3600.0


class CommandFailed(RuntimeError):
    """A program ended with a status other than 0; the message carries the end of what it printed."""


def run(
    command: Sequence[str | Path],
    *,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 600,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it printed (``stdout`` and ``stderr`` as text)."""
    done = subprocess.run(
        [str(part) for part in command],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        env=env,
        cwd=cwd,
        timeout=timeout,
        check=False,
    )
    if check and done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-25:])
        raise CommandFailed(f"{Path(command[0]).name} ended with status {done.returncode}:\n{tail}")
    return done


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Print ``what`` now and, when the block ends, how long it took."""
    started = time.monotonic()
    print(f"→ {what} …", file=sys.stderr, flush=True)
    yield
    print(f"  {what}: {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Hold a lock file, so that two runs don't do the same work at once; waits for the other one."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with progress(f"waiting for another run that holds {lock.name}"):
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def free_port() -> int:
    """A TCP port that nothing listens on now and that nobody was given within the last hour.

    It lies below the kernel's ephemeral range, so that no client takes it.
    """
    for _ in range(200):
        port = 20000 + secrets.randbelow(12001)  # processes that are forked share the state of random
        if is_free(port) and _reserve(port):
            return port
    raise RuntimeError("no free TCP port found between 20000 and 32000")


def _reserve(port: int) -> bool:
    """Whether the port was free to be given: what it is for may begin to listen a minute later."""
    _RESERVED.mkdir(exist_ok=True)
    mark = _RESERVED / str(port)
    with suppress(FileNotFoundError):
        if time.time() - mark.stat().st_mtime > _RESERVATION:
            mark.unlink()
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def is_free(port: int) -> bool:
    """Whether nothing listens on a TCP port, on any address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - every address must be free
        except OSError:
            return False
        return True
