"""Stacks of the tiny program, on each engine that is here."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sandbox.forked import ForkedStack, fork_server
from sandbox.stack import Stack, default_engine, open_stack
from sandbox.values import Keyring

from .sshd import Sshd, private_sshd

PROGRAM = Path(__file__).parent / "programs" / "tiny"
PASSPHRASE = "correct horse"
PASSWORD = "canary-7d1f"
NO_CLI = pytest.mark.skipif(not shutil.which("pulumi"), reason="the pulumi CLI is not on PATH")
_MARKS = {"sandbox": (), "pulumi": (pytest.mark.pulumi, NO_CLI)}
BOTH_ENGINES = [pytest.param(engine, marks=marks) for engine, marks in _MARKS.items()]
ENGINES = [
    pytest.param(
        engine,
        marks=marks
        if engine == default_engine() or os.environ.get("FAULTS") == "full"
        else (*marks, pytest.mark.nightly),
    )
    for engine, marks in _MARKS.items()
]
"""What a test of a whole stack runs on: the CLI where it is on PATH. ``make test-nightly`` runs it on the other
engine, and ``make test-faults`` on both."""


@cache
def _salt() -> str:
    return Keyring(PASSPHRASE).salt


class TinyStack:
    """One stack of the tiny program, and the JSON file that plays its server.

    On the sandbox's engine its runs are forks of ``forks``, where one is given: they begin sooner.
    """

    def __init__(self, engine: str, folder: Path, forks: subprocess.Popen[str] | None = None) -> None:
        self.engine, self.folder = engine, folder
        self.program = folder / "program"
        shutil.copytree(PROGRAM, self.program)
        (self.program / ".venv").symlink_to(sys.prefix)
        self._server = folder / "server.json"
        self._write({"calls": [], "requests": [], "objects": {}, "failures": {}, "serial": 0, "configured": []})
        settings = (
            folder / "work" / "config" / "Pulumi.dev.yaml"
        )  # with one salt for all: a new one takes its time
        settings.parent.mkdir(parents=True)
        settings.write_text(f"encryptionsalt: {_salt()}\n")
        work = folder / "work"
        self.stack: Stack
        if forks and engine == "sandbox":
            self.stack = ForkedStack(self.program, "dev", work, PASSPHRASE)
            self.stack.server = forks
        else:
            self.stack = open_stack(engine, program=self.program, name="dev", work=work, passphrase=PASSPHRASE)
        self.stack.set_config("server", str(self._server))
        self.stack.set_config("password", PASSWORD, secret=True)

    def _write(self, content: dict[str, Any]) -> None:
        self._server.write_text(json.dumps(content))

    @property
    def server(self) -> dict[str, Any]:
        with self._server.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            content: dict[str, Any] = json.load(file)
        return content

    def edit(self, **changes: Any) -> None:
        """Change the server directly, while no run is in progress."""
        self._write(self.server | changes)

    def calls(self, *kinds: str) -> list[list[Any]]:
        """The calls since the last time, of these kinds or all, and forget them."""
        found = self.server["calls"]
        self.edit(calls=[])
        return [call for call in found if not kinds or call[0] in kinds]

    def requests(self) -> list[list[Any]]:
        """What the requests said of their resources since the last time, and forget it."""
        found: list[list[Any]] = self.server["requests"]
        self.edit(requests=[])
        return found

    def names(self, *kinds: str) -> list[str]:
        """The calls since the last time as ``create a``, without checks and diffs unless asked for."""
        return [
            f"{kind} {name}" for kind, name, *_ in self.calls(*(kinds or ("create", "update", "delete", "read")))
        ]

    def await_create(self, name: str) -> None:
        """Wait until a run that is under way creates this thing.

        This reads only: ``calls`` writes the file too, and would lose a call that is written between.
        """
        deadline = time.monotonic() + 600
        while ["create", name] not in [call[:2] for call in self.server["calls"]]:
            assert time.monotonic() < deadline, f"{name} was not reached"
            time.sleep(0.1)

    def things(self, *things: dict[str, Any]) -> None:
        """Set the things that the program creates."""
        self.stack.set_config("things", list(things))

    def commands(self, *commands: dict[str, Any]) -> None:
        """Set the commands that the program runs."""
        self.stack.set_config("commands", list(commands))

    def urn(self, name: str) -> str:
        found = [one["urn"] for one in self.stack.export()["resources"] if one["urn"].endswith(f"::{name}")]
        return str(found[0])

    def resources(self) -> dict[str, dict[str, Any]]:
        """What is in the state, by name."""
        return {one["urn"].rpartition("::")[2]: one for one in self.stack.export()["resources"]}


def thing(name: str, *, options: dict[str, Any] | None = None, **inputs: Any) -> dict[str, Any]:
    """An entry of the program's list."""
    return {"name": name, "inputs": inputs, "options": options or {}}


def fake_server_stack(engine: str, program: Path, work: Path, url: str) -> Stack:
    """A stack of this program, in its own folder, against a fake server at this address."""
    (program / ".venv").symlink_to(sys.prefix)
    stack = open_stack(engine, program=program, name="dev", work=work, passphrase="right")
    stack.set_config("nexus-registry:url", url)
    stack.set_config("nexus-registry:password", "pw", secret=True)
    return stack


@pytest.fixture(params=BOTH_ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine that is here."""
    return str(request.param)


@pytest.fixture(scope="session")
def forks() -> Iterator[subprocess.Popen[str]]:
    """What runs the sandbox's engine."""
    with fork_server() as server:
        yield server


@pytest.fixture
def lab(engine: str, tmp_path: Path, forks: subprocess.Popen[str]) -> TinyStack:
    """A fresh stack."""
    return TinyStack(engine, tmp_path, forks)


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An SSH server."""
    with private_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server
