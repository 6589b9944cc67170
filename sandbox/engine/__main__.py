"""``python -m sandbox.engine COMMAND``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from . import program as programs
from .config import STACK_KEYS, load, read_yaml
from .crypto import Keyring
from .deployment import Deployment, StoppedError
from .dynamic import DynamicProvider, Provider
from .report import Report
from .ssh import RemoteCommand
from .state import Resource, State, locked
from .values import EngineError, Props, plain, secret


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.engine", allow_abbrev=False)
    parser.add_argument("command", choices=["up", "preview", "refresh", "destroy", "export"])
    parser.add_argument("--program", type=Path, default=Path(), help="folder with Pulumi.yaml and __main__.py")
    parser.add_argument("--stack", required=True, help="the stack's name")
    parser.add_argument("--config-file", type=Path, required=True, help="the stack's configuration")
    parser.add_argument("--state", type=Path, required=True, help="where the engine remembers the stack")
    parser.add_argument("--json", action="store_true", help="print the result as JSON, all else to standard error")
    parser.add_argument("--replace", action="append", default=[], metavar="URN", help="up, preview: replace it")
    parser.add_argument("--refresh", action="store_true", help="up, preview: first ask how things are")
    parser.add_argument("--expect-no-changes", action="store_true", help="fail when something changed")
    parser.add_argument("--show-secrets", action="store_true", help="export: secrets in the clear")
    options = parser.parse_args()
    if options.command not in ("up", "preview") and (options.replace or options.refresh):
        parser.error(f"{options.command} has no --replace and --refresh")
    if options.command != "export" and options.show_secrets:
        parser.error("only export has --show-secrets")
    return options


class Providers:
    """The providers of a run, started when they are first needed."""

    def __init__(self, folder: Path, project: str, state: State, report: Report) -> None:
        self._folder, self._project, self._state, self._report = folder, project, state, report
        self._dynamic: DynamicProvider | None = None

    def __call__(self, resource: Resource) -> Provider | None:
        """The provider of this resource; a component has none."""
        if not resource.custom:
            return None
        if resource.type.startswith("pulumi-python:dynamic"):
            if not self._dynamic or self._dynamic.config is not self._state.config:
                self.close()
                config = self._state.config or {}
                self._dynamic = DynamicProvider(self._folder, self._project, config, self._report.say)
            return self._dynamic
        if resource.type == "command:remote:Command":
            return RemoteCommand(self._report)
        raise EngineError(f"the sandbox engine has no provider for resources of the type {resource.type}")

    def close(self) -> None:
        """End them."""
        if self._dynamic:
            self._dynamic.close()


def main() -> int:
    """Run one command over one stack."""
    options = arguments()
    out = sys.stderr if options.json else sys.stdout
    preview = options.command == "preview"
    report = Report(out, preview=preview)
    outputs: Props = {}
    try:
        passphrase = os.environ["PULUMI_CONFIG_PASSPHRASE"]
        with locked(options.state):
            outputs = command(options, report, passphrase, preview=preview)
    except KeyError:
        report.diagnose("error", "the passphrase must be set in PULUMI_CONFIG_PASSPHRASE")
    except EngineError as error:
        report.diagnose("error", str(error))
    except StoppedError:
        pass
    if options.expect_no_changes and not report.errors and sum(report.changes.values()) > report.changes["same"]:
        report.diagnose("error", "no changes were expected but changes occurred")
    if options.command != "export":
        for name, value in sorted(plain(outputs, "[secret]").items()):
            report.say(f"    {name}: {value if isinstance(value, str) else json.dumps(value)}")
        report.say(report.summary())
        if options.json:
            print(json.dumps(report.result(outputs)))
    return 1 if report.errors else 0


def command(options: argparse.Namespace, report: Report, passphrase: str, *, preview: bool) -> Props:
    """The command itself; returns the stack's outputs."""
    folder, stack = options.program.resolve(), options.stack
    settings = read_yaml(options.config_file, STACK_KEYS) if options.config_file.exists() else {}
    salts = settings.get("encryptionsalt"), State.salt(options.state)
    rings = {salt: Keyring(passphrase, salt) for salt in {salt for salt in salts if salt} or {None}}
    keyring = rings.get(salts[0]) or next(iter(rings.values()))
    state = State(options.state, rings.get(salts[1]) or keyring, dry=preview)
    if options.command == "export":
        print(json.dumps(state.export(sealed=not options.show_secrets), indent=1))
        return {}
    config = load(folder, stack, settings, keyring)
    report.masked = {config.values[key] for key in config.secrets if len(config.values[key]) > 2}
    for urn, kind in state.pending.items():
        report.diagnose("warning", f"a run was interrupted while {kind} it", urn)
    providers = Providers(folder, config.project, state, report)
    deployment = Deployment(
        state,
        providers,
        report,
        preview=preview,
        replace=options.replace,
        parallel=min(16, 4 * (os.cpu_count() or 1)),
    )
    try:
        if options.refresh or options.command == "refresh":
            state.pending = {}
            deployment.refresh(count=options.command == "refresh")
        monitor = None
        if options.command in ("up", "preview"):
            known = {key: secret(value) if key in config.secrets else value for key, value in config.values.items()}
            state.config = known if known != state.config else state.config
            monitor = programs.run(folder, stack, config, deployment, preview=preview)
        if options.command != "refresh":
            if not report.errors:
                deployment.remove_rest()
        state.save()
    finally:
        providers.close()
    if monitor and monitor.outputs is not None:
        return monitor.outputs
    roots = [entry for entry in state.done + state.olds if entry.type == programs.STACK]
    return roots[0].outputs if roots else {}


sys.exit(main())
