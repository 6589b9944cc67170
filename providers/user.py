"""User: an account in Nexus's own user directory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi

from .body import from_body, to_body
from .client import Connection, NexusClient, invalidate_credentials, segment
from .crud import STEERING, Actual, NexusProvider
from .errors import Refused
from .resource import NexusResource
from .schema import Field, choice, set_of, text
from .suggest import suggest

_PATHS = {
    "user_id": ("userId",),
    "first_name": ("firstName",),
    "last_name": ("lastName",),
    "email_address": ("emailAddress",),
    "status": ("status",),
    "roles": ("roles",),
}
_BUILT_IN = {"admin": "AdminPassword sets its password", "anonymous": "AnonymousAccess turns it on and off"}


class UserProvider(NexusProvider):
    kind = "user"
    schema = {
        "user_id": Field(
            text(
                r"(?!\.{1,2}$)[^\s:/\\\0]+",
                hint="must have no white space, ':', '/', '\\' or NUL, and not be '.' or '..'",
                longest=200,
            ),
            required=True,
            replaces=True,
        ),
        "password": Field(text(longest=4000), required=True, secret=True),
        "roles": Field(set_of(text()), required=True),
        "first_name": Field(text(longest=200)),
        "last_name": Field(text(longest=200)),
        "email_address": Field(
            text(r'(?:"[^\s"]+"|[^\s@"])+@[^\s@]+', hint="must be an e-mail address", longest=200)
        ),
        "status": Field(choice("active", "disabled"), default="active"),
        "incarnations": Field(set_of(text()), default=[]),
        **STEERING,
    }

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if inputs["roles"] == []:
            yield "roles", "must name at least one role: servers before 3.94 take no user without"
        if inputs["user_id"] in _BUILT_IN:
            yield "user_id", f"is built into Nexus: {_BUILT_IN[inputs['user_id']]}"

    def computed_inputs(self, olds: Mapping[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        user_id = inputs["user_id"]
        if not isinstance(user_id, str):
            return inputs
        return {
            "first_name": user_id,
            "last_name": user_id,
            "email_address": f"{_local_part(user_id)}@example.invalid",
            **inputs,
        }

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return str(inputs["user_id"])

    def path(self, inputs: Mapping[str, Any]) -> str:
        return f"/v1/security/users/{segment(self.identity(inputs))}"

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        user_id = self.identity(inputs)
        # The server searches for a prefix and ignores case.
        for body in client.get_list("/v1/security/users", userId=user_id, source="default"):
            if body["userId"] == user_id:
                return Actual(body, from_body(_PATHS, body))
        return None

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        self._require_roles(client, inputs)
        client.post("/v1/security/users", {**to_body(_PATHS, inputs), "password": inputs["password"]})
        invalidate_credentials(client)

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        self._require_roles(client, inputs)
        base = {key: value for key, value in actual.body.items() if key != "readOnly"}
        client.put(self.path(inputs), to_body(_PATHS, inputs, base))

    def secrets_match(self, client: NexusClient, inputs: Mapping[str, Any]) -> bool | None:
        if inputs["status"] != "active" or not inputs.get("password"):
            return None
        return client.as_user(inputs["user_id"], inputs["password"]).login()

    def write_secrets(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        change_password(client, inputs["user_id"], inputs["password"])

    def _require_roles(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        # Servers up to 3.77 silently take a new user with roles that do not exist.
        there = [role["id"] for role in client.get_list("/v1/security/roles")]
        missing = [role for role in inputs["roles"] if role not in there]
        if missing:
            raise Refused(f"roles {', '.join(missing)}: not on the server; {suggest(missing, there)}")


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


class User(NexusResource, module="nexus", name="User"):
    """An account in Nexus's own user directory.

    Args:
        resource_name: name of the resource in the stack.
        user_id: id of the user, at most 200 characters without white space, ``:``, ``/`` and ``\\``; replaces.
        password: secret; not empty, at most 4000 characters, and as the server's own policy wants it.
        roles: ids of at least one role; a set.
        first_name, last_name, email_address: Nexus wants them all, at most 200 characters each. Default: the
            id, and an address under ``example.invalid``, where no mail arrives.
        status: ``active`` or ``disabled``. Default ``active``.
        incarnations: ``incarnation`` of each role. Nexus strips a deleted role from every user; with this it is
            written again when it was replaced.
        connection, adopt: as for every Nexus resource. An existing user is taken as it is only when one login with
            the desired password succeeds.

    Outputs: every argument; the password secret. A refresh logs in once as an active user, and after a change by
    hand shows the password as changed.

    Errors: roles that are not on the server; a user that exists with another password or otherwise.

    A Docker token that the user has drawn survives a change of the password: to shut somebody out, delete the user
    and use another id, or take the roles away.

    Source: Nexus REST ``/v1/security/users``.
    """

    provider_class = UserProvider

    user_id: pulumi.Output[str]
    password: pulumi.Output[str]
    roles: pulumi.Output[list[str]]

    def __init__(
        self,
        resource_name: str,
        *,
        user_id: pulumi.Input[str],
        password: pulumi.Input[str],
        roles: pulumi.Input[Sequence[pulumi.Input[str]]],
        first_name: pulumi.Input[str] | None = None,
        last_name: pulumi.Input[str] | None = None,
        email_address: pulumi.Input[str] | None = None,
        status: pulumi.Input[str] | None = None,
        incarnations: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        connection: pulumi.Input[Connection] | None = None,
        adopt: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {key: value for key, value in locals().items() if key in self.provider_class.schema}
        super().__init__(resource_name, inputs, opts)
