"""The whole matrix runs with ``FAULTS=full`` (``make test-faults``); otherwise its fast part."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox.dev import Dev, passing_dev_stack
from sandbox.docker import DockerClient
from sandbox.faults.proxy import FaultProxy
from sandbox.paths import WORK
from sandbox.shell import locked

from ..contract.server import make, started
from .faulty_server import PLAYED_VERSION, FaultyServer

FULL = os.environ.get("FAULTS") == "full"


@pytest.fixture(scope="session")
def faulty() -> Iterator[FaultyServer]:
    """One real Nexus with the docker format and a licence to accept, behind the proxy, for the whole lane."""
    with started_faulty_server("faults") as one:
        yield one


@contextmanager
def started_faulty_server(name: str) -> Iterator[FaultyServer]:
    """A server of this name, for as long as the block lasts."""
    with locked(WORK / f"contract/{name}.lock"):
        server = make(name, docker=True)
        server.play(PLAYED_VERSION)
        started(server)
        try:
            with FaultProxy(server.url, server.authority) as proxy:
                one = FaultyServer(server, proxy)
                one.seed()
                yield one
        finally:
            server.stop()


@pytest.fixture(scope="session")
def registry() -> Iterator[Dev]:
    """A whole registry that the sandbox's engine brought up, for what is tried on it from outside."""
    with passing_dev_stack("registry", engine="sandbox") as dev:
        made = dev.stack.up()
        assert made.ok, made.error
        yield dev


@pytest.fixture(scope="session")
def docker(registry: Dev) -> Iterator[DockerClient]:
    """A Docker client of that registry."""
    with registry.docker() as client:
        yield client
