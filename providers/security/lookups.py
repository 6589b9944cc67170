"""What users and roles are checked against: their ids, and what is on the server."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..client import NexusClient, segment
from ..compat import USER_REALM_SINCE
from ..errors import NotFound, Refused
from ..kind import Actual
from ..rest import ObjectProvider
from ..schema import text
from ..suggest import not_on_server

LOOKUP_LIFETIME = 10.0
"""Seconds in which a role that was seen on the server counts as being there."""
USER_ID = text(
    r"(?!\.{1,2}$)[^\s:/\\\0]+",
    hint="must have no white space, ':', '/', '\\' or NUL, and not be '.' or '..'",
    max_length=200,
)


def note_roles(client: NexusClient, roles: Iterable[str]) -> None:
    """Remember for a moment that these roles are on the server."""
    client.seen.update(dict.fromkeys(map(_key, roles), time.monotonic()))


def forget_roles(client: NexusClient) -> None:
    """Call when a role was deleted."""
    client.seen.clear()


def require_roles(client: NexusClient, roles: Sequence[str]) -> None:
    """Refuse a role that is not on the server: servers up to 3.77 silently take a new user with such a role."""
    missing, existing = missing_roles(client, roles)
    if missing:
        raise Refused(not_on_server("roles", missing, existing))


def missing_roles(client: NexusClient, roles: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those of these roles that are not on the server, and what its list has if it was read."""
    earliest = time.monotonic() - LOOKUP_LIFETIME
    if all(client.seen.get(_key(role), earliest) > earliest for role in roles):
        return [], []
    existing = [role["id"] for role in client.get_list("/v1/security/roles")]
    note_roles(client, existing)
    # The list may lack for a moment what has just been written (seen with 3.71); a single role does not.
    return [role for role in roles if role not in existing and not _has_role(client, role)], existing


def _key(role: str) -> str:
    return f"role {role}"


def _has_role(client: NexusClient, role: str) -> bool:
    try:
        client.get_object(f"/v1/security/roles/{segment(role)}", source="default")
    except NotFound:
        return False
    return True


class NotedRoles(ObjectProvider):
    """Roles, of which those that were just written need not be looked for when a user is to get them."""

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        found = super().find(client, inputs)
        note_roles(client, [self.identity(inputs)] if found else [])
        return found

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        try:
            super().remove(client, properties)
        finally:
            forget_roles(client)


class LocalAccounts(ObjectProvider):
    """Accounts in Nexus's own directory, whose ids other directories may have, too."""

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        # The server searches for a prefix and ignores case.
        found = client.get_list("/v1/security/users", userId=self.identity(inputs), source="default")
        return next((self.actual(body) for body in found if self.is_it(body, inputs)), None)

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        # Before 3.69, Nexus ignores the realm and takes the account of the first realm that has the id. It refuses
        # to delete one of LDAP or Crowd (UserApiResource.deleteUser).
        if client.is_before(USER_REALM_SINCE):
            found = client.get_list("/v1/security/users", userId=self.identity(properties))
            sources = {body["source"] for body in found if self.is_it(body, properties)}
            if "default" not in sources:
                return
            if "SAML" in sources:
                raise Refused(
                    "user_id: is also an account of SAML, which Nexus before 3.69 may delete in its place. Delete "
                    "the user of the source Local in the user interface, and run the command again"
                )
        super().remove(client, properties)
