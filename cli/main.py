"""The command line of ``nexus-registry``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .doctor import NOTHING, UNKNOWN, examine
from .state import Unreadable, steps_in
from .summary import LIMITS, render, summarize

_EXPORT = ("pulumi", "stack", "export", "--show-secrets")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0: nothing found, 1: something found, 2: can't tell (or the command line is wrong)."""
    asked = _parser().parse_args(arguments)
    if asked.command == "summary":
        return _summary(asked.file, asked.format)
    try:
        steps = steps_in(_export(asked.state, asked.stack))
    except Unreadable as error:
        sys.stderr.write(f"{error}\n")
        return UNKNOWN
    report = examine(steps)
    sys.stdout.writelines(f"{line}\n" for line in report.findings)
    sys.stderr.writelines(f"can't tell: {line}\n" for line in report.unknown)
    if report.status == NOTHING:
        hosts = ", ".join(sorted({step.host for step in steps}))
        sys.stdout.write(f"nothing found: what {len(steps)} steps did on {hosts} is as they left it\n")
    return report.status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nexus-registry")
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")
    doctor = commands.add_parser(
        "doctor",
        help="show what is no longer as the stack left it",
        description="Show what is no longer as the stack left it. Changes nothing. Exit status: 0 nothing found, "
        "1 something found, 2 can't tell.",
    )
    doctor.add_argument(
        "--host",
        action="store_true",
        required=True,
        help="on the host, which a refresh can't see: account, files, keystore, unit, service",
    )
    source = doctor.add_mutually_exclusive_group()
    source.add_argument("--stack", help="which stack's state; default: the selected one of this folder")
    source.add_argument(
        "--state", metavar="FILE", help="what `pulumi stack export --show-secrets` printed; - is standard input"
    )
    summary = commands.add_parser(
        "summary",
        help="turn a preview into Markdown for a review",
        description="Turn what `pulumi preview --json` prints into Markdown for a review. Exit status: 0 done, "
        "1 the preview itself has errors, 2 the input can't be read.",
    )
    summary.add_argument("file", nargs="?", default="-", help="the preview's JSON; default: standard input")
    summary.add_argument("--format", choices=[*LIMITS, "json"], default="markdown", help="default: markdown")
    return parser


def _summary(file: str, form: str) -> int:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        found = summarize(json.loads(text), datetime.now(timezone.utc))
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"file: {error}\n")
        return UNKNOWN
    sys.stdout.write(f"{json.dumps(asdict(found))}\n" if form == "json" else render(found, LIMITS[form]))
    return 1 if found.errors else 0


def _export(file: str | None, stack: str | None) -> Any:
    """The exported state, from a file or from the CLI; its secrets stay in memory."""
    try:
        if file is None:
            command = [*_EXPORT, *(["--stack", stack] if stack else [])]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Unreadable(f"--stack: {' '.join(_EXPORT)} failed: {done.stderr.strip()}")
            text = done.stdout
        else:
            text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        what = "--state" if file else "pulumi"
        raise Unreadable(f"{what}: {error.strerror}: {error.filename}") from None
    except ValueError:
        raise Unreadable(
            "--state: this is no exported stack: give what `pulumi stack export --show-secrets` prints"
        ) from None
