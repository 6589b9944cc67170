"""A stack of somebody else's program: the example on a server that is there already."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from sandbox.paths import PROJECT
from sandbox.stack import Stack, open_stack

from .server import Nexus


def consumer_stack(server: Nexus, folder: Path, engine: str | None = None) -> Stack:
    """The example's stack in ``folder``, configured for this server, on the engine that ``open_stack`` takes."""
    program = folder / "program"
    shutil.copytree(PROJECT / "examples/existing-server", program)
    (program / ".venv").symlink_to(sys.prefix)
    stack = open_stack(engine, program=program, name="dev", work=folder / "work", passphrase="right")
    stack.set_config("hostname", "localhost")
    stack.set_config("port", server.connector_port())
    stack.set_config("ci_password", "ci-secret-1", secret=True)
    stack.set_config("nexus-registry:url", server.https_url.replace("127.0.0.1", "localhost"))
    stack.set_config("nexus-registry:ca", server.authority.certificate_pem)
    stack.set_config("nexus-registry:password", server.password, secret=True)
    return stack
