"""What the commands share: exit statuses, the error that ends one, progress, a stack's state as an argument."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from ..providers.authority import authority_pem
from ..providers.errors import sentence
from ..providers.schema import Invalid

DONE, FOUND, FAILED = 0, 1, 2
"""Nothing to report, something found, and not done or not known (the status of a wrong command line, too)."""


_QUIET = 2.0
"""Seconds after which progress is shown."""


class CommandError(Exception):
    """A command can't be done; the text names the option, what is wrong and what to do."""

    def __init__(self, text: str) -> None:
        super().__init__(sentence(text))


def read_text(option: str, path: str) -> str:
    """The text of a file that an option names; ``-`` is standard input."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CommandError(f"{option}: {error.strerror}: {error.filename}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{option}: {path} is not text in UTF-8. Name another file") from None


def read_authority(option: str, path: str) -> str:
    """The certificates in a file that an option names, in PEM."""
    try:
        return authority_pem(read_text(option, path))
    except Invalid as error:
        raise CommandError(f"{option}: {path} {error}. Name a file in PEM.") from None


class Progress:
    """A progress line, from two seconds on; nothing in CI and without a terminal.

    Args:
        stream: where the line is shown.
        verb: what is done, such as ``reading``.
        quiet: seconds until the line is shown.
    """

    def __init__(self, stream: TextIO, verb: str, *, quiet: float = _QUIET) -> None:
        self._stream, self._verb = stream, verb
        self._what, self._is_due = "", False
        self._lock = threading.Lock()
        self._timer = threading.Timer(quiet, self._begin)
        self._timer.daemon = True

    def __enter__(self) -> Progress:
        if self._stream.isatty() and not os.environ.get("CI"):
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the line."""
        self._timer.cancel()
        with self._lock:
            if self._is_due and self._what:
                self._write("")
            self._what = ""

    def show(self, what: str) -> None:
        """Show the current item."""
        with self._lock:
            self._what = what
            self._draw()

    def _begin(self) -> None:
        with self._lock:
            self._is_due = True
            self._draw()

    def _draw(self) -> None:
        if self._is_due and self._what:
            self._write(f"{self._verb} {self._what} …")

    def _write(self, text: str) -> None:
        self._stream.write(f"\r\033[K{text}")
        self._stream.flush()


class State:
    """The exported state of a stack: from a file, or from the CLI.

    Args:
        option: the flag that names the file.
        secrets: whether the secrets in it are needed in the clear; they stay in memory.
    """

    def __init__(self, option: str = "--state", *, secrets: bool = True) -> None:
        self.option = option
        self.command = ["pulumi", "stack", "export", *(["--show-secrets"] if secrets else [])]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add ``--stack`` and the flag of the file; at most one can be given."""
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--stack", help="which stack's state; default: the selected one of this folder")
        printed = f"what `{' '.join(self.command)}` printed; - is standard input"
        source.add_argument(self.option, dest="state", metavar="FILE", help=printed)

    def read(self, options: argparse.Namespace) -> Any:
        """The state that the command line names; raises :class:`CommandError`."""
        text = read_text(self.option, options.state) if options.state is not None else self._export(options.stack)
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            printed = " ".join(self.command)
            raise CommandError(
                f"{self.option}: this is not an exported stack. Give what `{printed}` prints"
            ) from None

    def _export(self, stack: str | None) -> str:
        command = [*self.command, *(["--stack", stack] if stack else [])]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise CommandError(f"pulumi: {error.strerror}: {error.filename}. Install the Pulumi CLI") from None
        if done.returncode:
            raise CommandError(f"--stack: {' '.join(self.command)} failed: {done.stderr.strip()}")
        return done.stdout
