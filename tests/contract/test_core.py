"""The archive without the docker format: Nexus Core with the real Jetty behind the vendor's launcher."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from .https import Https
from .server import Nexus


@pytest.fixture(scope="module")
def server(core: Callable[[], Nexus]) -> Nexus:
    return core()


class TestHttps(Https):
    """HTTPS by the real Jetty."""


def test_the_docker_format_is_not_there(server: Nexus) -> None:
    auth = (server.username, server.password)
    url = f"{server.url}/service/rest/v1/repositories/docker/hosted"
    assert requests.post(url, json={}, auth=auth, timeout=30).status_code == 404


def test_the_install_dir_stays_as_it_was_unpacked(server: Nexus) -> None:
    assert not (server.home / "instances").exists()
    assert (server.data_dir / "instances/instance.properties").exists()
