"""Stacks of the examples on an existing server."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.paths import PROJECT
from sandbox.stack import PulumiStack, Stack, open_stack

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


@contextmanager
def another_machine(stack: Stack, folder: Path) -> Iterator[tuple[Stack, dict[str, str]]]:
    """The stack and the environment on another machine, for as long as the block lasts.

    The backend is shared. The program, the package and the home directory are copies in ``folder``, and the
    program is gone from where the stack was created.
    """
    package = folder / "package/nexus_registry"
    for part in ("components", "providers"):
        shutil.copytree(PROJECT / part, package / part, ignore=shutil.ignore_patterns("__pycache__"))
    work = folder / "work"
    shutil.copytree(stack.work / "config", work / "config")
    (work / "state").symlink_to(stack.state_file.parents[3 if isinstance(stack, PulumiStack) else 0])
    away = folder / "checkout"
    stack.program.rename(away)
    try:
        engine = "pulumi" if isinstance(stack, PulumiStack) else "sandbox"
        other = open_stack(engine, program=away, name=stack.name, work=work, passphrase=stack.passphrase)
        yield (
            other,
            {"HOME": str(folder / "home"), "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": ""},
        )
    finally:
        away.rename(stack.program)
    assert list(package.rglob("*.pyc")), "the copy of the package was not used"
