"""User: an account in Nexus's own user directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..client import NexusClient, invalidate_credentials
from ..declare import ListProp, NexusResource, Prop, prop
from ..errors import Refused
from ..kind import Actual
from ..marks import Incarnations
from ..schema import boolean, choice, set_of, text
from .email_address import EMAIL_ADDRESS, default_address
from .lookups import USER_ID, LocalAccounts, require_roles
from .password import PasswordProvider

_BUILT_IN = {"admin": "AdminPassword sets its password", "anonymous": "AnonymousAccess turns it on and off"}


class UserProvider(LocalAccounts, PasswordProvider):
    kind = "user"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if inputs["roles"] == []:
            yield "roles", "must name at least one role, which servers before 3.94 require"
        if inputs["user_id"] in _BUILT_IN:
            yield "user_id", f"is built into Nexus: {_BUILT_IN[inputs['user_id']]}"

    def computed_inputs(self, olds: Mapping[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
        inputs = super().computed_inputs(olds, inputs)
        if not isinstance(user_id := inputs["user_id"], str):
            return inputs
        return {"first_name": user_id, "last_name": user_id, "email_address": default_address(user_id), **inputs}

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        if not inputs.get("password"):
            raise Refused("password: is missing, and there is no such user. Give the password of the new user")
        require_roles(client, inputs["roles"])
        client.post(self.collection, {**self.to_body(inputs), "password": inputs["password"]})
        invalidate_credentials(client)

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        require_roles(client, inputs["roles"])
        super().write(client, inputs, actual)

    def is_built_in(self, actual: Actual) -> bool:
        return actual.properties["user_id"] in _BUILT_IN


class User(
    Incarnations,
    NexusResource,
    provider=UserProvider,
    collection="/v1/security/users",
    list_path="/v1/security/users?source=default",
    delete_path="{item}?realm=NexusAuthenticatingRealm",
    key="user_id",
    read_only=("readOnly",),
):
    """An account in Nexus's own user directory.

    An existing user is adopted only when one login with the desired password succeeds; without ``password``, it
    keeps its own. A refresh logs in once for each user and reports a password that was changed by hand;
    ``nexus-registry:check_passwords`` turns that off for all. Docker tokens survive a change of the password.

    Errors: roles that are not on the server; a user that exists with another password or differs otherwise.

    Source: Nexus REST ``/v1/security/users``.
    """

    user_id: Prop[str] = prop(USER_ID, path="userId", replaces=True)
    """Id of the user, at most 200 characters without white space, ``:``, ``/`` and ``\\``."""
    password: Prop[str | None] = prop(text(max_length=4000), secret=True, default=None)
    """The password: at most 4000 characters, and as the policy of the server requires. Required for a new user."""
    roles: ListProp[str] = prop(set_of(text()), path="roles", refers="Role")
    """Ids of at least one role; a set."""
    first_name: Prop[str] = prop(text(max_length=200), path="firstName", default=None)
    """First name, at most 200 characters. Default: the id."""
    last_name: Prop[str] = prop(text(max_length=200), path="lastName", default=None)
    """Last name, at most 200 characters. Default: the id."""
    email_address: Prop[str] = prop(EMAIL_ADDRESS, path="emailAddress", default=None)
    """E-mail address, at most 200 characters. Default: one under ``example.invalid``, where no mail arrives."""
    status: Prop[str] = prop(choice("active", "disabled"), path="status", default="active")
    """``active`` or ``disabled``."""
    check_password: Prop[bool] = prop(boolean, local=True, default=True)
    """Let a refresh log in as the user, to see whether the password was changed by hand."""
