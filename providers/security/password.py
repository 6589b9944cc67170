"""The password of a user."""

from __future__ import annotations

from ..client import NexusClient, invalidate_credentials, segment

OPERATION = "PUT /v1/security/users/{key}/change-password"


def change_password(client: NexusClient, user_id: str, password: str) -> None:
    """Set a user's password; the user stays logged in at nothing but docker tokens, which survive it."""
    client.put_text(f"/v1/security/users/{segment(user_id)}/change-password", password)
    invalidate_credentials(client)
