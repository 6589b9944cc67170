"""Iq and IqAudit: Sonatype's Repository Firewall."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..client import NexusClient
from ..declare import NexusResource, Prop, prop
from ..kind import Actual
from ..names import http_url
from ..rest import RestoredSetting, SettingProvider, SwitchProvider
from ..schema import boolean, choice, integer, text


class IqProvider(SwitchProvider):
    kind = "IQ server"
    setting = "/v1/iq"
    setting_id = "iq"
    read_only = ("hasFirewall", "licensedSolutions")

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name in ("username", "password") if inputs["authentication_type"] == "USER" else ():
            if inputs.get(name) is None:
                yield name, "is required with authentication_type USER"


class Iq(NexusResource, provider=IqProvider):
    """The server of Sonatype's Repository Firewall that this Nexus asks. One per server.

    The password can't be read: it is written when it changes here. Deletion turns the connection off, unless
    it was changed since.

    Source: Nexus REST ``/v1/iq``.
    """

    enabled: Prop[bool] = prop(boolean, path="enabled", default=True)
    """Whether Nexus uses the server."""
    url: Prop[str] = prop(http_url, path="url")
    """Address of the server."""
    authentication_type: Prop[str] = prop(
        choice("USER", "PKI", upper=True), path="authenticationType", default="USER"
    )
    """``USER`` (name and password) or ``PKI`` (a certificate that the JVM has)."""
    username: Prop[str | None] = prop(text(), path="username", default=None)
    """User at the server, for ``USER``."""
    password: Prop[str | None] = prop(text(), path="password", default=None, secret=True)
    """Password of ``username``."""
    use_trust_store_for_url: Prop[bool] = prop(boolean, path="useTrustStoreForUrl", default=False)
    """Trust certificates in Nexus's trust store, too: :class:`SslTrust`."""
    timeout_seconds: Prop[int | None] = prop(integer(1, 3600), path="timeoutSeconds", default=None, unit="seconds")
    """How long to wait for the server, 1 to 3600. Default: that of :class:`HttpProxy`."""
    fail_open_mode_enabled: Prop[bool] = prop(boolean, path="failOpenModeEnabled", default=False)
    """Let components through while the server does not respond."""
    show_link: Prop[bool] = prop(boolean, path="showLink", default=False)
    """Show a link to the server in the user interface."""
    properties: Prop[str] = prop(text(multiline=True, empty=True), path="properties", default="")
    """Further properties, ``name=value``, one a line."""


class IqAuditProvider(SettingProvider):
    kind = "audit of a repository"
    setting = "/v1/iq/audit"

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return str(inputs["repository_name"])

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if inputs["enabled_quarantine"] is True and inputs["enabled"] is False:
            yield "enabled", "must be true with enabled_quarantine"

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual:
        name = self.identity(inputs)
        off = {"repositoryName": name, "enabled": False, "enabledQuarantine": False}
        found = [one for one in client.get_list(self.setting) if one["repositoryName"] == name]
        return self.actual(found[0] if found else off)


class IqAudit(RestoredSetting, NexusResource, provider=IqAuditProvider, since="3.74"):
    """Whether the Repository Firewall audits a proxy repository, and keeps bad components out of it.

    From 3.94 on, repositories have ``firewall_mode`` for it: use one of the two. Deletion restores the setting
    found at creation, unless it was changed since.

    Source: Nexus REST ``/v1/iq/audit``.
    """

    repository_name: Prop[str] = prop(text(), path="repositoryName", replaces=True, refers="Repository")
    """Name of the proxy repository."""
    enabled: Prop[bool] = prop(boolean, path="enabled", default=True)
    """Audit its components."""
    enabled_quarantine: Prop[bool] = prop(boolean, path="enabledQuarantine", default=False)
    """Refuse components that break a policy, with ``enabled``."""
