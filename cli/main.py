"""The command line of ``nexus-registry``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

from ..providers.errors import NexusError
from . import audit, doctor, export, init, summary
from .command import FAILED, CommandError

INTERRUPTED = 130
"""As a shell reports a program that Ctrl-C ended."""
COMMANDS: Mapping[str, ModuleType] = {
    "doctor": doctor,
    "export": export,
    "init": init,
    "summary": summary,
    "audit": audit,
}
"""By name: modules with ``HELP``, ``DESCRIPTION``, ``add_arguments`` and ``run``; this returns the exit status."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; 2 also for a wrong command line."""
    parser = argparse.ArgumentParser(prog="nexus-registry")
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")
    for name, module in COMMANDS.items():
        module.add_arguments(commands.add_parser(name, help=module.HELP, description=module.DESCRIPTION))
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that is not UTF-8 lacks some characters
            stream.reconfigure(errors="backslashreplace")
    try:
        status: int = COMMANDS[options.command].run(options)
        sys.stdout.flush()
    except (CommandError, NexusError) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    except BrokenPipeError:  # the program that reads the output has ended, such as head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except EOFError:
        sys.stderr.write(
            "--no-input: standard input has ended before every question. Give the answers as flags.\n"
        )
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return status
