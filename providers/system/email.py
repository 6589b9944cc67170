"""Email: the server through which Nexus sends mail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..client import NexusClient
from ..declare import NexusResource, Prop, prop
from ..rest import RestoredSetting, SettingProvider
from ..schema import boolean, port, text


class EmailProvider(SettingProvider):
    kind = "email server"
    setting = "/v1/email"
    setting_id = "email"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if inputs.get("password") is not None and inputs.get("username") is None:
            yield "username", "is required with password"
        if inputs["start_tls_required"] is True and inputs["start_tls_enabled"] is False:
            yield "start_tls_enabled", "must be true with start_tls_required"

    def from_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        # Nexus returns an empty user name where it has none.
        return {name: None if value == "" else value for name, value in super().from_body(body).items()}

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        """Restore the value found at creation, or clear the setting if the server does not accept that value."""
        if self.mismatches(self.last_written(properties), self.find(client, properties)):
            return
        before = properties.get("before") or {}
        if before.get("host") and before.get("from_address"):
            super().remove(client, properties)
        else:
            client.delete(self.setting)


class Email(RestoredSetting, NexusResource, provider=EmailProvider):
    """The server through which Nexus sends mail. One per Nexus.

    The password can't be read: it is written when it changes here. Deletion restores what was found at creation,
    without a password, unless it was changed since.

    Source: Nexus REST ``/v1/email``.
    """

    enabled: Prop[bool] = prop(boolean, path="enabled", default=True)
    """Whether mail is sent."""
    host: Prop[str] = prop(text(r"\S+", hint="must be a host name or an address"), path="host")
    """Host name of the mail server."""
    port: Prop[int] = prop(port, path="port", default=25)
    """Port of the mail server."""
    username: Prop[str | None] = prop(text(), path="username", default=None)
    """User at the mail server."""
    password: Prop[str | None] = prop(text(), path="password", default=None, secret=True)
    """Password of ``username``."""
    from_address: Prop[str] = prop(text(r"[^\s@]+@[^\s@]+", hint="must be an e-mail address"), path="fromAddress")
    """Sender of the mails."""
    subject_prefix: Prop[str | None] = prop(text(), path="subjectPrefix", default=None)
    """Text at the beginning of each subject."""
    start_tls_enabled: Prop[bool] = prop(boolean, path="startTlsEnabled", default=False)
    """Use STARTTLS where the mail server offers it."""
    start_tls_required: Prop[bool] = prop(boolean, path="startTlsRequired", default=False)
    """Send nothing without STARTTLS."""
    ssl_on_connect_enabled: Prop[bool] = prop(boolean, path="sslOnConnectEnabled", default=False)
    """Use TLS from the start of the connection."""
    ssl_server_identity_check_enabled: Prop[bool] = prop(
        boolean, path="sslServerIdentityCheckEnabled", default=False
    )
    """Compare the certificate's names with ``host``."""
    nexus_trust_store_enabled: Prop[bool] = prop(boolean, path="nexusTrustStoreEnabled", default=False)
    """Trust certificates in Nexus's trust store, too: :class:`SslTrust`."""
