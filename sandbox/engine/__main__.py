"""``python -m sandbox.engine COMMAND``."""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from ..command import RemoteCommand
from ..stackfile import StackFile
from ..values import Props, UserError, plain, secret
from .deployment import Deployment
from .dynamic import DynamicProvider
from .program import References, run
from .report import Report
from .state import State
from .urn import STACK

FLAGS = {"export": ["show-secrets"], "destroy": ["json"], "refresh": ["json", "expect-no-changes"]}
FLAGS |= {name: ["json", "expect-no-changes", "refresh"] for name in ("up", "preview")}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.engine")
    parser.set_defaults(json=False, expect_no_changes=False, refresh=False, replace=[], target=[], reference=None)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, flags in FLAGS.items():
        command = commands.add_parser(name, allow_abbrev=False)
        command.add_argument("--program", type=Path, default=Path(), help="folder of Pulumi.yaml and __main__.py")
        command.add_argument("--stack", required=True)
        command.add_argument("--config-file", type=Path, required=True, help="the stack's Pulumi.<stack>.yaml")
        command.add_argument("--state", type=Path, required=True, help="the file in which the stack is remembered")
        for flag in flags:
            command.add_argument(f"--{flag}", action="store_true")
        if "refresh" in flags:
            command.add_argument("--replace", action="append", metavar="URN", default=[])
            command.add_argument("--reference", action="append", nargs=3, metavar=("NAME", "STATE", "CONFIG"))
        if name != "export":
            command.add_argument("--target", action="append", metavar="URN", default=[])
    return parser.parse_args()


def main() -> int:
    """Run one command on one stack, and print the result."""
    options, outputs = arguments(), {}
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # end at once: the state records when each step begins and ends
    report = Report(sys.stderr if options.json else sys.stdout, preview=options.command == "preview")
    options.state.parent.mkdir(parents=True, exist_ok=True)
    with options.state.with_suffix(".lock").open("w") as lock, contextlib.redirect_stdout(sys.stderr):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            outputs = perform(options, report)
        except BlockingIOError:
            report.fail("the stack is currently locked: another engine works on it")
        except UserError as error:
            if not report.failed:
                report.fail(str(error))
    if options.expect_no_changes and not report.failed and set(report.done) - {"same"}:
        report.fail("no changes were expected but changes occurred")
    result = outputs if options.command == "export" else report.finish(plain(outputs, "[secret]"))
    if options.json or options.command == "export":
        print(json.dumps(result, indent=1))
    return report.failed


def perform(options: argparse.Namespace, report: Report) -> Any:
    """The command itself; returns the stack's outputs, or the whole state for an export."""
    program, command, dynamic = options.program.resolve(), options.command, list[DynamicProvider]()
    stack_file = StackFile(options.config_file, os.environ.get("PULUMI_CONFIG_PASSPHRASE", ""))
    state = State(options.state, stack_file.keyring, dry=report.preview)
    if command == "export":
        return state.export(show_secrets=options.show_secrets)
    config = stack_file.load(program, options.stack)
    report.masked = {config.values[key] for key in config.secrets if len(config.values[key]) > 2}
    for urn, op in state.pending.items():
        report.say("warning", f"a run was interrupted while this was under way: {op}", urn)

    def provider(kind: str) -> DynamicProvider | RemoteCommand:
        if kind == "command:remote:Command":
            return RemoteCommand(report.print)
        if not kind.startswith("pulumi-python:dynamic"):
            raise UserError(f"the sandbox engine has no provider for the type {kind}")
        if not dynamic or dynamic[-1].config != state.config:
            dynamic.append(DynamicProvider(program, config.project, state.config, report.print))
        return dynamic[-1]

    deployment = Deployment(state, provider, report, options.replace, options.target)
    try:
        if options.refresh or command == "refresh":
            deployment.refresh()
        if command in ("up", "preview"):
            report.done.clear()  # the refresh before an up is not counted
            values = config.values.items()
            state.config = {key: secret(value) if key in config.secrets else value for key, value in values}
            run(program, options.stack, config, deployment, references(options.reference or ()))
        if command != "refresh" and not report.failed:
            missing = deployment.missing_targets()
            deployment.remove_rest()
            for text in missing:
                report.fail(text)
        for root in (one for one in state.done if report.failed and one.type == STACK):
            root.outputs = deployment.exported | root.outputs
    finally:
        state.save()
        for one in dynamic:
            one.host.terminate()
    return next((one.outputs for one in state.done + state.olds if one.type == STACK), {})


def references(given: Iterable[tuple[str, str, str]]) -> References:
    """The outputs of other stacks, each by its name, its state and the file with its configuration."""

    def outputs(state: str, config_file: str) -> Props:
        keyring = StackFile(Path(config_file), os.environ.get("PULUMI_CONFIG_PASSPHRASE", "")).keyring
        resources = State(Path(state), keyring, dry=True).olds
        return next((one.outputs for one in resources if one.type == STACK), {})

    return {name: partial(outputs, state, config_file) for name, state, config_file in given}


sys.exit(main())
