"""AdminPassword: the password of an administrator, from the stack's secret configuration."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pulumi.dynamic import CreateResult, ReadResult, UpdateResult

from ..client import NexusClient, invalidate_credentials
from ..crud import NexusProvider
from ..declare import NexusResource, Prop, prop
from ..errors import RateLimited, Unauthorized
from ..schema import normalised, text
from .password import OPERATION, change_password


class AdminPasswordProvider(NexusProvider):
    kind = "admin password"
    writes = (OPERATION,)

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return str(inputs.get("username") or "admin")

    def create(self, props: dict[str, Any]) -> CreateResult:
        inputs = normalised(self.schema, props)
        with self.api_errors(self.identity(inputs), inputs) as client:
            self._bring_in_force(client, inputs, inputs.get("current_password"))
        return CreateResult(self.identity(inputs), inputs)

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        inputs = normalised(self.schema, news)
        before, given = olds.get("password"), inputs.get("current_password")
        moved = self._server(olds) != self._server(inputs)  # perhaps to another server
        changed = inputs["password"] != before
        if given and (before is None or given != olds.get("current_password") or (moved and not changed)):
            before = given  # it was changed by hand, and the program states it
        if moved or changed or before == given:
            with self.api_errors(id_, inputs) as client:
                self._bring_in_force(client, inputs, before)
        return UpdateResult(inputs)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        state = normalised(self.schema, props)
        if not state.get("password"):  # an earlier refresh found another password
            return self.read_result(id_, state, props)
        with self.api_errors(id_, state, from_state=True) as client, suppress(RateLimited):
            if not client.as_user(state["username"], state["password"]).login():
                state = self.without_secrets(state)
        return self.read_result(id_, state, props)

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """The server keeps the password."""

    def _bring_in_force(self, client: NexusClient, inputs: Mapping[str, Any], before: str | None) -> None:
        """At most two passwords are tried, once each: the desired one, then the current one."""
        username, password = inputs["username"], inputs["password"]
        if client.as_user(username, password).login():
            return
        if before and before != password:
            former = client.as_user(username, before)
            if former.login():
                try:
                    change_password(former, username, password)
                except Unauthorized:  # it was changed, the answer lost, and asked again with the former one
                    invalidate_credentials(client)
                    if not client.as_user(username, password).login():
                        raise
                return
        tried = "nor the one before it" if before else "and no other is known (current_password)"
        raise Unauthorized(
            f"Nexus does not take the desired password of {username!r}, {tried}. Give the one in force as "
            "current_password (NexusServer: current_admin_password); nothing else was tried, because wrong logins "
            "lock the account"
        )


class AdminPassword(NexusResource, provider=AdminPasswordProvider):
    """The password of the account that administers the server. One per server and account.

    A change of it, or of the server's address, tries the new password and then the one in the state, or a newly
    given ``current_password``, once each. A refresh logs in once, and after a change by hand shows the password as
    changed. Deletion changes nothing on the server. The password of ``connection`` is the desired one.

    Errors: neither password is in force.

    Source: Nexus REST ``/v1/security/users/{id}/change-password``.
    """

    username: Prop[str] = prop(text(), default="admin", replaces=True)
    """Name of the account."""
    password: Prop[str] = prop(text(max_length=4000), secret=True)
    """Password that the account is to have."""
    current_password: Prop[str | None] = prop(text(), secret=True, local=True, default=None)
    """Password that the account has now, if the server was set up by other means. Used once."""
