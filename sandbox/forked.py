"""Stacks on the sandbox's engine whose runs are forks of one process: for tests of many short runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .paths import PROJECT
from .stack import SandboxStack


class Fork:
    """A forked engine."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None

    def poll(self) -> int | None:
        """Its exit status, once it has ended."""
        return self.status


class ForkedStack(SandboxStack):
    """A stack on the sandbox's engine, run by ``server``."""

    server: subprocess.Popen[str]

    def _follow(
        self,
        argv: Sequence[str],
        folder: Path,  # noqa: ARG002 - the server is there
        env: Mapping[str, str],
        on_line: Callable[[str], None] | None,
        answer: Path | None = None,
    ) -> tuple[int, str]:
        said = self.work / "stderr.log"
        order = {"argv": argv[3:], "env": dict(env), "program": str(self.program), "project": self.project}
        order |= {"config_file": str(self.config_file), "stdout": str(answer), "stderr": str(said)}
        assert self.server.stdin
        assert self.server.stdout
        print(json.dumps(order), file=self.server.stdin, flush=True)
        self.running = fork = Fork(int(self.server.stdout.readline()))
        fork.status = status = int(self.server.stdout.readline())
        self.running = None
        text = said.read_text()
        if on_line:
            for line in text.splitlines():
                on_line(line)
        return status, text


@contextmanager
def fork_server() -> Iterator[subprocess.Popen[str]]:
    """Runs the commands of any number of stacks, one at a time."""
    argv, pipe = [sys.executable, "-m", "sandbox.engine.forked"], subprocess.PIPE
    with subprocess.Popen(argv, cwd=PROJECT, text=True, stdin=pipe, stdout=pipe) as server:
        try:
            yield server
        finally:
            assert server.stdin
            server.stdin.close()
