"""The command line of ``nexus-registry``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

from ..providers.errors import NexusError
from . import audit, doctor, export, init, summary
from .command import FAILED, CommandError


class Command(Protocol):
    """What a module with a command has; ``run`` returns the exit status."""

    HELP: str
    DESCRIPTION: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, options: argparse.Namespace) -> int: ...


COMMANDS: Mapping[str, Command] = {
    "doctor": doctor,
    "export": export,
    "init": init,
    "summary": summary,
    "audit": audit,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; 2 also for a wrong command line."""
    parser = argparse.ArgumentParser(prog="nexus-registry")
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")
    for name, module in COMMANDS.items():
        module.add_arguments(commands.add_parser(name, help=module.HELP, description=module.DESCRIPTION))
    options = parser.parse_args(arguments)
    try:
        return COMMANDS[options.command].run(options)
    except (CommandError, NexusError) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
