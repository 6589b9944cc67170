"""The real server in read-only mode, and restarted in the middle: nothing played, nothing hurried."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
from nexus_registry.providers.client import client_for

from sandbox.faults.catalogue import Fault
from sandbox.faults.report import record
from sandbox.shell import free_port

from .faulty_server import FaultyServer, RunResult, differences, new_process, run
from .operation import Operation, prepare
from .subjects import Subject, subjects

_PORT = free_port()
THREE = [one for one in subjects(_PORT) if one.title.split()[0] in ("DockerHostedRepository", "Role", "User")]
OPERATIONS = ("create", "update", "read", "delete")


@pytest.fixture(autouse=True)
def bare(faulty: FaultyServer) -> Iterator[None]:
    faulty.proxy.clear_and_wait()
    faulty.logins[1:] = [login for one in THREE for login in one.logins]
    yield
    for one in THREE:
        one.remove(faulty.api)


def noted(work: Operation, fault: str, first: RunResult, second: RunResult, lost: str) -> None:
    lost = first.wrong or second.wrong or lost
    if not lost and second.said != "done":
        lost = f"by hand: {second.sentence}"
    record(
        lane="nexus",
        subject=work.subject.title,
        operation=work.operation,
        fault=fault,
        first=first.said,
        second=second.said,
        lost=lost,
        seconds=first.seconds,
        sentence=first.sentence,
    )
    assert not lost, f"{work.subject.title}: {lost}"


@pytest.mark.full_faults
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("subject", THREE, ids=lambda one: one.title.split()[0])
def test_read_only_server_fails_until_released(faulty: FaultyServer, subject: Subject, operation: str) -> None:
    (work,) = prepare(faulty, [subject], operation)
    tracked = replace(work.state)
    faulty.api.ok("POST", "read-only/freeze")
    try:
        first = run(lambda: work.perform(tracked), work.expected[0], subject.secrets)
    finally:
        faulty.api.ok("POST", "read-only/release")
    assert first.said == ("done" if operation == "read" else "ReadOnly"), first
    assert "Release it" in first.sentence or operation == "read"
    second = run(lambda: work.perform(tracked), work.expected[0] | work.expected[1], subject.secrets)
    noted(work, "really frozen", first, second, differences(work.after, faulty.snapshot()))


@pytest.mark.full_faults
@pytest.mark.parametrize("operation", OPERATIONS)
def test_real_restart_in_middle_is_waited_for(faulty: FaultyServer, operation: str) -> None:
    works = prepare(faulty, THREE, operation)
    tracked = [replace(work.state) for work in works]
    restart = Restart(faulty, len(works))
    new_process()
    assert client_for(
        faulty.connection
    ).login()  # until a password is known to be right, one request at a time goes out
    for work in works:
        method, path = work.pattern()
        fault = Fault("the server restarts", meanwhile=restart.begin, acts=False, silent=True)
        faulty.proxy.inject(fault, method=method, path=path)
    with ThreadPoolExecutor(len(works)) as pool:
        firsts = [
            pool.submit(run, partial(work.perform, one), work.expected[0], work.subject.secrets, fresh=False)
            for work, one in zip(works, tracked, strict=True)
        ]
    took = restart.wait()
    faulty.proxy.clear_and_wait()
    for work, one, first in zip(works, tracked, firsts, strict=True):
        allowed = work.expected[0] | work.expected[1]
        second = run(partial(work.perform, one), allowed, work.subject.secrets)
        noted(work, "real restart", first.result(), second, "")
    lost = differences(works[0].after, faulty.snapshot())
    assert not lost, lost
    assert took > 1


class Restart:
    """Stops and starts the server when every client waits for it."""

    def __init__(self, faulty: FaultyServer, waiting: int) -> None:
        self._faulty, self._thread = faulty, threading.Thread(target=self._run)
        self._all_there, self._stopped = threading.Barrier(waiting, self._thread.start), threading.Event()
        self._began = self._ended = 0.0

    def begin(self) -> None:
        """Return when the server is down."""
        self._all_there.wait(60)
        self._stopped.wait(120)

    def wait(self) -> float:
        """Return when it is up again: how many seconds it was away."""
        self._thread.join(300)
        return self._ended - self._began

    def _run(self) -> None:
        self._began = time.monotonic()
        self._faulty.nexus.stop()
        self._stopped.set()
        self._faulty.nexus.start()
        self._ended = time.monotonic()
