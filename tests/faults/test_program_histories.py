"""A program is edited over several runs: the server then holds what the last one says.

Each history is made from its seed: ``HISTORY=<seed>`` runs that one alone, on ``ENGINE`` (the sandbox's by
default). ``HISTORIES`` is how many the full part runs, 100 by default, from ``HISTORY_SEED`` on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.faults.proxy import FaultProxy
from sandbox.faults.report import record
from sandbox.forked import ForkedStack, fork_server
from sandbox.paths import WORK
from sandbox.shell import free_port, locked
from sandbox.stack import Stack, open_stack

from ..contract.server import make, started
from ..lifecycle.conftest import NO_CLI
from .conftest import FULL
from .histories import STACK, Entry, History, Program, Run
from .history_edits import history
from .history_runs import PASSPHRASE, HistoryServer, Open, run_history
from .history_smaller import smaller

FAST = 15
MANY = int(os.environ.get("HISTORIES", "100"))
ON_THE_CLI = max(1, MANY // 20)
FIRST = int(os.environ.get("HISTORY_SEED", "1"))
ONE = os.environ.get("HISTORY")
USED = Program(
    entries=(
        Entry("images", "repository", "d", "1", port=True),
        Entry("pull", "role", "r", "1", uses="images"),
        Entry("ann", "user", "u", "1", uses="pull"),
    )
)
REPLACED = History(0, (Run(USED), Run(USED, replace=("pull",)), Run(USED, replace=("images",))))
"""History 0: a replacement of what Nexus strips from the others when it is deleted, which few seeds have."""


@pytest.fixture(scope="module")
def server() -> Iterator[HistoryServer]:
    """A server for histories alone."""
    with locked(WORK / "contract/histories.lock"):
        server = started(make("histories", docker=True))
        try:
            with FaultProxy(server.url) as proxy:
                yield HistoryServer(server, proxy, {"d": free_port()})
        finally:
            server.stop()


@pytest.fixture(scope="module")
def forked() -> Iterator[Open]:
    """The sandbox's engine, without the time that it takes to start."""
    with fork_server() as server:

        def open_(program: Path, work: Path) -> Stack:
            stack = ForkedStack(program, STACK, work, PASSPHRASE)
            stack.server = server
            return stack

        yield open_


def cli(program: Path, work: Path) -> Stack:
    """The real engine."""
    return open_stack("pulumi", program=program, name=STACK, work=work, passphrase=PASSPHRASE)


def run(server: HistoryServer, seeds: list[int], open_: Open, folder: Path, *, row: str = "") -> None:
    """Run these; the first with an unexpected result is reduced and shown.

    ``row`` names the engine in the report; without it they are not reported.
    """
    for seed in seeds:
        one = history(seed) if seed else REPLACED
        where = folder / str(seed)
        if wrong := run_history(server, one, open_, where):
            wrong = smaller(
                one,
                wrong,
                lambda other, n: run_history(server, other, open_, folder / f"{other.seed}-{n}"),
            )
            pytest.fail(f"HISTORY={seed}\n{wrong}", pytrace=False)
        shutil.rmtree(where)
    if row:
        record(
            lane="engine",
            subject="histories of a program: role, user, repository, realm, anonymous access",
            operation="up after edits: names, parents, ids, properties, removals, targets, replacements, kills",
            fault=row,
            first=f"{len(seeds)} histories",
            second="the server holds what the last program says, each time",
        )


def test_each_run_of_history_ends_as_program_says(server: HistoryServer, forked: Open, tmp_path: Path) -> None:
    if ONE:
        run(server, [int(ONE)], cli if os.environ.get("ENGINE") == "pulumi" else forked, tmp_path)
        return
    seeds = [0, *(FIRST + number for number in range(MANY if FULL else FAST))]
    run(server, seeds, forked, tmp_path, row="sandbox engine")


@pytest.mark.full_faults
@pytest.mark.pulumi
@NO_CLI
def test_histories_on_real_engine(server: HistoryServer, tmp_path: Path) -> None:
    seeds = [0, *(FIRST + MANY + number for number in range(ON_THE_CLI))]
    run(server, seeds, cli, tmp_path, row="pulumi engine")
