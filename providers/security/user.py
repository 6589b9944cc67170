"""User: an account in Nexus's own user directory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..client import NexusClient, invalidate_credentials, segment
from ..crud import Actual
from ..declare import ListProp, NexusResource, Prop, prop
from ..errors import Refused
from ..marks import Incarnations
from ..rest import ObjectProvider
from ..schema import choice, set_of, text
from ..suggest import suggest

_BUILT_IN = {"admin": "AdminPassword sets its password", "anonymous": "AnonymousAccess turns it on and off"}


class UserProvider(ObjectProvider):
    kind = "user"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if inputs["roles"] == []:
            yield "roles", "must name at least one role: servers before 3.94 take no user without"
        if inputs["user_id"] in _BUILT_IN:
            yield "user_id", f"is built into Nexus: {_BUILT_IN[inputs['user_id']]}"

    def computed_inputs(self, olds: Mapping[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        user_id = inputs["user_id"]
        if not isinstance(user_id, str):
            return inputs
        email = f"{_local_part(user_id)}@example.invalid"
        return {"first_name": user_id, "last_name": user_id, "email_address": email, **inputs}

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        # The server searches for a prefix and ignores case.
        found = client.get_list("/v1/security/users", userId=self.identity(inputs), source="default")
        return next((self.actual(body) for body in found if self.is_it(body, inputs)), None)

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        self._require_roles(client, inputs)
        client.post(self.collection, {**self.to_body(inputs), "password": inputs["password"]})
        invalidate_credentials(client)

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        self._require_roles(client, inputs)
        super().write(client, inputs, actual)

    def secrets_match(self, client: NexusClient, inputs: Mapping[str, Any]) -> bool | None:
        if inputs["status"] != "active" or not inputs.get("password"):
            return None
        return client.as_user(inputs["user_id"], inputs["password"]).login()

    def write_secrets(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        change_password(client, inputs["user_id"], inputs["password"])

    def _require_roles(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        # Servers up to 3.77 silently take a new user with roles that do not exist.
        for roles in (client.cached_list, client.get_list):
            there = [role["id"] for role in roles("/v1/security/roles")]
            missing = [role for role in inputs["roles"] if role not in there]
            if not missing:
                return
        raise Refused(f"roles: {', '.join(missing)} is not on the server; {suggest(missing, there)}")


_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\uffff-]"
_QUOTED = rf"(?:{_ATOM}|[.(),<>\[\]:;@ ])"
_LOCAL_PART = re.compile(rf'(?:{_ATOM}+|"{_QUOTED}+")(?:\.(?:{_ATOM}+|"{_QUOTED}+"))*')
"""What the server takes before the ``@`` of an address, up to 64 characters: Hibernate Validator's grammar."""


def _local_part(user_id: str) -> str:
    """What stands before the ``@`` of the default address: the id, or where that is not legal one made from it."""
    if len(user_id) <= 64 and _LOCAL_PART.fullmatch(user_id):
        return user_id
    readable = re.sub(r"[^A-Za-z0-9]+", "-", user_id)[:32].strip("-") or "user"
    return f"{readable}-{hashlib.sha256(user_id.encode()).hexdigest()[:12]}"


def change_password(client: NexusClient, user_id: str, password: str) -> None:
    """Set a user's password; the user stays logged in at nothing but docker tokens, which survive it."""
    client.put_text(f"/v1/security/users/{segment(user_id)}/change-password", password)
    invalidate_credentials(client)


class User(
    Incarnations,
    NexusResource,
    provider=UserProvider,
    collection="/v1/security/users",
    list_path="/v1/security/users?source=default",
    key="user_id",
    read_only=("readOnly",),
):
    """An account in Nexus's own user directory.

    An existing user is adopted only when one login with the desired password succeeds. A refresh logs in once as
    an active user, and after a change by hand shows the password as changed. A Docker token that the user has
    drawn survives a change of the password: to shut somebody out, delete the user and use another id, or take
    the roles away.

    Errors: roles that are not on the server; a user that exists with another password or differs otherwise.

    Source: Nexus REST ``/v1/security/users``.
    """

    user_id: Prop[str] = prop(
        text(
            r"(?!\.{1,2}$)[^\s:/\\\0]+",
            hint="must have no white space, ':', '/', '\\' or NUL, and not be '.' or '..'",
            max_length=200,
        ),
        path="userId",
        replaces=True,
    )
    """Id of the user, at most 200 characters without white space, ``:``, ``/`` and ``\\``."""
    password: Prop[str] = prop(text(max_length=4000), secret=True)
    """The password: at most 4000 characters, and as the server's own policy wants it."""
    roles: ListProp[str] = prop(set_of(text()), path="roles", refers="Role")
    """Ids of at least one role; a set."""
    first_name: Prop[str] = prop(text(max_length=200), path="firstName", default=None)
    """First name, at most 200 characters. Default: the id."""
    last_name: Prop[str] = prop(text(max_length=200), path="lastName", default=None)
    """Last name, at most 200 characters. Default: the id."""
    email_address: Prop[str] = prop(
        text(r'(?:"[^\s"]+"|[^\s@"])+@[^\s@]+', hint="must be an e-mail address", max_length=200),
        path="emailAddress",
        default=None,
    )
    """E-mail address, at most 200 characters. Default: one under ``example.invalid``, where no mail arrives."""
    status: Prop[str] = prop(choice("active", "disabled"), path="status", default="active")
    """``active`` or ``disabled``."""
