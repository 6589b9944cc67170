"""SsrfProtection: which private addresses Nexus may connect to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..declare import ListProp, NexusResource, Prop, prop
from ..patterns import host_address
from ..rest import RestoredSetting, SettingProvider
from ..schema import Invalid, boolean, set_of, text


class SsrfProtectionProvider(SettingProvider):
    kind = "SSRF protection"
    setting = "/v1/security/ssrf-protection"
    setting_id = "ssrf-protection"

    def from_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        found = super().from_body(body)
        if found.get("allowed_ips"):
            found["allowed_ips"] = [one for one in found["allowed_ips"] if not _has_no_effect(one)]
        return found


def _has_no_effect(address: str) -> bool:
    """Whether it is an address in another form than the one that Nexus compares."""
    try:
        return host_address(address) != address
    except Invalid:  # such as a range, which a refresh shows as it is
        return False


class SsrfProtection(RestoredSetting, NexusResource, provider=SsrfProtectionProvider, since="3.92"):
    """Which private addresses Nexus may connect to. One per server.

    Nexus from 3.92 on connects to no private address that is not allowed here: proxy repositories, S3 blob stores
    and webhooks in the own network fail without it. Deletion restores the setting found at creation, unless it was
    changed since.

    Source: Nexus REST ``/v1/security/ssrf-protection``.
    """

    enabled: Prop[bool] = prop(boolean, path="enabled", default=True)
    """Whether Nexus refuses private addresses that are not allowed here."""
    allowed_ips: ListProp[str] = prop(set_of(host_address), path="allowedIPs", default=[])
    """Private IP addresses that are allowed, without ranges; a set."""
    allowed_domains: ListProp[str] = prop(
        set_of(text(r"[^\s/:*]+", hint="must be a host name, and no pattern")), path="allowedDomains", default=[]
    )
    """Host names whose private addresses are allowed; a set."""
