"""Runs on two servers, and runs in which the address of a server changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.security.admin_password import AdminPasswordProvider
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.user import UserProvider

from .engine import ROLE, USER, Engine, NewRun
from .fake import FakeServer, Response, serve
from .stored import Stored


@pytest.fixture
def other_nexus() -> Stored:
    """Another server."""
    stored = Stored()
    stored.node = "node-2"
    return stored


@pytest.fixture
def other(other_nexus: Stored) -> Iterator[FakeServer]:
    with serve(other_nexus) as fake:
        yield fake


@pytest.fixture
def url(engine: Engine) -> str:
    """The server of the engine, which the configuration names."""
    url = engine.connection["url"]
    engine.configure(url)
    return url


def test_configured_address_of_another_server_is_refused(
    engine: Engine, nexus: Stored, new_run: NewRun, url: str, other: FakeServer, other_nexus: Stored
) -> None:
    engine.create("one", RoleProvider, engine.check("one", RoleProvider, **ROLE))
    engine.create("gone", RoleProvider, engine.check("gone", RoleProvider, **ROLE | {"role_id": "ops"}))
    other_nexus.roles["ops"] = dict(nexus.roles["ops"])
    new_run()
    engine.configure(other.url)
    inputs = engine.check("one", RoleProvider, **ROLE)
    assert RoleProvider().diff("dev", engine.state["one"][1], inputs).changes
    with pytest.raises(Refused, match=rf"connection.url: {other.url} is another server than {url}"):
        engine.update("one", inputs)
    engine.delete("gone")
    assert (set(nexus.roles), set(other_nexus.roles)) == ({"dev"}, {"ops"})


def test_configured_address_of_same_server_is_written_into_state(
    engine: Engine, nexus: Stored, new_run: NewRun, url: str
) -> None:
    engine.create("one", UserProvider, engine.check("one", UserProvider, **USER))
    new_run()
    engine.configure(url.replace("127.0.0.1", "localhost"))
    nexus.passwords["ann"] = "not written again"
    engine.update("one", engine.check("one", UserProvider, **USER))
    assert engine.state["one"][1]["configured_url"] == engine.configured["url"]
    assert nexus.passwords["ann"] == "not written again"


@pytest.mark.parametrize("older", [False, True], ids=["recorded", "older"])
def test_resources_get_connection_in_place_of_configuration(
    engine: Engine, nexus: Stored, new_run: NewRun, url: str, other: FakeServer, other_nexus: Stored, older: bool
) -> None:
    """Without the configuration, the state tells the server; an older state does not."""
    engine.create("one", RoleProvider, engine.check("one", RoleProvider, **ROLE))
    if older:
        engine.state["one"][1].pop("configured_url", None)
    state = dict(engine.state["one"][1])
    new_run()
    engine.connection, engine.configured = {**engine.configured, "url": other.url}, {}
    inputs = engine.check("one", RoleProvider, **ROLE)
    expected = r"connection.url: is neither in the state" if older else "is another server than"
    with pytest.raises(Refused, match=expected):
        engine.update("one", inputs)
    missing = "url" if older else "password"
    read = lambda: RoleProvider().read("dev", state)  # noqa: E731
    for request in (read, lambda: engine.delete("one")):
        with pytest.raises(Refused, match=rf"role '.*': connection.{missing}: is neither .* Set nexus-registry:"):
            request()
    assert ("dev" in nexus.roles, other_nexus.roles) == (True, {})


def test_state_without_configured_address_needs_no_call(
    engine: Engine, new_run: NewRun, url: str, nexus_server: FakeServer
) -> None:
    engine.create("one", RoleProvider, engine.check("one", RoleProvider, **ROLE))
    engine.state["one"][1].pop("configured_url", None)
    new_run()
    inputs: dict[str, Any] = engine.check("one", RoleProvider, **ROLE)
    sent = len(nexus_server.requests)
    engine.update("one", inputs)
    assert len(nexus_server.requests) == sent
    diff = RoleProvider().diff("dev", engine.state["one"][1], inputs)
    assert not diff.changes


OPS = ROLE | {"role_id": "ops"}


def create(engine: Engine, resource: str, url: str, **desired: Any) -> None:
    """A role on one of two servers, with a connection of its own."""
    engine.connection = {**engine.connection, "url": url}
    engine.create(resource, RoleProvider, engine.check(resource, RoleProvider, **desired))


def test_resource_that_moves_leaves_other_objects_of_its_server_alone(
    engine: Engine, nexus: Stored, new_run: NewRun, other: FakeServer, other_nexus: Stored
) -> None:
    """It moves to another server, under another id, where a resource has an object of the same name."""
    here = engine.connection["url"]
    for name, url, desired in (
        ("moving", here, ROLE | {"role_id": "moving"}),
        ("a-ops", here, OPS),
        ("a-dev", here, ROLE),
        ("b-ops", other.url, OPS),
        ("b-dev", other.url, ROLE),
    ):
        create(engine, name, url, **desired)
    new_run()
    engine.connection = {**engine.connection, "url": other.url}
    engine.diff("moving", engine.check("moving", RoleProvider, **ROLE | {"role_id": "moved"}))
    for name, url, desired in (("b-dev", other.url, ROLE), ("b-ops", other.url, OPS), ("a-dev", here, ROLE)):
        engine.connection = {**engine.connection, "url": url}
        engine.check(name, RoleProvider, **desired)
    engine.delete("a-ops")
    assert (set(nexus.roles), set(other_nexus.roles)) == ({"dev", "moving"}, {"dev", "ops"})


def test_swapped_ids_end_as_declared_when_address_changes_too(
    engine: Engine, nexus: Stored, new_run: NewRun
) -> None:
    a, b = {**ROLE, "role_id": "a"}, {**ROLE, "role_id": "b", "privileges": ["nx-b"]}
    create(engine, "one", engine.connection["url"], **a)
    create(engine, "two", engine.connection["url"], **b)
    new_run()
    engine.connection = {**engine.connection, "url": engine.connection["url"].replace("127.0.0.1", "localhost")}
    engine.diff("two", engine.check("two", RoleProvider, **{**b, "role_id": "a"}))
    engine.replace("one", **{**a, "role_id": "b"})
    engine.replace("two", **{**b, "role_id": "a"})
    assert {key: role["privileges"] for key, role in nexus.roles.items()} == {"b": ["nx-a"], "a": ["nx-b"]}


@pytest.mark.parametrize("existed", ["in the state", "on the server", "nowhere"])
def test_object_of_server_without_node_id_is_not_taken_for_another(
    engine: Engine, nexus: Stored, new_run: NewRun, other: FakeServer, other_nexus: Stored, existed: str
) -> None:
    """Such as one that answers 403. An object that this run adopted there may be that of the state."""
    other.script = lambda one: Response(403) if one.path.endswith("/node") else other_nexus(one)
    create(engine, "a-ops", engine.connection["url"], **OPS)
    if existed == "in the state":
        create(engine, "b-ops", other.url, **OPS)
    elif existed == "on the server":
        other_nexus.roles["ops"] = dict(nexus.roles["ops"])
    new_run()
    if existed == "in the state":
        engine.check("b-ops", RoleProvider, **OPS)
    else:
        create(engine, "b-ops", other.url, **OPS)
    if existed == "on the server":
        engine.delete("a-ops")
    else:
        with pytest.raises(Refused, match=r"role '.*': was not deleted: 'b-ops' has it at .* no node id tells"):
            engine.delete("a-ops")
    assert (set(nexus.roles), set(other_nexus.roles)) == ({"ops"}, {"ops"})


def test_object_is_deleted_with_password_that_run_sets(engine: Engine, nexus: Stored, new_run: NewRun) -> None:
    """The state of a resource that is no longer declared has the former one."""
    kind = AdminPasswordProvider
    engine.create("password", kind, engine.check("password", kind, password="pw"))
    create(engine, "ops", engine.connection["url"], **OPS)
    new_run()
    engine.connection = {**engine.connection, "password": "new"}
    engine.update("password", engine.check("password", kind, password="new"))
    engine.delete("ops")
    assert (nexus.roles, nexus.passwords["admin"]) == ({}, "new")


@pytest.mark.parametrize(
    ("in_force", "wanted"), [("initial", "pw"), ("pw", "changed")], ids=["another server", "the same"]
)
def test_admin_password_is_set_at_new_address(
    engine: Engine, new_run: NewRun, other: FakeServer, other_nexus: Stored, in_force: str, wanted: str
) -> None:
    """Of another server, which was installed in place of the former, or of the same with a changed password."""
    kind = AdminPasswordProvider
    desired: dict[str, Any] = {"password": "pw", "current_password": "initial"}
    engine.create("password", kind, engine.check("password", kind, **desired))
    new_run()
    other_nexus.passwords["admin"] = in_force
    engine.connection = {**engine.connection, "url": other.url}
    engine.update("password", engine.check("password", kind, **{**desired, "password": wanted}))
    assert other_nexus.passwords["admin"] == wanted


@pytest.mark.parametrize("status", [301, 404])
def test_object_is_deleted_at_new_address_of_server(
    engine: Engine, nexus: Stored, nexus_server: FakeServer, new_run: NewRun, status: int
) -> None:
    """At the former one, a proxy redirects, or something else responds."""
    create(engine, "dev", engine.connection["url"], **ROLE)
    create(engine, "ops", engine.connection["url"], **OPS)
    new_run()
    engine.connection["url"] = url = engine.connection["url"].replace("127.0.0.1", "localhost")
    nexus_server.script = lambda one: (
        nexus(one) if one.headers["Host"].startswith("localhost") else Response(status, headers={"Location": url})
    )
    engine.update("dev", engine.check("dev", RoleProvider, **ROLE))
    engine.delete("ops")
    assert set(nexus.roles) == {"dev"}


def test_missing_object_of_new_server_has_remedy(
    engine: Engine, new_run: NewRun, other: FakeServer, other_nexus: Stored
) -> None:
    """A refresh would find it on the former server, or get no response there."""
    other.script = lambda one: Response(403) if one.path.endswith("/node") else other_nexus(one)
    create(engine, "ops", engine.connection["url"], **OPS)
    new_run()
    engine.connection = {**engine.connection, "url": other.url}
    remedy = rf"role 'id': does not exist at {other.url}, .* `pulumi state delete 'urn:.*'`"
    with pytest.raises(Refused, match=remedy):
        engine.update("ops", engine.check("ops", RoleProvider, **OPS))
