"""The archive without the docker format: Nexus Core with the real Jetty behind the vendor's launcher."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from nexus_registry.providers.client import Connection

from .every_version import WithoutDocker
from .https import Https
from .server import Nexus


@pytest.fixture(scope="module")
def server(core: Callable[[], Nexus]) -> Nexus:
    return core()


@pytest.fixture(scope="module")
def connection(server: Nexus) -> Connection:
    return {"url": server.url, "username": server.username, "password": server.password}


class TestHttps(Https):
    """HTTPS by the real Jetty."""


class TestWithoutDocker(WithoutDocker):
    """The docker format is not there."""


def test_install_dir_stays_unchanged(server: Nexus) -> None:
    assert not (server.home / "instances").exists()
    assert (server.data_dir / "instances/instance.properties").exists()
