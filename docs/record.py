"""Records ``make demo`` as a terminal session: ``python -m docs.record`` writes docs/demo.cast.

The file is an asciinema v2 cast. It contains what the command printed, a line an event, with pauses of at most
two seconds. Passwords, the folder of the checkout and the home folder are replaced.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CAST = ROOT / "docs" / "demo.cast"
WIDTH, HEIGHT = 110, 30
IDLE = 2.0
"""Seconds: a longer pause is cut to it."""
REPLACED = {
    re.escape(str(ROOT)): "~/nexus-registry",
    re.escape(str(Path.home())) + r"(?=[/\s])": "~",
    r"(\(admin / )[^)\r\n]+": r"\1********",
    r"(--password )\S+": r"\1********",
}
"""Regular expressions, and what stands in the cast instead."""


def run(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[tuple[float, str]]:
    """Each line that a command prints on a terminal, with the seconds since its start.

    Raises ``RuntimeError`` when the command fails.
    """
    started = time.monotonic()
    child, terminal = pty.fork()
    if not child:  # pragma: no cover - the child's process
        os.chdir(ROOT)
        os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 - no shell is wanted
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    rest = b""
    while printed := _read(terminal):
        *lines, rest = (rest + printed).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r")
            sys.stderr.write(f"{text}\n")
            yield time.monotonic() - started, f"{text}\r\n"
    os.close(terminal)
    if rest:
        yield time.monotonic() - started, rest.decode(errors="replace")
    if status := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise RuntimeError(f"{' '.join(command)}: exit status {status}")


def cast(title: str, lines: Iterator[tuple[float, str]]) -> str:
    """The text of a cast of these lines, without long pauses and without what ``REPLACED`` names."""
    header = {"version": 2, "width": WIDTH, "height": HEIGHT, "idle_time_limit": IDLE, "title": title}
    events, shown, before = [json.dumps(header), json.dumps([0.0, "o", f"$ {title}\r\n"])], 0.0, 0.0
    for at, line in lines:
        shown, before = shown + min(at - before, IDLE), at
        for expression, instead in REPLACED.items():
            line = re.sub(expression, instead, line)
        events.append(json.dumps([round(shown, 2), "o", line], ensure_ascii=False))
    return "\n".join(events) + "\n"


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's answer when the command has closed the terminal
        return b""


def main() -> None:
    """Record the demo."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    recorded = cast("make demo", run(["make", "demo"], environment | {"TERM": "xterm-256color"}))
    CAST.write_text(recorded)
    sys.stdout.write(f"{CAST.relative_to(ROOT)}: {len(recorded)} bytes\n")


if __name__ == "__main__":
    main()
