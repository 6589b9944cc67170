"""Runs on two servers, and runs in which the address of a server changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.user import UserProvider

from .engine import ROLE, USER, Engine, NewRun
from .fake import FakeServer, serve
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
    """A resource that is declared no longer is deleted where it was created."""
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
    """It is added to an older state."""
    engine.create("one", RoleProvider, engine.check("one", RoleProvider, **ROLE))
    engine.state["one"][1].pop("configured_url", None)
    new_run()
    inputs: dict[str, Any] = engine.check("one", RoleProvider, **ROLE)
    sent = len(nexus_server.requests)
    engine.update("one", inputs)
    assert len(nexus_server.requests) == sent
    diff = RoleProvider().diff("dev", engine.state["one"][1], inputs)
    assert not diff.changes
