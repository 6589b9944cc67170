"""The command line of ``nexus-registry``."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import export
from .audit import as_json, audit
from .doctor import FOUND, NOTHING, UNKNOWN, examine
from .init import add_arguments, init
from .markdown import LIMITS, render
from .registry import add_arguments as add_registry_arguments
from .registry import examine as examine_registry
from .registry import request as registry_request
from .state import Unreadable, steps_in
from .summary import summarize

_STATE = ("pulumi", "stack", "export")
_EXPORT = (*_STATE, "--show-secrets")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0: no difference, 1: differences, 2: not known (or a wrong command line)."""
    options = _parser().parse_args(arguments)
    if options.command == "summary":
        return _summary(options.file, options.format, options.name)
    if options.command == "audit":
        return _audit(options)
    if options.command == "export":
        return export.run(options, lambda: _export(options.state, options.stack))
    if options.command == "init":
        return init(options)
    if options.url or not options.host:
        return _registry(options)
    try:
        steps = steps_in(_export(options.state, options.stack))
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
        help="show what is wrong with a registry, or what is no longer as the stack left it on the host",
        description="With URL: show what is wrong with a registry, as its clients see it; NEXUS_USERNAME and "
        "NEXUS_PASSWORD log in. With --host: show what is no longer as the stack left it on the host. Changes "
        "nothing. Exit status: 0 nothing found, 1 something found, 2 can't tell.",
    )
    add_registry_arguments(doctor)
    doctor.add_argument(
        "--host",
        action="store_true",
        help="on the host, which a refresh can't see: account, files, keystore, unit, service",
    )
    _add_state(doctor)
    exports = commands.add_parser(
        "export",
        help="write a program that declares what a server has, or show what a stack does not manage",
        description=export.DESCRIPTION,
    )
    export.add_arguments(exports)
    _add_state(exports)
    add_arguments(
        commands.add_parser(
            "init",
            help="write the configuration of a new stack",
            description="Write the configuration of a new stack: ask for what no flag gives, fetch and show the "
            "host key, generate the passwords, and validate everything first. Run it in the project folder. "
            "Exit status: 0 written, 2 refused.",
        )
    )
    summary = commands.add_parser(
        "summary",
        help="turn a preview into Markdown for a review",
        description="Turn what `pulumi preview --json` prints into Markdown for a review. Exit status: 0 done, "
        "1 the preview itself has errors, 2 the input can't be read.",
    )
    summary.add_argument(
        "file", nargs="?", default="-", metavar="FILE", help="the preview's JSON; default: standard input"
    )
    summary.add_argument("--format", choices=[*LIMITS, "json"], default="markdown", help="default: markdown")
    summary.add_argument("--name", help="what is previewed, for title and marker; default: <project>/<stack>")
    audit_ = commands.add_parser(
        "audit",
        help="check a stack's state against the rules of nexus_registry.policy",
        description="Check a stack's state against the rules of nexus_registry.policy. Exit status: 0 no "
        "mandatory rule is broken, 1 one is, 2 can't tell.",
    )
    origin = audit_.add_mutually_exclusive_group()
    origin.add_argument("--stack", help="which stack's state; default: the selected one of this folder")
    origin.add_argument("--file", help="what `pulumi stack export` printed; - is standard input")
    audit_.add_argument(
        "--config", metavar="FILE", help="settings of the rules in JSON, as for --policy-pack-config"
    )
    audit_.add_argument("--json", action="store_true", help="print the violations as JSON")
    return parser


def _add_state(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--stack", help="which stack's state; default: the selected one of this folder")
    source.add_argument(
        "--state", metavar="FILE", help="what `pulumi stack export --show-secrets` printed; - is standard input"
    )


def _audit(options: argparse.Namespace) -> int:
    try:
        config = json.loads(Path(options.config).read_text(encoding="utf-8")) if options.config else {}
        found = audit(_export(options.file, options.stack, "--file", _STATE), config)
    except OSError as error:
        sys.stderr.write(f"--config: {error.strerror}: {error.filename}\n")
        return UNKNOWN
    except Unreadable as error:
        sys.stderr.write(f"{error}\n")
        return UNKNOWN
    except ValueError as error:
        sys.stderr.write(f"--config: {error}\n")
        return UNKNOWN
    lines = [f"{one.level}: {one.urn.rpartition('::')[2]}: {one.message} ({one.rule})" for one in found]
    sys.stdout.write(f"{as_json(found)}\n" if options.json else "".join(f"{line}\n" for line in lines))
    return FOUND if any(one.level == "mandatory" for one in found) else NOTHING


def _summary(file: str, form: str, name: str | None) -> int:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        found = summarize(json.loads(text), datetime.now(timezone.utc))
        found.stack = name or found.stack
    except OSError as error:
        sys.stderr.write(f"FILE: {error.strerror}: {error.filename}\n")
        return UNKNOWN
    except (ValueError, KeyError, TypeError, AttributeError):
        sys.stderr.write("FILE: this is no preview. Give what `pulumi preview --json` prints.\n")
        return UNKNOWN
    sys.stdout.write(f"{json.dumps(found.as_dict())}\n" if form == "json" else render(found, LIMITS[form]))
    return 1 if found.errors else 0


def _registry(options: argparse.Namespace) -> int:
    try:
        request = registry_request(options, os.environ)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return UNKNOWN
    found = list(examine_registry(request, lambda line: sys.stderr.write(f"{line} …\n")))
    if options.json:
        sys.stdout.write(json.dumps([vars(one) for one in found]) + "\n")
    else:
        sys.stdout.writelines(f"{one.text}. {one.remedy}. ({one.code})\n" for one in found)
        if not found:
            sys.stdout.write(f"nothing found: {request.url} works\n")
    return FOUND if found else NOTHING


def _export(file: str | None, stack: str | None, option: str = "--state", command: Sequence[str] = _EXPORT) -> Any:
    """The exported state, from a file or from the CLI; its secrets stay in memory."""
    try:
        if file is None:
            argv = [*command, *(["--stack", stack] if stack else [])]
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Unreadable(f"--stack: {' '.join(command)} failed: {done.stderr.strip()}")
            text = done.stdout
        else:
            text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        what = option if file else "pulumi"
        raise Unreadable(f"{what}: {error.strerror}: {error.filename}") from None
    except ValueError:
        raise Unreadable(f"{option}: this is no exported stack: give what `{' '.join(command)}` prints") from None
