"""The password of a user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..client import NexusClient, invalidate_credentials, segment
from ..rest import ObjectProvider

OPERATION = "PUT /v1/security/users/{key}/change-password"


def change_password(client: NexusClient, user_id: str, password: str) -> None:
    """Set a user's password; the user stays logged in at nothing but docker tokens, which survive it."""
    client.put_text(f"/v1/security/users/{segment(user_id)}/change-password", password)
    invalidate_credentials(client)


class PasswordProvider(ObjectProvider):
    """A provider of accounts whose password a login compares and an operation of its own sets."""

    writes = (OPERATION,)

    def secrets_match(self, client: NexusClient, inputs: Mapping[str, Any]) -> bool | None:
        if inputs["status"] != "active" or not inputs.get("password"):
            return None
        return client.as_user(inputs["user_id"], inputs["password"]).login()

    def reads_secrets(self, inputs: Mapping[str, Any]) -> bool:
        return self.check_passwords and bool(inputs["check_password"])

    def write_secrets(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        if inputs.get("password"):
            change_password(client, inputs["user_id"], inputs["password"])
