"""Real servers of versions with a REST API: installed by the steps, driven over HTTPS by the providers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from nexus_registry.providers.client import Connection

from ..contract.every_version import EveryVersion, WithoutDocker
from .real import Installation, Real, running

HOSTS = {"3.26.0-01": "versions", "3.41.1-01": "versions", "3.62.0-01": "versions-2"}
"""On which host a version is tried; what is on one host is one group, on a worker of its own."""
OLDEST = "3.26.0-01"
"""The first with a REST API. Those between it and the version of all other tests have their turn each night."""


def version(name: str) -> Any:
    """The parameter for a version."""
    group = pytest.mark.xdist_group(HOSTS[name])
    return pytest.param(name, marks=group if name == OLDEST else [group, pytest.mark.nightly])


@pytest.fixture(scope="module", params=[version(name) for name in HOSTS])
def server(request: pytest.FixtureRequest) -> Iterator[Real]:
    with running(request.param, HOSTS[request.param]) as made:
        yield made


@pytest.fixture(scope="module")
def connection(server: Real) -> Connection:
    return server.connection


class TestInstallation(Installation):
    """The steps."""


class TestEveryVersion(EveryVersion):
    """The objects inside Nexus."""


class TestWithoutDocker(WithoutDocker):
    """These are Core, without the docker format."""
