"""What is sent when objects that exist are adopted."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.user import UserProvider

from tests.contract.tracked import Tracked

from .fake import FakeServer, serve
from .stored import Stored

USER: dict[str, Any] = {"user_id": "alice", "roles": ["everyone"]}


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serve(Stored()) as fake:
        yield fake


def tracked(provider: Any, server: FakeServer, *, adopts_all: bool = False) -> Tracked:
    made = provider()
    config = {"nexus-registry:adopt": "true"} if adopts_all else {}
    made.configure(SimpleNamespace(config=config))
    return Tracked(made, {"url": server.url, "password": "pw"})


def writes(server: FakeServer) -> list[str]:
    return [one for one in server.methods() if not one.startswith("GET ")]


@pytest.mark.parametrize("configured", [True, False])
def test_adopted_object_that_is_as_desired_is_not_written(server: FakeServer, configured: bool) -> None:
    tracked(RoleProvider, server).up(role_id="a", description="one")
    server.requests.clear()
    inputs = {"role_id": "a", "description": "one", **({} if configured else {"adopt": True})}
    assert tracked(RoleProvider, server, adopts_all=configured).up(**inputs) == "create"
    assert writes(server) == []


def test_configuration_has_object_that_differs_adopted(server: FakeServer) -> None:
    tracked(RoleProvider, server).up(role_id="a", description="one")
    with pytest.raises(Refused, match="differs"):
        tracked(RoleProvider, server).up(role_id="a", description="two")
    server.requests.clear()
    tracked(RoleProvider, server, adopts_all=True).up(role_id="a", description="two")
    assert writes(server) == ["PUT /v1/security/roles/a"]


@pytest.mark.parametrize("status", ["active", "disabled"])
def test_existing_user_keeps_its_password_where_none_is_given(server: FakeServer, status: str) -> None:
    tracked(UserProvider, server).up(**USER, status=status, password="one")
    server.requests.clear()
    user = tracked(UserProvider, server, adopts_all=True)
    assert user.up(**USER, status=status) == "create"
    assert user.refresh() == "same"
    assert writes(server) == []
    assert user.up(**USER, status=status, password="two") == "update"
    assert user.up(**USER, status=status) == "update"
    assert [one for one in writes(server) if "change-password" in one] == [
        "PUT /v1/security/users/alice/change-password"
    ]


def test_new_user_needs_password(server: FakeServer) -> None:
    with pytest.raises(Refused, match=r"^user 'alice': password: is missing, and there is no such user\. Give"):
        tracked(UserProvider, server).up(**USER)
    assert writes(server) == []
