"""Stacks of somebody else's programs, the examples, on a server that is there already."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from sandbox.paths import PROJECT
from sandbox.stack import Stack, open_stack

from .server import Nexus


def consumer_stack(server: Nexus, folder: Path, engine: str | None = None) -> Stack:
    """The stack of the example ``existing-server``, on the engine that ``open_stack`` takes."""
    return example_stack(
        "existing-server", server, folder, engine, port=server.connector_port(), ci_password="ci-secret-1"
    )


def example_stack(name: str, server: Nexus, folder: Path, engine: str | None = None, **settings: Any) -> Stack:
    """An example's stack in ``folder``, configured for this server; settings with ``password`` are secrets."""
    program = folder / "program"
    shutil.copytree(PROJECT / "examples" / name, program)
    (program / ".venv").symlink_to(sys.prefix)
    stack = open_stack(engine, program=program, name="dev", work=folder / "work", passphrase="right")
    stack.set_config("hostname", "localhost")
    for key, value in settings.items():
        stack.set_config(key, value, secret="password" in key)
    stack.set_config("nexus-registry:url", server.https_url.replace("127.0.0.1", "localhost"))
    stack.set_config("nexus-registry:ca", server.authority.certificate_pem)
    stack.set_config("nexus-registry:password", server.password, secret=True)
    return stack
