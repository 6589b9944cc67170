"""Runs single functions of the host steps, without the last line of a script, in the shells that hosts have."""

from __future__ import annotations

import subprocess

from nexus_registry.components.host import steps

from sandbox.packages import ensure

SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
FLAGS = (
    "--unit nexus --version 3.71.0-06 --install-root /opt/nexus --data-dir /srv/nexus --user nexus --group nexus"
    " --http-port 8081 --https-port 8443 --heap-mb 1000 --digest d --start-timeout 60 --fingerprint " + "ab" * 32
)
REQUIRED = (
    "unit version install-root data-dir user group http-port https-port heap-mb fingerprint digest start-timeout"
)


def run(shell: list[str], body: str, step: str = "service", secrets: dict[str, str] | None = None) -> str:
    """What the body prints, on both channels, with the step's functions at hand."""
    script = steps.stdin(step, secrets or {}).removesuffix(steps.START) + body
    done = subprocess.run([*shell, "-s"], input=script.encode(), capture_output=True, check=False)
    return done.stdout.decode() + done.stderr.decode()


def parse_everywhere(script: str) -> None:
    """Have every shell read it, without running anything; fails on what one does not understand."""
    ensure("busybox")
    for shell in SHELLS.values():
        subprocess.run([*shell, "-n", "-s"], input=script.encode(), check=True)


def shellcheck(script: str) -> str:
    """What shellcheck has to say."""
    ensure("shellcheck")
    return subprocess.run(
        ["shellcheck", "-s", "sh", "-"], input=script, capture_output=True, text=True, check=False
    ).stdout


def parsed(extra: str, body: str = ":") -> str:
    """The body after the service step's flags were read, with these at their end."""
    optional = "address context-path java-home privileged-ports"
    return f'parse "{REQUIRED}" "{optional}" property create {FLAGS} {extra}\n{body}\n'
