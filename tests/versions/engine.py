"""Stacks of short programs on the server of the contract tests."""

from __future__ import annotations

from pathlib import Path

from sandbox.stack import Stack
from tests.contract.server import Nexus
from tests.lifecycle.conftest import fake_server_stack


def server_stack(engine: str, folder: Path, text: str, nexus: Nexus) -> Stack:
    """A stack of the program with this text."""
    program = folder / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: short\nruntime: {name: python, options: {virtualenv: .venv}}\n")
    (program / "__main__.py").write_text(text)
    stack = fake_server_stack(engine, program, folder / "work", nexus.url)
    stack.set_config("nexus-registry:password", nexus.password, secret=True)
    return stack


def comes_up_and_stays(stack: Stack) -> None:
    """An ``up``, after which neither a preview nor a refresh finds a change."""
    done = stack.up()
    assert done.ok, f"{done.error}\n{done.stdout[-3000:]}"
    for again in (stack.preview(expect_no_changes=True), stack.refresh(expect_no_changes=True)):
        assert again.ok, f"{again.error}\n{again.stdout[-3000:]}"
