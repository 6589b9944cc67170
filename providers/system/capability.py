"""Capabilities: functions of Nexus that are switched on and set by themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from ..declare import ListProp, MapProp, NexusResource, Prop, PropertyGroup, prop
from ..kind import Actual
from ..names import http_url
from ..schema import boolean, choice, integer, map_of, set_of, text
from .text_properties import TextPropertiesProvider

_SECONDS = integer(0, 2147483647)
_SECRET = re.compile(r"#~NXRM~PLACEHOLDER~PASSWORD~#|_\d+")
"""What Nexus returns for a secret: from 3.93 on a reference to it."""


class CapabilitiesProvider(TextPropertiesProvider):
    scope = "capability"
    collection = "/v1/capabilities"
    read_only = ("active", "description", "error", "state", "stateDescription", "status", "tags", "typeName")
    identified_by: ClassVar[tuple[str, ...]] = ()
    """The properties that tell one from others of its type; most types exist once."""

    def hidden(self, actual: Actual) -> set[str]:
        texts = actual.properties.get("properties") or {}
        return super().hidden(actual) | ({"properties"} if any(map(_is_hidden, texts.values())) else set())

    def returned(self, given: Mapping[str, Any], actual: Actual) -> dict[str, Any]:
        texts, known = actual.properties.get("properties"), given.get("properties") or {}
        if not texts:
            return actual.properties
        shown = {key: known.get(key, one) if _is_hidden(one) else one for key, one in texts.items()}
        return {**actual.properties, "properties": shown}

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return " ".join([self.type or inputs["type"], *(str(inputs[name]) for name in self.identified_by)])

    def is_it(self, entry: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
        returned = entry.get("properties") or {}
        same = all(returned.get(self.paths[name][-1]) == inputs[name] for name in self.identified_by)
        return same and super().is_it(entry, inputs)


def _is_hidden(text: object) -> bool:
    return bool(_SECRET.fullmatch(str(text)))


class CapabilityBase(NexusResource, provider=CapabilitiesProvider, abstract=True, since="3.82"):
    """What every capability has."""

    enabled: Prop[bool] = prop(boolean, path="enabled", default=True)
    """Whether it works."""
    notes: Prop[str] = prop(text(multiline=True, empty=True), path="notes", default="")
    """Free text."""
    capability_id: Prop[str] = prop(computed=True, path="id")
    """The id that Nexus gave it."""


class Capability(CapabilityBase):
    """A capability of any type that exists once.

    A server has some from the start: with ``adopt=True`` they are changed. Deletion deletes the capability.

    Source: Nexus REST ``/v1/capabilities``; ``/v1/capabilities/types`` of a server (from 3.88 on) lists the types.
    """

    type: Prop[str] = prop(text(), path="type", replaces=True)
    """Type of the capability, ``scheduler``."""
    properties: MapProp[str] = prop(map_of(text(empty=True, multiline=True)), path="properties", default={})
    """What the type wants, as texts: ``{"active": "true"}``."""


class AuditCapability(CapabilityBase, type="audit"):
    """Records who changed what.

    Source: Nexus REST ``/v1/capabilities``, type ``audit``.
    """


class BaseUrlCapability(CapabilityBase, type="baseurl"):
    """The address of this Nexus in links and mails, for a server behind a reverse proxy.

    Source: Nexus REST ``/v1/capabilities``, type ``baseurl``.
    """

    url: Prop[str] = prop(http_url, path="properties.url")
    """The address."""


class DefaultRoleCapability(CapabilityBase, type="defaultrole"):
    """A role that everybody who has logged in has. The realm ``DefaultRole`` must be active, too.

    Source: Nexus REST ``/v1/capabilities``, type ``defaultrole``.
    """

    role: Prop[str] = prop(text(), path="properties.role", refers="Role")
    """Id of the role."""


class RutAuthCapability(CapabilityBase, type="rutauth"):
    """Logins by a reverse proxy, which names the user in a header.

    The realm ``rutauth-realm`` must be active, too. Whoever reaches Nexus without the reverse proxy can be
    anybody: close that way.

    Source: Nexus REST ``/v1/capabilities``, type ``rutauth``.
    """

    http_header: Prop[str] = prop(
        text(r"[A-Za-z0-9_-]+", hint="must be the name of a header"),
        path="properties.httpHeader",
        default="REMOTE_USER",
    )
    """Name of the header."""


class StorageSettingsCapability(CapabilityBase, type="StorageSettings"):
    """How exactly Nexus notes when a file was downloaded last.

    Source: Nexus REST ``/v1/capabilities``, type ``StorageSettings``.
    """

    last_downloaded_interval: Prop[int] = prop(
        integer(1, 2147483647), path="properties.lastDownloadedInterval", default=12, unit="hours"
    )
    """How long a further download of a file is not noted."""


class CustomS3RegionsCapability(CapabilityBase, type="customs3regions"):
    """Further regions for S3 blob stores.

    Source: Nexus REST ``/v1/capabilities``, type ``customs3regions``.
    """

    regions: ListProp[str] = prop(set_of(text(r"[^\s,]+", hint="must be a region")), path="properties.regions")
    """Names of regions; a set."""


class HealthCheckCapability(CapabilityBase, type="healthcheck"):
    """Sonatype's report on the components of proxy repositories.

    Source: Nexus REST ``/v1/capabilities``, type ``healthcheck``.
    """

    configured_for_all: Prop[bool] = prop(boolean, path="properties.configuredForAll", default=True)
    """Whether it is made for every proxy repository."""
    use_trust_store: Prop[bool] = prop(boolean, path="properties.useTrustStore", default=False)
    """Trust certificates in Nexus's trust store, too: :class:`SslTrust`."""


class OutreachCapability(CapabilityBase, type="OutreachManagementCapability"):
    """What the start page shows of Sonatype.

    Source: Nexus REST ``/v1/capabilities``, type ``OutreachManagementCapability``.
    """

    override_url: Prop[str | None] = prop(http_url, path="properties.overrideUrl", default=None)
    """Where it is read. Default: Sonatype's address."""
    always_remote: Prop[bool] = prop(boolean, path="properties.alwaysRemote", default=False)
    """Read it anew each time."""


class UiBrandingCapability(CapabilityBase, type="rapture.branding"):
    """A header and a footer for the user interface.

    Source: Nexus REST ``/v1/capabilities``, type ``rapture.branding``.
    """

    header_enabled: Prop[bool] = prop(boolean, path="properties.headerEnabled", default=False)
    """Show the header."""
    header_html: Prop[str | None] = prop(text(multiline=True), path="properties.headerHtml", default=None)
    """The header's HTML."""
    footer_enabled: Prop[bool] = prop(boolean, path="properties.footerEnabled", default=False)
    """Show the footer."""
    footer_html: Prop[str | None] = prop(text(multiline=True), path="properties.footerHtml", default=None)
    """The footer's HTML."""


class UiSettingsCapability(CapabilityBase, type="rapture.settings"):
    """Title and time-outs of the user interface.

    Source: Nexus REST ``/v1/capabilities``, type ``rapture.settings``.
    """

    title: Prop[str] = prop(text(), path="properties.title", default="Sonatype Nexus Repository")
    """Title of the page."""
    debug_allowed: Prop[bool] = prop(boolean, path="properties.debugAllowed", default=False)
    """Let developers debug it."""
    session_timeout: Prop[int] = prop(
        integer(0, 2147483647), path="properties.sessionTimeout", default=30, unit="minutes"
    )
    """When an idle session ends; 0: never."""
    request_timeout: Prop[int] = prop(
        integer(30, 2147483647), path="properties.requestTimeout", default=60, unit="seconds"
    )
    """How long to wait for a response, at least 30."""
    long_request_timeout: Prop[int] = prop(
        integer(180, 2147483647), path="properties.longRequestTimeout", default=180, unit="seconds"
    )
    """How long to wait for one that takes long, at least 180."""
    status_interval_authenticated: Prop[int] = prop(
        _SECONDS, path="properties.statusIntervalAuthenticated", default=5, unit="seconds"
    )
    """How often the page of a user asks for the server's state."""
    status_interval_anonymous: Prop[int] = prop(
        _SECONDS, path="properties.statusIntervalAnonymous", default=60, unit="seconds"
    )
    """The same for a page without a login."""


class FirewallAuditCapability(CapabilityBase, type="firewall.audit", identified_by=("repository",)):
    """The Repository Firewall for one proxy repository.

    Source: Nexus REST ``/v1/capabilities``, type ``firewall.audit``; from 3.94 on, repositories have
    ``firewall_mode`` for it.
    """

    repository: Prop[str] = prop(text(), path="properties.repository", replaces=True, refers="Repository")
    """Name of the repository."""
    quarantine: Prop[bool] = prop(boolean, path="properties.quarantine", default=False)
    """Refuse components that break a policy."""


class _Webhook(PropertyGroup):
    """Where events are sent."""

    url: Prop[str] = prop(http_url, path="properties.url", replaces=True)
    """The address that gets a POST for each event."""
    secret: Prop[str | None] = prop(text(), path="properties.secret", default=None, secret=True)
    """Key of the HMAC by which the receiver knows the sender. It is written when it changes here."""


class GlobalWebhookCapability(_Webhook, CapabilityBase, type="webhook.global", identified_by=("url",)):
    """Sends events of the whole server to an address.

    Source: Nexus REST ``/v1/capabilities``, type ``webhook.global``.
    """

    names: ListProp[str] = prop(
        set_of(choice("audit", "repository", "firewall_quarantine"), least=1), path="properties.names"
    )
    """``audit``, ``repository`` (its creation and change) and ``firewall_quarantine``; a set."""


class RepositoryWebhookCapability(
    _Webhook, CapabilityBase, type="webhook.repository", identified_by=("repository", "url")
):
    """Sends events of one repository to an address.

    Source: Nexus REST ``/v1/capabilities``, type ``webhook.repository``.
    """

    repository: Prop[str] = prop(text(), path="properties.repository", replaces=True, refers="Repository")
    """Name of the repository."""
    names: ListProp[str] = prop(set_of(choice("asset", "component"), least=1), path="properties.names")
    """``asset`` and ``component``; a set."""
