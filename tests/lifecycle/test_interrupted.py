"""A run that is killed, and two runs at once, on the sandbox's engine."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from sandbox.paths import PROJECT
from sandbox.stack import SandboxStack

from .conftest import PASSPHRASE, Lab, thing
from .test_lifecycle import NONE

if TYPE_CHECKING:
    from pathlib import Path


def test_a_killed_run_is_remembered_and_the_next_goes_on(tmp_path: Path) -> None:
    lab = Lab("sandbox", tmp_path)
    lab.things(thing("a"), thing("b", seconds=60, options={"depends_on": ["a"]}))
    assert isinstance(lab.stack, SandboxStack)
    env = os.environ | {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
    run = subprocess.Popen(lab.stack.command_line("up"), cwd=PROJECT, env=env, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while ["create", "b"] not in [call[:2] for call in lab.server["calls"]]:
            assert time.monotonic() < deadline, "the second thing was not reached"
            time.sleep(0.1)
        second = lab.stack.up()
        assert second.error == "the stack is currently locked: another engine works on it"
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()

    lab.things(thing("a"), thing("b", options={"depends_on": ["a"]}))
    assert sorted(lab.resources()) == ["a", "tiny-dev"]
    again = lab.stack.up()
    assert again.changes == NONE | {"create": 1, "same": 2}
    assert "warning: b: a run was interrupted while this was under way: create" in again.stdout
    assert "interrupted" not in lab.stack.up().stdout


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("up", "--target=x"),
        ("destroy", "--refresh"),
        ("refresh", "--replace=x"),
        ("export", "--json"),
        ("import", ""),
    ],
)
def test_an_option_that_is_not_there_is_an_error(tmp_path: Path, command: str, option: str) -> None:
    lab = Lab("sandbox", tmp_path)
    assert isinstance(lab.stack, SandboxStack)
    argv = [*lab.stack.command_line(command), *filter(None, [option])]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "error: " in done.stderr
