"""Hosts and clients of the tests."""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING

import pytest

from sandbox import host as hosts
from sandbox.docker import DockerClient
from sandbox.pki import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.host import Host


@pytest.fixture(scope="session")
def host() -> Host:
    """A running host named 'test', kept between runs: a test leaves it as it found it."""
    return hosts.up("test")


@pytest.fixture
def fresh_host() -> Iterator[Callable[[], Host]]:
    """Makes bare hosts, one for each call, that are gone after the test."""
    made: list[str] = []
    numbers = count(1)

    def make() -> Host:
        made.append(f"fresh-{os.getpid()}-{next(numbers)}")
        return hosts.up(made[-1])

    yield make
    for name in made:
        hosts.down(name)


@pytest.fixture(scope="session")
def authority() -> Authority:
    """A certificate authority that no system trusts by default."""
    return Authority.create("Test CA")


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerClient]:
    """A running Docker client."""
    folder: Path = tmp_path_factory.mktemp("client") / "docker"
    made = DockerClient(folder)
    yield made.start()
    made.stop()
