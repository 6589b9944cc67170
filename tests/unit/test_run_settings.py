"""Realms and anonymous access, which exist once per server: what a deletion leaves when others change them too."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from nexus_registry.providers.client import NexusClient
from nexus_registry.providers.security.active_realms import ActiveRealmsProvider
from nexus_registry.providers.security.anonymous import AnonymousAccess, AnonymousAccessProvider
from nexus_registry.providers.security.realm import RealmActivationProvider

from .engine import Engine, NewRun
from .fake import Request, Response, serve
from .stored import Stored


@pytest.mark.parametrize("form", ["docker", "oci", "raw"])
def test_docker_realm_stays_for_images(engine: Engine, nexus: Stored, form: str) -> None:
    engine.create("one", RealmActivationProvider, engine.check("one", RealmActivationProvider))
    nexus.repositories["images"] = {"format": form}
    engine.delete("one")
    assert ("DockerToken" in nexus.realms) == (form != "raw")


def test_realm_that_was_added_is_removed_after_replacement(engine: Engine, nexus: Stored, new_run: NewRun) -> None:
    kind = RealmActivationProvider
    engine.create("one", kind, engine.check("one", kind))
    nexus.repositories["images"] = {"name": "images"}
    new_run()
    engine.replace("one")
    del nexus.repositories["images"]
    new_run()
    engine.delete("one")
    assert nexus.realms == ["NexusAuthenticatingRealm"]


def test_realms_that_server_lost_are_not_restored(engine: Engine, nexus: Stored, new_run: NewRun) -> None:
    """Nexus refuses a list with a realm that it does not have any more, such as after an upgrade."""
    nexus.realms = ["NexusAuthenticatingRealm", "OldRealm"]
    desired = ["NexusAuthenticatingRealm", "DockerToken"]
    engine.create("one", ActiveRealmsProvider, engine.check("one", ActiveRealmsProvider, realms=desired))
    new_run()
    engine.delete("one")
    assert nexus.realms == ["NexusAuthenticatingRealm"]


@pytest.mark.parametrize("change", ["insert", "remove"])
def test_concurrent_realm_changes_both_last(nexus: Stored, change: str) -> None:
    """Realms that two programs activate, or deactivate, at once.

    They have an address each, as a lock of one process would keep them apart.
    """
    realms = ["DockerToken", "rutauth-realm"]
    before = list(nexus.realms)
    if change == "remove":
        nexus.realms = [*before, *realms]

    def stale(request: Request) -> Response:  # reads are slow: the other program writes in between
        response = nexus(request)
        if request.method == "GET" and request.path.endswith("active"):
            response = Response(200, list(nexus.realms))
            time.sleep(0.05)
        return response

    with serve(stale) as fake:

        def run(realm: str, host: str) -> None:
            url = fake.url.replace("127.0.0.1", host)
            client = NexusClient({"url": url, "username": "admin", "password": "pw"})
            getattr(RealmActivationProvider(), change)(client, {"realm": realm, "added": True})

        with ThreadPoolExecutor() as pool:
            list(pool.map(run, realms, ["127.0.0.1", "localhost"]))
    assert sorted(nexus.realms) == sorted([*before, *realms] if change == "insert" else before)


@pytest.mark.parametrize(("by_others", "left"), [({}, False), ({"userId": "somebody"}, True)])
@pytest.mark.parametrize("refreshes", [0, 1, 2])
def test_anonymous_access_is_restored_unless_others_changed_it(
    engine: Engine, nexus: Stored, new_run: NewRun, by_others: dict[str, str], left: bool, refreshes: int
) -> None:
    """A refresh takes what others wrote into the state, and does not make it the resource's own."""
    kind = AnonymousAccessProvider
    engine.create("one", kind, engine.check("one", kind, enabled=True))
    before = engine.state["one"][1]
    nexus.anonymous |= by_others
    new_run()
    for _ in range(refreshes):
        engine.refresh("one")
    assert by_others or engine.state["one"][1] == before
    engine.delete("one")
    assert nexus.anonymous["enabled"] is left


def test_anonymous_access_that_was_written_again_is_restored(
    engine: Engine, nexus: Stored, new_run: NewRun
) -> None:
    """An update that is local keeps what was written last; one that writes makes the setting its own again."""
    kind = AnonymousAccessProvider
    engine.create("one", kind, engine.check("one", kind, enabled=True))
    nexus.anonymous |= {"userId": "somebody"}
    engine.refresh("one")
    engine.update("one", engine.check("one", kind, enabled=True, user_id="somebody", adopt=True))
    assert engine.state["one"][1]["written"]["user_id"] == "anonymous"
    assert "written" in AnonymousAccess.secret_outputs, "the program may have made user_id secret"
    engine.update("one", engine.check("one", kind, enabled=True))
    engine.refresh("one")
    assert "written" not in engine.state["one"][1]
    engine.delete("one")
    assert nexus.anonymous == {"enabled": False, "userId": "anonymous", "realmName": "NexusAuthorizingRealm"}


@pytest.mark.parametrize(("order", "enabled"), [([0, 1], [False, False]), ([1, 0], [True, False])])
def test_anonymous_access_of_two_stacks(
    engine: Engine, nexus: Stored, new_run: NewRun, order: list[int], enabled: list[bool]
) -> None:
    """The stack that created it first turns it off for both; the other one leaves it on for the first."""
    kind = AnonymousAccessProvider
    stacks = [engine, Engine(engine.connection["url"])]
    for stack in stacks:
        new_run()
        stack.create("one", kind, stack.check("one", kind, enabled=True))
    left = []
    for number in order:
        new_run()
        stacks[number].delete("one")
        left.append(nexus.anonymous["enabled"])
    assert left == enabled
