"""A real server from before the REST API: it is installed and serves HTTPS, and whatever needs REST says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from nexus_registry.providers.client import Connection
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.security.admin_password import AdminPasswordProvider
from nexus_registry.providers.security.anonymous import AnonymousAccessProvider
from nexus_registry.providers.security.realm import RealmActivationProvider
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.user import UserProvider
from nexus_registry.providers.system.eula import EulaProvider

from ..contract.every_version import refusal
from .real import Installation, Real, running

HOST = "versions-2"
VERSION = "3.19.1-01"
SENTENCE = f"Nexus {VERSION}, whose REST API begins with 3.26.0. Install a newer one"
DESIRED: dict[type[NexusProvider], dict[str, Any]] = {
    AdminPasswordProvider: {"password": "another-1"},
    AnonymousAccessProvider: {"enabled": True},
    DockerHostedRepositoryProvider: {"name": "images"},
    EulaProvider: {"accepted": True},
    RealmActivationProvider: {},
    RoleProvider: {"id": "push"},
    UserProvider: {"user_id": "ci", "password": "pw-1", "roles": ["nx-anonymous"]},
}
pytestmark = [pytest.mark.xdist_group(HOST), pytest.mark.nightly]
every_kind = pytest.mark.parametrize("provider", DESIRED, ids=lambda one: one.kind)


@pytest.fixture(scope="module")
def server() -> Iterator[Real]:
    with running(VERSION, HOST) as made:
        yield made


@pytest.fixture(scope="module")
def connection(server: Real) -> Connection:
    return server.connection


class TestInstallation(Installation):
    """The steps."""


@every_kind
def test_preview_refuses_each_kind_on_old_version(server: Real, provider: type[NexusProvider]) -> None:
    known = {**server.connection, "version": server.version}
    (failure,) = provider().check({}, {**DESIRED[provider], "connection": known}).failures
    assert (failure.property, failure.reason) == ("connection", f"names {SENTENCE}.")


@pytest.mark.parametrize(
    "provider",
    [one for one in DESIRED if one not in (AdminPasswordProvider, EulaProvider)],
    ids=lambda one: one.kind,
)
def test_up_without_version_fails_alike(connection: Connection, provider: type[NexusProvider]) -> None:
    assert f" was answered 404: the server is {SENTENCE}" in refusal(provider, connection, **DESIRED[provider])


def test_other_admin_password_is_refused_without_version(connection: Connection) -> None:
    current = {"password": "another-1", "current_password": connection["password"]}
    assert f"the server is {SENTENCE}" in refusal(AdminPasswordProvider, connection, **current)


def test_eula_without_version_has_nothing_to_accept(connection: Connection) -> None:
    inputs = {**DESIRED[EulaProvider], "connection": connection}
    assert EulaProvider().create(inputs).id == "eula"
