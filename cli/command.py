"""What the commands share: exit statuses, the error that ends one, and a stack's state as an argument."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..providers.authority import authority_pem
from ..providers.schema import Invalid

DONE, FOUND, FAILED = 0, 1, 2
"""Nothing to report, something found, and not done or not known (the status of a wrong command line, too)."""


class CommandError(Exception):
    """A command can't be done; the text names the option, what is wrong and what to do."""


def read_text(option: str, path: str) -> str:
    """The text of a file that an option names; ``-`` is standard input."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{option}: {error.strerror}: {error.filename}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{option}: {path} is no text in UTF-8") from None


def read_authority(option: str, path: str) -> str:
    """The certificates in a file that an option names, in PEM."""
    try:
        return authority_pem(read_text(option, path))
    except Invalid as error:
        raise CommandError(f"{option}: {path} {error}. Name a file in PEM.") from None


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
        except ValueError:
            printed = " ".join(self.command)
            raise CommandError(f"{self.option}: this is no exported stack. Give what `{printed}` prints") from None

    def _export(self, stack: str | None) -> str:
        command = [*self.command, *(["--stack", stack] if stack else [])]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise CommandError(f"pulumi: {error.strerror}: {error.filename}") from None
        if done.returncode:
            raise CommandError(f"--stack: {' '.join(self.command)} failed: {done.stderr.strip()}")
        return done.stdout
