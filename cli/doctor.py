"""``nexus-registry doctor``: shows what is wrong with a registry, or on the host.

A registry is examined in :mod:`.registry`, the host here. A remote command has no read, so ``pulumi refresh`` does
not detect changes by hand on the host. The steps' own command lines and secrets, from the state, are sent again
with components/host/doctor.sh in place of the steps; it changes nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import resources

from ..components.host.sent import SentStep
from ..providers.errors import sentence
from . import registry, ssh
from .command import DONE, FAILED, FOUND, CommandError, Progress, State
from .state import Step, steps_in

HELP = "show what is wrong with a registry, or what is no longer as the stack left it on the host"
DESCRIPTION = (
    "With URL: show what is wrong with a registry, as its clients see it; NEXUS_USERNAME and NEXUS_PASSWORD log "
    "in. With --host: show what is no longer as the stack left it on the host. Changes nothing. Exit status: 0 "
    "nothing found, 1 something found, 2 can't tell."
)
_STATE = State()
REMEDY = "Set nexus-registry:repair to a new value and run pulumi up."
_FINDING, _EXAMINED = "nexus-registry finding: ", "nexus-registry examined: "
"""What doctor.sh puts before its lines; a login shell may print others."""
FILES = (
    *("lib", "ports", "units", "paths", "java", "jetty", "properties", "unit", "start", "selinux", "firewall"),
    "doctor",
)
"""The files that are sent: the functions of the steps, and those that compare."""


@dataclass
class Report:
    """The differences, and the steps that could not be examined with the reason; one line each."""

    findings: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        return FAILED if self.unknown else FOUND if self.findings else DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    registry.add_arguments(parser)
    parser.add_argument(
        "--host",
        action="store_true",
        help="on the host, which a refresh can't see: account, files, keystore, unit, service",
    )
    _STATE.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print what is found and return the exit status."""
    if not options.host:
        return registry.run(options)
    if options.url or options.json:
        raise CommandError("--host: can't be combined with URL or --json. Leave them out, or leave --host out")
    steps = steps_in(_STATE.read(options))
    with Progress(sys.stderr, "examining") as progress:
        report = examine(steps, progress.show)
    sys.stdout.writelines(f"{line}\n" for line in report.findings)
    sys.stderr.writelines(f"can't tell: {sentence(line)}\n" for line in report.unknown)
    if report.status == DONE:
        hosts = ", ".join(sorted({step.host for step in steps}))
        sys.stdout.write(f"nothing found: what {len(steps)} steps did on {hosts} is as they left it\n")
    return report.status


def examine(steps: Sequence[Step], progress: Callable[[str], object] = lambda _: None) -> Report:
    """Examine each step on its host. A host that can't be reached is tried once."""
    report, silent = Report(), set[tuple[str, int]]()
    for step in steps:
        if step.address in silent:
            continue
        progress(f"{step.host}: {step.name}")
        try:
            done = ssh.run(step.connection, step.sent.line("doctor"), stdin(step.sent))
        except ssh.NoConnection as error:
            silent.add(step.address)
            report.unknown.append(f"{step.host}: {error}")
            continue
        lines = done.stdout.splitlines()
        found = [line.removeprefix(_FINDING) for line in lines if line.startswith(_FINDING)]
        report.findings += [f"{step.host}: {line}. {REMEDY}" for line in found]
        if not done.returncode and f"{_EXAMINED}{step.sent.step}" not in lines:
            report.unknown.append(f"{step.host}: {step.name}: the login shell did not run what was sent")
        if done.returncode:
            message = (done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"])[-1]
            if done.returncode == 255:  # ssh's own
                silent.add(step.address)
                hint = _host_key_hint(step) if "verification" in message else ""
                report.unknown.append(f"{step.host}: {sentence(message)}{hint}")
            else:
                report.unknown.append(f"{step.host}: {step.name}: {message}")
    return report


def _host_key_hint(step: Step) -> str:
    if step.connection.get("hostKey"):
        return (
            " ssh_host_key is another key than the host shows. Find out why; if the host was installed again, "
            "set its new key and run pulumi up"
        )
    return " Set ssh_host_key, or sign in once by hand"


def stdin(sent: SentStep) -> str:
    """What the step's shell reads in place of the step."""
    folder = resources.files("nexus_registry.components.host")
    files = "".join(folder.joinpath(f"{part}.sh").read_text(encoding="utf-8") for part in FILES)
    return f'{sent.secrets}{files}doctor {sent.step} "$@" </dev/null\n'
