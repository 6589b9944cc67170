"""ExternalUser: roles for an account of LDAP, Crowd or SAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from ..client import NexusClient, segment
from ..declare import ListProp, NexusResource, Prop, prop
from ..errors import Refused
from ..kind import Actual
from ..marks import Incarnations
from ..rest import RestoredSetting, SettingProvider
from ..schema import Invalid, set_of, text
from ..suggest import not_on_server
from .email_address import default_address
from .lookups import USER_ID, missing_roles, require_roles

_USERS = "/v1/security/users"
_LIMIT = 100
"""So many accounts of another source Nexus returns for the beginning of an id (UserApiResource in its source)."""


def _source(value: Any) -> str:
    if (source := text()(value)) == "default":
        raise Invalid("is Nexus's own user directory. Use User")
    return str(source)


class ExternalUserProvider(SettingProvider):
    kind = "user of another source"
    setting = f"{_USERS}/{{key}}"

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return f"{inputs['source']}:{inputs['user_id']}"

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:  # type: ignore[override]
        account, complete = self._search(client, inputs)
        if account or complete:
            return account
        source = inputs["source"]
        raise Refused(
            f"user_id: is not among the {_LIMIT} accounts of {source} that Nexus returns, whose ids begin with "
            f"{inputs['user_id']!r}. Give the roles to a group of {source} instead"
        )

    def _search(self, client: NexusClient, inputs: Mapping[str, Any]) -> tuple[Actual | None, bool]:
        """The account, and whether Nexus returned every one whose id begins so."""
        found = client.get_list(_USERS, userId=inputs["user_id"], source=inputs["source"])
        account = next((self.actual(one) for one in found if one["userId"] == inputs["user_id"]), None)
        return account, len(found) < _LIMIT

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        existing = [one["id"] for one in client.get_list("/v1/security/user-sources")]
        missing = not_on_server("source", [inputs["source"]], existing)
        raise Refused(missing or f"user_id: is not in {inputs['source']}. Create the account there first")

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        require_roles(client, inputs["roles"])
        user = inputs["user_id"]
        # The server changes only the roles, and wants the rest to have values.
        filled = {"firstName": user, "lastName": user, "emailAddress": default_address(user), "status": "active"}
        returned = {key: value for key, value in actual.body.items() if value}
        client.put(f"{_USERS}/{segment(user)}", self.to_body(inputs, {**filled, **returned}))

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        if not (before := properties.get("before")):
            return
        account, complete = self._search(client, properties)
        if account is None:
            if not complete:
                pulumi.log.warn(
                    f"{self.kind} {self.identity(properties)!r} is not among the {_LIMIT} accounts that Nexus "
                    "returns, so its roles stay. Remove them in Nexus, or in its source"
                )
            return
        missing, _ = missing_roles(client, before["roles"])
        roles = [role for role in before["roles"] if role not in missing]
        try:
            super().remove(client, {**properties, "before": {**before, "roles": roles}})
        except Refused:  # before 3.94, Nexus takes no user without roles
            if roles:
                raise


class ExternalUser(Incarnations, RestoredSetting, NexusResource, provider=ExternalUserProvider):
    """The roles that Nexus itself gives to an account of LDAP, Crowd or SAML, besides those of its groups.

    The account must be in its source; a SAML account is there after its first login (see :class:`SamlUser`).
    Deletion restores the roles found at creation, unless they were changed since. Nexus before 3.94 takes no user
    without roles, so there the last ones stay.

    Errors: an account that its source does not have; a source and roles that are not on the server; an account
    that Nexus does not return because its source has more than 100 whose ids begin so.

    Source: Nexus REST ``/v1/security/users``, with another ``source`` than ``default``.
    """

    user_id: Prop[str] = prop(USER_ID, path="userId", replaces=True)
    """Id of the user in its source."""
    source: Prop[str] = prop(_source, path="source", replaces=True)
    """Where the account is: ``LDAP``, ``Crowd``, ``SAML`` … (``/v1/security/user-sources`` lists them)."""
    roles: ListProp[str] = prop(set_of(text()), path="roles", refers="Role")
    """Ids of roles; a set."""
