"""How a scripted Nexus verifies an LdapServer: before the write, by versions that can, without secrets."""

from __future__ import annotations

import json
from typing import Any

import nexus_registry.providers as providers
import pytest
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.errors import NexusError
from nexus_registry.providers.run import Run

from tests.contract.tracked import Tracked

from .fake import FakeServer, Request, Response, Script, serve

LDAP = {
    "name": "staff",
    "host": "ldap.example.com",
    "search_base": "dc=example,dc=com",
    "user_base_dn": "ou=people",
    "auth_username": "cn=nexus",
    "auth_password": "bind-secret",
}
NEW = {"Server": "Nexus/3.94.0-12 (PRO)"}
USERS = [{"username": "ada", "realName": "Ada", "email": "a@b.example", "membership": []}]


def nexus(
    connection: Response | None = None, users: Response | None = None, headers: dict[str, str] | None = None
) -> Script:
    """A server with one LDAP server at most, and these answers to the verification."""
    stored: dict[str, Any] = {}

    def script(request: Request) -> Response:
        path = request.path.removeprefix("/service/rest/v1/security/ldap")
        body = json.loads(request.body) if request.body.startswith("{") else {}
        response = Response(200)
        if path == "/verify-connection":
            response = connection or Response(200)
        elif path == "/verify-user-mapping":
            response = users or Response(200, USERS)
        elif request.method in ("POST", "PUT"):
            stored.update({key: value for key, value in body.items() if key != "authPassword"})
            response = Response(204)
        elif request.method == "GET" and path == "/staff":
            response = Response(200, stored) if stored else Response(404)
        elif request.method == "GET" and path == "":
            response = Response(200, [stored] if stored else [])
        response.headers = NEW if headers is None else headers
        return response

    return script


def tracked(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Tracked:
    monkeypatch.setattr(NexusProvider, "run", Run())
    connection: Any = {"url": server.url, "username": "admin", "password": "pw"}
    return Tracked(providers.LdapServer.provider_class(), connection)  # type: ignore[arg-type]


def asked(server: FakeServer) -> list[str]:
    """The requests but reads, each by the last part of its path."""
    return [f"{one.method} {one.path.rpartition('/')[2]}" for one in server.requests if one.method != "GET"]


CHECKS = ["POST verify-connection", "POST verify-user-mapping"]


def test_directory_is_verified_before_each_write_and_users_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(nexus()) as server:
        ldap = tracked(server, monkeypatch)
        assert ldap.up(**LDAP) == "create"
        assert asked(server) == [*CHECKS, "POST ldap", CHECKS[1]]
        assert (ldap.outs or {})["mapped_users"] == 1
        bodies = [json.loads(one.body) for one in server.requests if one.path.endswith("verify-connection")]
        assert [one["authPassword"] for one in bodies] == ["bind-secret"]
        server.requests.clear()
        assert ldap.up(**LDAP) == "same"
        assert asked(server) == []
        assert ldap.up(**{**LDAP, "auth_password": "another"}) == "update"
        assert asked(server) == [*CHECKS, "PUT staff", CHECKS[1]]


@pytest.mark.parametrize(
    ("headers", "answer", "inputs", "sent"),
    [
        (NEW, None, {"verify_connection": False}, []),
        ({"Server": "Nexus/3.91.0-01 (PRO)"}, None, {}, []),
        ({"Server": "proxy"}, Response(404), {}, [*CHECKS, "POST ldap", CHECKS[1]]),
        ({"Server": "proxy"}, Response(405), {}, [*CHECKS, "POST ldap", CHECKS[1]]),
    ],
    ids=["switched off", "older", "hidden version without it", "not allowed"],
)
def test_server_that_can_not_verify_is_not_verified_with(
    headers: dict[str, str],
    answer: Response | None,
    inputs: dict[str, Any],
    sent: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serve(nexus(answer, answer, headers)) as server:
        ldap = tracked(server, monkeypatch)
        assert ldap.up(**LDAP, **inputs) == "create"
        assert asked(server) == (sent or ["POST ldap"])
        assert (ldap.outs or {}).get("mapped_users") is None


def java(message: str, status: int = 400) -> Response:
    return Response(status, [{"id": "*", "message": message}])


@pytest.mark.parametrize(
    ("connection", "users", "said"),
    [
        (java("[LDAP: error code 49 - Invalid Credentials]"), None,
         "auth_password: ldaps://ldap.example.com:636 refuses the bind as 'cn=nexus'. Correct auth_username"),
        (java("[LDAP: error code 48 - Inappropriate Authentication]"), None,
         "auth_scheme: ldaps://ldap.example.com:636 does not accept SIMPLE. Choose another"),
        (java("simple bind failed: PKIX path building failed"), None, "use_trust_store: Nexus does not trust"),
        (java("ldap.example.com:636; nested exception: bind-secret", 500), None,
         "host: Nexus can't query ldaps://ldap.example.com:636: ldap.example.com:636; nested exception: [secret]"),
        (Response(503), None, "host: Nexus can't query"),
        (None, java("[LDAP: error code 32 - No Such Object]"),
         "search_base: ldaps://ldap.example.com:636 has no entry 'ou=people,dc=example,dc=com'. Correct"),
        (None, Response(200, []),
         "search_base: Nexus finds no user below 'ou=people,dc=example,dc=com' with the object class 'inetOrg"
         "Person' and the filter '(a=b)'. Correct"),
    ],
    ids=["password", "scheme", "certificate", "other", "no answer", "base", "nobody"],
)  # fmt: skip
def test_failed_verification_names_property_and_writes_nothing(
    connection: Response | None, users: Response | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(nexus(connection, users)) as server:
        ldap = tracked(server, monkeypatch)
        with pytest.raises(NexusError) as caught:
            ldap.up(**LDAP, user_ldap_filter="(a=b)")
        assert said in str(caught.value)
        assert "bind-secret" not in str(caught.value)
        assert "POST ldap" not in asked(server)
