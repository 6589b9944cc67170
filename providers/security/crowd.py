"""Crowd: accounts and groups from an Atlassian Crowd."""

from __future__ import annotations

from ..declare import NexusResource, Prop, prop
from ..names import http_url
from ..rest import SwitchProvider
from ..schema import boolean, integer, text


class CrowdProvider(SwitchProvider):
    kind = "Crowd"
    setting = "/v1/security/atlassian-crowd"
    setting_id = "crowd"
    off = {"enabled": False, "realm_active": False}


class Crowd(NexusResource, provider=CrowdProvider, edition="pro"):
    """An Atlassian Crowd whose accounts may log in, and whose groups may be roles. One per server.

    The password can't be read: it is written when it changes here. Deletion turns the connection off, unless
    it was changed since.

    Source: Nexus REST ``/v1/security/atlassian-crowd``.
    """

    enabled: Prop[bool] = prop(boolean, path="enabled", default=True)
    """Whether Nexus uses Crowd."""
    realm_active: Prop[bool] = prop(boolean, path="realmActive", default=True)
    """Whether the realm ``Crowd`` is active. With :class:`ActiveRealms`, name the realm there as well."""
    url: Prop[str] = prop(http_url, path="url")
    """Address of the Crowd server."""
    application_name: Prop[str] = prop(text(), path="applicationName")
    """Name under which Crowd knows this Nexus."""
    application_password: Prop[str] = prop(text(), path="applicationPassword", secret=True)
    """Password of the application."""
    timeout: Prop[int | None] = prop(integer(1, 3600), path="timeout", default=None, unit="seconds")
    """How long to wait for Crowd, 1 to 3600. Default: that of :class:`HttpProxy`."""
    use_trust_store_for_url: Prop[bool] = prop(boolean, path="useTrustStoreForUrl", default=False)
    """Trust certificates in Nexus's trust store, too: :class:`SslTrust`."""
