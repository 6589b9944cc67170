"""The soft quota of a blob store, and what Nexus says of it."""

from __future__ import annotations

from ..client import NexusClient, segment
from ..declare import Prop, PropertyGroup, prop
from ..schema import choice, integer

_LARGEST = 2**53
"""The largest number of bytes that the engine, which makes a float of each number, keeps exactly."""


class SoftQuota(PropertyGroup, optional="softQuota", requires=("soft_quota_type", "soft_quota_limit_bytes")):
    """A limit that Nexus warns about and does not enforce."""

    soft_quota_type: Prop[str | None] = prop(
        choice("spaceRemainingQuota", "spaceUsedQuota"), path="softQuota.type", default=None
    )
    """``spaceUsedQuota`` (warn above the limit) or ``spaceRemainingQuota`` (warn when less than it is free)."""
    soft_quota_limit_bytes: Prop[int | None] = prop(
        integer(1, _LARGEST), path="softQuota.limit", default=None, unit="bytes"
    )
    """The limit, in bytes."""
    soft_quota_violation: Prop[str | None] = prop(computed=True)
    """Nexus's message when the limit was exceeded at the last write or refresh; otherwise None."""


def quota_violation(client: NexusClient, name: str) -> str:
    """Nexus's message when the blob store's soft quota is exceeded; otherwise empty."""
    status = client.get_object(f"/v1/blobstores/{segment(name)}/quota-status")
    return str(status["message"]) if status["isViolation"] else ""
