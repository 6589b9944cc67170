"""The lifecycle of every kind of object on a real Nexus: each test drives the provider as the engine does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from nexus_registry.providers.client import Connection, NexusClient
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.security.realm import RealmActivationProvider
from nexus_registry.providers.security.role import RoleProvider

from .docker_api import named
from .every_version import ACTIVE_REALMS, Case, EveryVersion, Lifecycle, refusal
from .tracked import Tracked


class TestEveryVersion(EveryVersion):
    """What holds on every version, on 3.71."""


class TestDockerRepository(Lifecycle):
    """What needs the docker format."""

    @pytest.fixture(params=[DockerHostedRepositoryProvider], ids=["docker"])
    def case(self, request: pytest.FixtureRequest) -> Case:
        edit = {"write_policy": "ALLOW_ONCE", "cleanup_policy_names": []}
        return Case(request.param, {"name": named("images")}, edit, {"write_policy": "DENY"})

    def test_unknown_blob_store_lists_existing_ones(self, connection: Connection) -> None:
        said = refusal(DockerHostedRepositoryProvider, connection, name="r-bad", blob_store_name="nope")
        assert re.search("blob_store_name: nope is not on the server.*default", said)

    def test_replaced_repository_restores_privileges_in_role(self, connection: Connection) -> None:
        name = named("images")
        repository, role = (
            Tracked(DockerHostedRepositoryProvider(), connection),
            Tracked(RoleProvider(), connection),
        )

        def desired() -> dict[str, Any]:
            assert repository.outs is not None
            privileges = [f"nx-repository-view-docker-{name}-{action}" for action in ("read", "add", "edit")]
            return {
                "id": f"{name}-push",
                "privileges": privileges,
                "incarnations": [repository.outs["incarnation"]],
            }

        repository.up(name=name)
        assert role.up(**desired()) == "create"
        assert repository.up(name=name, online=True, write_policy="DENY") == "update"
        assert role.up(**desired()) == "same"
        repository.destroy()
        repository.up(name=name)
        assert role.up(**desired()) == "update"
        assert role.refresh() == "same"
        role.destroy()
        repository.destroy()

    def test_docker_realm_stays_while_in_use(self, connection: Connection, client: NexusClient) -> None:
        before = client.get(ACTIVE_REALMS)
        assert "DockerToken" not in before, "another test left the realm active"
        realm, repository = (
            Tracked(provider(), connection)
            for provider in (RealmActivationProvider, DockerHostedRepositoryProvider)
        )
        realm.up()
        assert client.get(ACTIVE_REALMS) == [*before, "DockerToken"]
        repository.up(name=named("images"))
        kept = dict(realm.outs or {})
        realm.destroy()
        assert "DockerToken" in client.get(ACTIVE_REALMS), "removed below a docker repository"
        repository.destroy()
        RealmActivationProvider().delete("DockerToken", kept)
        assert client.get(ACTIVE_REALMS) == before
