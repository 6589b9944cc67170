"""Runs on each engine that are killed at random moments: the next run completes each.

So do those of the CLI with ``PULUMI_SKIP_CHECKPOINTS``, where a killed run has recorded nothing at all.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults.crash_run import FinalState, differing_keys, end_processes, final_state, run_and_kill
from sandbox.faults.report import record
from sandbox.stack import NO_CHECKPOINTS

from ..contract.consumer import consumer_stack
from ..lifecycle.conftest import ENGINES, NO_CLI
from .conftest import started_faulty_server
from .faulty_server import FaultyServer, differences

KILLS = 50
"""On each engine, beside those of test_engine_killed.py, which are more than 100 there."""
SEED = 20


UNRECORDED = "pulumi-without-checkpoints"


@pytest.fixture(scope="module", params=[*ENGINES, pytest.param(UNRECORDED, marks=[pytest.mark.pulumi, NO_CLI])])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(engine: str) -> Iterator[FaultyServer]:
    """A server of the engine's own, where the docker realm and anonymous access are on already."""
    with (
        started_faulty_server(f"killed-{engine}") as one,
        one.api.licensed(),
        one.api.token_realm(),
        one.api.anonymous(enabled=True),
    ):
        yield one


@pytest.mark.full_faults
def test_run_killed_at_any_moment_is_completed_by_next(server: FaultyServer, tmp_path: Path, engine: str) -> None:
    stack = consumer_stack(server.nexus, tmp_path, engine.partition("-")[0])
    env = NO_CHECKPOINTS if engine == UNRECORDED else None
    ports, seconds = [server.nexus.connector_port() for _ in range(2)], random.Random(SEED)  # noqa: S311
    moves = [("up", 0), ("up", 1), ("destroy", 1)]

    def move(what: str, number: int) -> Any:
        stack.set_config("port", ports[number])
        stack.set_config("ci_password", f"ci-secret-{number}", secret=True)
        return stack.up(env=env) if what == "up" else stack.destroy(env=env)

    took: dict[tuple[str, int], float] = {}
    undisturbed: list[tuple[dict[str, Any], FinalState]] = []
    for what, number in moves:
        server.logins[1:] = [("team-a-ci", "ci-secret-0"), ("team-a-ci", "ci-secret-1")]
        began = time.monotonic()
        done = move(what, number)
        assert done.ok, done.error
        took[what, number] = time.monotonic() - began
        undisturbed.append((server.snapshot(), final_state(stack)))
    kills = runs = 0
    while kills < KILLS:
        for (what, number), (there, state) in zip(moves, undisturbed, strict=True):
            moment = seconds.uniform(0, took[what, number])
            killed, orphans = run_and_kill(stack, lambda: move(what, number), moment)  # noqa: B023
            if not killed:  # the first time took longer
                took[what, number] = moment
            try:
                again = move(what, number)
                where = f"{what} {number}, killed after {moment:.2f} of {took[what, number]:.2f} s"
                assert again.ok, f"{where}: {again.error}"
                assert not differing_keys(state, final_state(stack)), where
                assert not differences(there, server.snapshot()), where
            finally:
                end_processes(orphans)
            kills, runs = kills + killed, runs + 1
    record(
        lane="engine",
        subject="repository, role, user, realm, anonymous access, proof",
        operation="up (create), up (update), destroy, killed at random moments",
        fault=f"{engine} engine",
        first=f"killed {kills} times in {runs} runs",
        second=f"the same server and state as undisturbed, {runs} of {runs} times",
    )
