"""Resources of different kinds in one run that declare the same thing, or things of one name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import nexus_registry.providers as providers
import pytest
from nexus_registry.cli.objects import Snapshot
from nexus_registry.cli.unmanaged import unmanaged
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.run import Run
from nexus_registry.providers.security.active_realms import ActiveRealmsProvider
from nexus_registry.providers.security.realm import RealmActivationProvider

from .engine import Engine
from .exported import found
from .fake import serve
from .settings_server import SettingsServer
from .stored import Stored

BUILT_IN = "NexusAuthenticatingRealm"
BOTH = [BUILT_IN, "rutauth-realm"]


@pytest.fixture
def nexus(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, Stored]]:
    stored = Stored()
    monkeypatch.setattr(NexusProvider, "run", Run())
    with serve(stored) as fake:
        yield Engine(fake.url), stored


def declare(engine: Engine, name: str, kind: type[NexusProvider], /, **desired: Any) -> None:
    """A run that creates this resource."""
    NexusProvider.run = Run()
    engine.create(name, kind, engine.check(name, kind, **desired))


def test_list_of_realms_takes_over_activated_realm(nexus: tuple[Engine, Stored]) -> None:
    engine, stored = nexus
    declare(engine, "one", RealmActivationProvider, realm="rutauth-realm")
    declare(engine, "all", ActiveRealmsProvider, realms=BOTH)
    engine.delete("one")
    assert stored.realms == BOTH


def test_activated_realm_outlives_list_of_realms(nexus: tuple[Engine, Stored]) -> None:
    engine, stored = nexus
    declare(engine, "all", ActiveRealmsProvider, realms=[*BOTH, "DockerToken"])
    declare(engine, "one", RealmActivationProvider, realm="rutauth-realm")
    engine.delete("all")
    assert stored.realms == BOTH, "as before the list, and what the program declares"


def test_tasks_of_two_types_may_have_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks: Any = providers
    compact, cleanup = tasks.CompactBlobStoreTask.provider_class, tasks.Task.provider_class
    monkeypatch.setattr(NexusProvider, "run", Run())
    server = SettingsServer()
    with serve(server) as fake:
        engine = Engine(fake.url)
        declare(engine, "old", compact, name="nightly", blob_store_name="default")
        declare(engine, "new", cleanup, name="nightly", type="repository.cleanup")
        engine.delete("old")
    assert [one["type"] for one in server.lists["/v1/tasks"].values()] == ["repository.cleanup"]


def test_diff_distinguishes_tasks_of_one_name() -> None:
    token = providers.Task._resource_type_name
    managed = {"type": f"pulumi-python:{token}", "urn": "a", "id": "t", "inputs": {"type": "repository.cleanup"}}
    objects = [
        found("Task", {"type": "repository.cleanup"}, name="t", type="repository.cleanup"),
        found("CompactBlobStoreTask", name="t", blob_store_name="default"),
    ]
    state = {"deployment": {"resources": [managed]}}
    lacking = unmanaged(Snapshot("https://nexus.example.com", objects=objects), state)
    assert list(map(str, lacking)) == ["CompactBlobStoreTask 't'"]
