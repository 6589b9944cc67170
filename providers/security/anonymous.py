"""AnonymousAccess: access without a login."""

from __future__ import annotations

from ..declare import NexusResource, Prop, prop
from ..rest import RestoredSetting, SettingProvider
from ..schema import boolean, text


class AnonymousAccessProvider(SettingProvider):
    kind = "anonymous access"
    setting = "/v1/security/anonymous"
    setting_id = "anonymous"


class AnonymousAccess(RestoredSetting, NexusResource, provider=AnonymousAccessProvider):
    """Anonymous access to the server, on or off. One per server.

    Deletion restores the setting found at creation, unless it was changed since. A second resource for the same
    server finds the first one's setting, and the run after one that was killed before Pulumi saved the resource
    finds what that run wrote: ``before`` is then this, and deletion leaves it. Where two stacks declare the same
    value, deletion in the stack that created it first restores the earlier setting for both.

    Source: Nexus REST ``/v1/security/anonymous``.
    """

    enabled: Prop[bool] = prop(boolean, path="enabled")
    """Let requests without a login act as ``user_id``."""
    user_id: Prop[str] = prop(text(max_length=200), path="userId", default="anonymous")
    """Account whose roles such requests have."""
    realm_name: Prop[str] = prop(text(), path="realmName", default="NexusAuthorizingRealm")
    """Realm of that account."""
