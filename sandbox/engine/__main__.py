"""``python -m sandbox.engine COMMAND``."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import sys
from pathlib import Path
from typing import Any

from .config import STACK, load, read_yaml
from .deployment import Deployment, Provider, StoppedError
from .dynamic import DynamicProvider
from .program import run
from .report import Report
from .ssh import RemoteCommand
from .state import Resource, State
from .values import EngineError, Keyring, plain, secret


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.engine", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "preview", "refresh", "destroy", "export"):
        command = commands.add_parser(name, allow_abbrev=False)
        command.add_argument(
            "--program", type=Path, default=Path(), help="folder with Pulumi.yaml and __main__.py"
        )
        command.add_argument("--stack", required=True)
        command.add_argument("--config-file", type=Path, required=True, help="Pulumi.<stack>.yaml")
        command.add_argument("--state", type=Path, required=True, help="where the engine remembers the stack")
        if name == "export":
            command.add_argument("--show-secrets", action="store_true")
            continue
        command.add_argument("--json", action="store_true", help="the result on stdout, all else on stderr")
        command.add_argument("--expect-no-changes", action="store_true", help="fail when something changed")
        if name in ("up", "preview"):
            command.add_argument("--replace", action="append", default=[], metavar="URN")
            command.add_argument("--refresh", action="store_true", help="ask how things are first")
    return parser.parse_args(
        namespace=argparse.Namespace(json=False, expect_no_changes=False, replace=(), refresh=False)
    )


def main() -> int:
    """Run one command over one stack, and print what came of it."""
    options = arguments()
    report = Report(sys.stderr if options.json else sys.stdout, preview=options.command == "preview")
    outputs: dict[str, Any] = {}
    options.state.parent.mkdir(parents=True, exist_ok=True)
    with options.state.with_suffix(".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            outputs = plain(perform(options, report), "[secret]")
        except BlockingIOError:
            report.say("error", "the stack is currently locked: another engine works on it")
        except EngineError as error:
            report.say("error", str(error))
        except StoppedError:
            pass
    failed = any(one["severity"] == "error" for one in report.diagnostics)
    if options.expect_no_changes and not failed and report.changes.total() > report.changes["same"]:
        failed = True
        report.say("error", "no changes were expected but changes occurred")
    if options.command == "export":
        return failed
    for name, value in sorted(outputs.items()):
        report.print(f"    {name}: {value if isinstance(value, str) else json.dumps(value)}")
    report.print(report.summary())
    if options.json:
        print(json.dumps(report.result(outputs)))
    return failed


def perform(options: argparse.Namespace, report: Report) -> dict[str, Any]:
    """The command itself; returns the stack's outputs."""
    passphrase = os.environ.get("PULUMI_CONFIG_PASSPHRASE")
    if passphrase is None:
        raise EngineError("the passphrase must be set with PULUMI_CONFIG_PASSPHRASE")
    settings = read_yaml(options.config_file, STACK)
    salt = settings.get("encryptionsalt")
    keyring = Keyring(passphrase, salt)
    state = State(options.state, keyring, dry=report.preview)
    if options.command == "export":
        print(json.dumps(state.export() if options.show_secrets else keyring.seal(state.export()), indent=1))
        return {}
    program = options.program.resolve()
    config = load(program, options.stack, settings, keyring)
    report.masked = {config.values[key] for key in config.secrets if len(config.values[key]) > 2}
    for urn, kind in state.pending.items():
        report.say("warning", f"a run was interrupted while {kind} it", urn)
    dynamic: list[DynamicProvider] = []

    def provider(resource: Resource) -> Provider | None:
        if not resource.custom:
            return None
        if resource.type == "command:remote:Command":
            return RemoteCommand(report.progress)
        if not resource.type.startswith("pulumi-python:dynamic"):
            raise EngineError(f"the sandbox engine has no provider for the type {resource.type}")
        if not dynamic or dynamic[-1].config != state.config:
            dynamic.append(DynamicProvider(program, config.project, state.config, report.print))
        return dynamic[-1]

    deployment = Deployment(state, provider, report, options.replace)
    with contextlib.ExitStack() as closing:
        closing.callback(lambda: [one.close() for one in dynamic])
        if options.refresh or options.command == "refresh":
            deployment.refresh(count=options.command == "refresh")
        if options.command in ("up", "preview"):
            values = config.values.items()
            state.config = {key: secret(value) if key in config.secrets else value for key, value in values}
            run(program, options.stack, config, deployment)
        if options.command != "refresh" and not deployment.failed:
            deployment.remove_rest()
        state.save()
    return next((one.outputs for one in state.done + state.olds if one.type == "pulumi:pulumi:Stack"), {})


sys.exit(main())
