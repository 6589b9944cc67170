"""``nexus-registry doctor --host``: reports what differs on the host from what the steps left.

A remote command has no read, so ``pulumi refresh`` does not detect changes by hand on the host. The steps' own
command lines and secrets, from the state, are sent again with components/host/doctor.sh in place of the steps; it
changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources

from .ssh import NoConnection, run
from .state import Step

NOTHING, FOUND, UNKNOWN = 0, 1, 2
REMEDY = "set nexus-registry:repair to a new value and run pulumi up"
_FINDING, _EXAMINED = "nexus-registry finding: ", "nexus-registry examined: "
"""What doctor.sh puts before its lines; a login shell may print others."""
FILES = ("lib", "units", "paths", "jetty", "properties", "unit", "start", "selinux", "firewall", "doctor")
"""The files that are sent: the functions of the steps, and those that compare."""


@dataclass
class Report:
    """The differences, and the steps that could not be examined with the reason; one line each."""

    findings: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        return UNKNOWN if self.unknown else FOUND if self.findings else NOTHING


def examine(steps: Sequence[Step]) -> Report:
    """Examine each step on its host. A host that can't be reached is tried once."""
    report, silent = Report(), set[str]()
    for step in steps:
        if step.host in silent:
            continue
        try:
            done = run(step.connection, step.line("doctor"), stdin(step))
        except NoConnection as error:
            silent.add(step.host)
            report.unknown.append(f"{step.host}: {error}")
            continue
        lines = done.stdout.splitlines()
        found = [line.removeprefix(_FINDING) for line in lines if line.startswith(_FINDING)]
        report.findings += [f"{step.host}: {line}: {REMEDY}" for line in found]
        if not done.returncode and f"{_EXAMINED}{step.kind}" not in lines:
            report.unknown.append(f"{step.host}: {step.name}: the login shell did not run what was sent")
        if done.returncode:
            message = (done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"])[-1]
            if done.returncode == 255:  # ssh's own
                silent.add(step.host)
                hint = _host_key_hint(step) if "verification" in message else ""
                report.unknown.append(f"{step.host}: {message}{hint}")
            else:
                report.unknown.append(f"{step.host}: {step.name}: {message}")
    return report


def _host_key_hint(step: Step) -> str:
    if step.connection.get("hostKey"):
        return (
            ": ssh_host_key is another key than the host shows: find out why, and if the host was installed anew, "
            "set its new key and run pulumi up"
        )
    return ": set ssh_host_key, or sign in once by hand"


def stdin(step: Step) -> str:
    """What the step's shell reads in place of the step."""
    folder = resources.files("nexus_registry.components.host")
    files = "".join(folder.joinpath(f"{part}.sh").read_text(encoding="utf-8") for part in FILES)
    return f'{step.secrets}{files}doctor {step.kind} "$@" </dev/null\n'
