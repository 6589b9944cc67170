"""The engine in forks of one process that has imported everything: a run then starts in a tenth of a second.

``python -m sandbox.engine.forked`` reads orders, one JSON object a line: ``argv`` (of ``sandbox.engine``),
``env``, ``program``, ``project``, ``config_file``, ``stdout``, ``stderr``. It answers with the id of the process
that runs the order and, when that has ended, with its exit status.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..stackfile import StackFile
from . import dynamic

for needed in ("engine.program", "engine.report"):
    importlib.import_module(f"sandbox.{needed}")
for needed in ("components", "providers.repositories.docker", "providers.security.realm"):
    importlib.import_module(f"nexus_registry.{needed}")


class _Host:
    """A forked host of providers."""

    def __init__(self, program: Path, env: Mapping[str, str]) -> None:
        read, write = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _become(lambda: _serve_providers(program, env, write))
        os.close(write)
        self.stdout: Iterable[str] = os.fdopen(read)

    def terminate(self) -> None:
        os.kill(self._pid, signal.SIGTERM)


def _serve_providers(program: Path, env: Mapping[str, str], write: int) -> None:
    os.dup2(write, 1)
    os.dup2(write, 2)
    os.closerange(3, 1024)  # such as the lock of the stack, which ends with the engine
    os.chdir(program)
    os.environ.update(env)
    sys.path.insert(0, str(program))
    sys.argv = ["pulumi.dynamic", "x"]
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)


def _run_engine(order: dict[str, Any]) -> None:
    for number, file in ((1, order["stdout"]), (2, order["stderr"])):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.closerange(3, 1024)
    os.environ.clear()
    os.environ.update(order["env"])
    env = {**os.environ, "PULUMI_PROJECT": order["project"], "PULUMI_CONFIG": "{}"}
    ready: list[dynamic.Host] = [_Host(Path(order["program"]), env)]  # before there are threads
    start = dynamic.start_host
    dynamic.start_host = lambda *given: ready.pop() if ready else start(*given)
    sys.argv = ["sandbox.engine", *order["argv"]]
    try:
        runpy.run_module("sandbox.engine", run_name="__main__", alter_sys=True)
    finally:
        for unused in ready:
            unused.terminate()


def _become(work: Any) -> None:
    """End the forked process with this work."""
    status = 1
    try:
        work()
        status = 0
    except SystemExit as error:
        status = int(error.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        # The key of a passphrase takes long to compute, and is cached for all forks.
        _ = StackFile(Path(order["config_file"]), order["env"]["PULUMI_CONFIG_PASSPHRASE"]).keyring
        pid = os.fork()
        if pid == 0:
            _become(lambda order=order: _run_engine(order))
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
