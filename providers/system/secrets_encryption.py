"""SecretsEncryptionKey: the key that encrypts the secrets in Nexus's database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..client import NexusClient
from ..declare import NexusResource, Prop, prop
from ..kind import Actual
from ..rest import SettingProvider
from ..schema import text


class SecretsEncryptionKeyProvider(SettingProvider):
    kind = "secrets encryption key"
    setting = "/v1/secrets/encryption/re-encrypt"
    setting_id = "secrets-encryption"

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual:  # noqa: ARG002
        client.login()
        return Actual({}, {})  # the API does not tell which key is active

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual | None = None) -> None:  # noqa: ARG002
        notify = {"notifyEmail": inputs["notify_email"]} if inputs.get("notify_email") else {}
        client.put(self.setting, {**self.to_body(inputs), **notify})

    write_secrets = write

    def secrets_match(self, client: NexusClient, inputs: Mapping[str, Any]) -> bool | None:  # noqa: ARG002
        return None

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        """The secrets stay encrypted with the key."""

    def initial_outputs(self, before: Actual | None, replaced: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {}


class SecretsEncryptionKey(NexusResource, provider=SecretsEncryptionKeyProvider, since="3.74"):
    """The key that encrypts the secrets in Nexus's database. One per server.

    Creation, and each change of ``secret_key_id``, start a task of Nexus that encrypts every secret anew and goes
    on after the ``up``. The API does not tell which key is active, so a refresh sees no change. Deletion changes
    nothing: keep the key in the file.

    Errors: a key that the file named by ``nexus.secrets.file`` in ``nexus.properties`` does not hold; a task that
    still runs.

    Source: Nexus REST ``/v1/secrets/encryption/re-encrypt``.
    """

    secret_key_id: Prop[str] = prop(text(), path="secretKeyId")
    """Id of a key in the file."""
    notify_email: Prop[str | None] = prop(text(), local=True, default=None)
    """Address that is notified when the task ends."""
