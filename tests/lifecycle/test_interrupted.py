"""A run that is killed, and two runs at once, on the sandbox's engine."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from sandbox.paths import PROJECT
from sandbox.process import Process
from sandbox.stack import Result, SandboxStack

from .conftest import PASSPHRASE, TinyStack, thing
from .test_lifecycle import NONE

if TYPE_CHECKING:
    from pathlib import Path


def test_killed_run_is_pending_and_next_continues(tmp_path: Path) -> None:
    lab = TinyStack("sandbox", tmp_path)
    lab.things(thing("a"), thing("b", seconds=900, options={"depends_on": ["a"]}))
    assert isinstance(lab.stack, SandboxStack)
    env = os.environ | {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}
    run = subprocess.Popen(lab.stack.command_line("up"), cwd=PROJECT, env=env, start_new_session=True)
    try:
        lab.await_create("b")
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


def test_ctrl_c_ends_run_and_next_continues(lab: TinyStack) -> None:
    """The CLI waits after the first for what is under way, and says that a second ends it at once."""
    lab.things(thing("a", seconds=900))
    results: list[Result] = []
    runner = threading.Thread(target=lambda: results.append(lab.stack.up()))
    runner.start()
    lab.await_create("a")
    assert lab.stack.running
    engine = lab.stack.running.pid
    below = Process.below(engine)
    at_the_terminal = [engine, *(one.pid for one in below if os.getpgid(one.pid) == os.getpgid(engine))]
    try:
        for _ in range(1 if isinstance(lab.stack, SandboxStack) else 2):
            time.sleep(0.5)
            for pid in at_the_terminal:
                os.kill(pid, signal.SIGINT)
        runner.join(60)
        assert not runner.is_alive()
        assert not results[0].ok
    finally:
        for orphan in below:
            orphan.end(timeout=0)
    lab.things(thing("a"))
    assert lab.stack.up().changes == NONE | {"create": 1, "same": 1}


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("up", "--target-dependents"),
        ("export", "--target=x"),
        ("destroy", "--refresh"),
        ("refresh", "--replace=x"),
        ("export", "--json"),
        ("import", ""),
    ],
)
def test_missing_option_is_error(tmp_path: Path, command: str, option: str) -> None:
    lab = TinyStack("sandbox", tmp_path)
    assert isinstance(lab.stack, SandboxStack)
    argv = [*lab.stack.command_line(command), *filter(None, [option])]
    done = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "error: " in done.stderr
