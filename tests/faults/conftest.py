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
from .stage import PLAYED, Stage

FULL = os.environ.get("FAULTS") == "full"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked ``full_faults``: deselected, because what is skipped has failed in CI."""
    if FULL:
        return
    left_out = [item for item in items if item.get_closest_marker("full_faults")]
    items[:] = [item for item in items if not item.get_closest_marker("full_faults")]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """One real Nexus with the docker format and a licence to accept, behind the proxy, for the whole lane."""
    with staged("faults") as one:
        yield one


@contextmanager
def staged(name: str) -> Iterator[Stage]:
    """Such a server of this name, for as long as the block lasts."""
    with locked(WORK / f"contract/{name}.lock"):
        server = make(name, docker=True)
        server.play(PLAYED)
        started(server)
        try:
            with FaultProxy(server.url, server.authority) as proxy:
                one = Stage(server, proxy)
                one.furnish()
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
