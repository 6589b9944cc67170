"""`nexus-registry doctor --host` for a server on a sandbox host, as for a stack that declares it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from nexus_registry.components.host import steps

from sandbox.values import SECRET, SIGNATURE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.host.steps import Server

STEPS = ("prepare", "account", "archive", "keystore", "service")
REMEDY = ". Set nexus-registry:repair to a new value and run pulumi up."


def hidden(value: Any) -> dict[str, Any]:
    """A secret, as `pulumi stack export --show-secrets` prints it."""
    return {SIGNATURE: SECRET, "plaintext": json.dumps(value)}


def exported(server: Server) -> str:
    """The state of a stack with this server."""
    host = server.host
    connection = {
        "host": host.address,
        "port": float(host.ssh_port),
        "user": "root",
        "privateKey": (host.folder / "id_ed25519").read_text(),
        "hostKey": (host.folder / "known_hosts").read_text().splitlines()[0].partition(" ")[2],
    }
    resources = [
        {
            "urn": f"urn:pulumi:dev::nexus-registry::command:remote:Command::nexus-{step}",
            "type": "command:remote:Command",
            "inputs": {
                "connection": hidden(connection),
                "create": steps.command("create", server.flags(step)),
                "stdin": hidden(steps.stdin(step, server.secrets(step))),
            },
        }
        for step in STEPS
    ]
    return json.dumps({"version": 3, "deployment": {"resources": resources}})


def doctor(server: Server, folder: Path) -> tuple[int, list[str]]:
    """The exit status and the findings, each with its remedy."""
    done = subprocess.run(
        [sys.executable, "-m", "nexus_registry.cli", "doctor", "--host", "--state", "-"],
        input=exported(server),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TMPDIR": str(folder)},
    )
    assert not list(folder.iterdir()), "the private key must not stay"
    for secret in (server.admin_password, server.store.password, server.store.content):
        assert secret not in done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert done.stderr == ""
    assert done.returncode != 1 or all(line.endswith(REMEDY) for line in lines)
    return done.returncode, lines
