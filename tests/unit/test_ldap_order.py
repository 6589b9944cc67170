"""The order of LDAP servers, which Nexus keeps by itself."""

from __future__ import annotations

import json
from typing import Any

import nexus_registry.providers as providers
import pytest
from nexus_registry.providers.client import Connection, client_for
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.run import Run

from tests.contract.tracked import Tracked

from .fake import Request, Response, serve


def test_server_to_delete_is_last_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NexusProvider, "run", Run())
    order = ["b", "a"]

    def script(request: Request) -> Response:
        if request.method == "POST":
            order[:] = json.loads(request.body)
        return Response(200, [{"name": name, "order": place} for place, name in enumerate(order)])

    with serve(script) as fake:
        connection: Connection = {"url": fake.url, "username": "admin", "password": "pw"}
        tracked = Tracked(providers.LdapServerOrder.provider_class(), connection)  # type: ignore[arg-type]
        assert tracked.up(names=["b", "a"]) == "create"
        assert tracked.up(names=["a"]) == "update"
        assert order == ["a", "b"]
        order.remove("b")
        assert tracked.refresh() == "same"
        order.insert(0, "by hand")
        assert tracked.refresh() == "drift"


def test_replaced_ldap_server_gets_its_place_in_order_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nexus appends a new server to the order."""
    monkeypatch.setattr(NexusProvider, "run", Run())
    order: list[str] = []

    def script(request: Request) -> Response:
        body = json.loads(request.body or "null")
        if request.method == "DELETE":
            order.remove(request.path.rpartition("/")[2])
        elif request.path.endswith("change-order"):
            order[:] = body
        elif request.method == "POST":
            order.append(body["name"])
        return Response(200, [{"name": name, "order": place} for place, name in enumerate(order)])

    ldap: Any = providers.LdapServer.provider_class
    with serve(script) as fake:
        connection: Connection = {"url": fake.url, "username": "admin", "password": "pw"}
        server = {
            "host": "a.example.com",
            "search_base": "dc=example",
            "auth_scheme": "NONE",
            "connection": connection,
        }

        def mark(name: str) -> str:
            inputs = ldap().check({}, {**server, "name": name}).inputs
            ldap().insert(client_for(connection), inputs)
            return str(inputs["incarnation"])

        marks = {name: mark(name) for name in ("a", "b")}
        tracked = Tracked(providers.LdapServerOrder.provider_class(), connection)  # type: ignore[arg-type]
        tracked.up(names=["a", "b"], incarnations=[*marks.values()])
        ldap().remove(client_for(connection), {"name": "a"})
        assert tracked.up(names=["a", "b"], incarnations=[mark("a"), marks["b"]]) == "update"
    assert order == ["a", "b"]
