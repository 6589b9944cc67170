"""The deletion of a user whose id an account of another directory has, too."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.security.user import UserProvider

from .fake import Request, Response, serve

REALM = "DELETE /v1/security/users/ada?realm=NexusAuthenticatingRealm"


class Directories:
    """The script of a server that has ``ada`` in these directories, as UserApiResource.deleteUser treats them.

    A server before 3.69 ignores the realm and takes the first directory, in the order of the active realms.
    """

    def __init__(self, version: str, sources: str) -> None:
        self.version, self.sources = version, sources.split()

    def __call__(self, request: Request) -> Response:
        status, body = self.answer(request)
        return Response(status, body, {"Server": f"Nexus/{self.version} (PRO)"})

    def answer(self, request: Request) -> tuple[int, Any]:
        if request.method == "GET":
            asked = parse_qs(urlsplit(request.path).query).get("source", self.sources)
            return 200, [{"userId": "ada", "source": one} for one in self.sources if one in asked]
        known = "realm=NexusAuthenticatingRealm" in request.path and self.version >= "3.69"
        first = "default" if known else next(iter(self.sources), "")
        if first not in self.sources:
            return 404, ""
        if first not in ("default", "SAML"):
            return 400, '"Non-local user cannot be deleted."'
        self.sources.remove(first)
        return 204, ""


@pytest.mark.parametrize(
    ("version", "sources", "left", "said"),
    [
        ("3.77.0-08", "SAML default", "SAML", ""),
        ("3.77.0-08", "LDAP default", "LDAP", ""),
        ("3.77.0-08", "LDAP", "LDAP", ""),
        ("3.68.0-04", "default", "", ""),
        ("3.68.0-04", "default LDAP", "LDAP", ""),
        ("3.68.0-04", "LDAP default", "LDAP default", "Non-local user cannot be deleted"),
        ("3.68.0-04", "LDAP", "LDAP", ""),
        ("3.68.0-04", "SAML", "SAML", ""),
        ("3.68.0-04", "SAML default", "SAML default", "is also an account of SAML, which"),
    ],
)
def test_delete_keeps_account_of_other_directory(version: str, sources: str, left: str, said: str) -> None:
    server = Directories(version, sources)
    with serve(server) as fake:
        state = {"user_id": "ada", "roles": ["a"], "connection": {"url": fake.url, "password": "pw"}}
        if said:
            with pytest.raises(Refused, match=said):
                UserProvider().delete("ada", state)
        else:
            UserProvider().delete("ada", state)
    assert server.sources == left.split()
