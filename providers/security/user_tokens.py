"""UserTokens: whether users may log in with tokens in place of passwords."""

from __future__ import annotations

from ..declare import NexusResource, Prop, prop
from ..rest import RestoredSetting, SettingProvider
from ..schema import boolean, integer


class UserTokensProvider(SettingProvider):
    kind = "setting of user tokens"
    setting = "/v1/security/user-tokens"
    setting_id = "user-tokens"


class UserTokens(RestoredSetting, NexusResource, provider=UserTokensProvider, edition="pro"):
    """Whether users may log in with tokens in place of their passwords. One per server.

    The realm ``User-Token-Realm`` must be active, too. Deletion restores the setting found at creation, unless
    it was changed since.

    Source: Nexus REST ``/v1/security/user-tokens``.
    """

    enabled: Prop[bool] = prop(boolean, path="enabled", default=True)
    """Let users create tokens and log in with them."""
    protect_content: Prop[bool] = prop(boolean, path="protectContent", default=False)
    """Let clients of repositories log in with tokens only. Docker clients can't then use passwords either."""
    expiration_enabled: Prop[bool] = prop(boolean, path="expirationEnabled", default=False, since="3.74")
    """Whether tokens expire."""
    expiration_days: Prop[int] = prop(
        integer(1, 999), path="expirationDays", default=30, since="3.74", unit="days"
    )
    """After how many days a token expires, 1 to 999."""
