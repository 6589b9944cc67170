"""Usage of a server against the limits of its edition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..providers.client import NexusClient
from ..providers.compat import LOWER_LIMITS_SINCE, parse, usage_limits
from ..providers.errors import NotFound
from ..providers.results import ServerInfo
from .finding import Finding

NEAR = 80
"""Percent of a limit from which on that is a finding."""
_COMPONENTS = "nexus.analytics.component_total_count"
_REQUESTS = "nexus.analytics.content_request_count"


def usage(client: NexusClient, server: ServerInfo) -> Iterator[Finding]:
    """What is near a limit or over it. Source: the gauges of REST ``/metrics/data``, which Nexus counts hourly."""
    limits = usage_limits(server.version, server.edition)
    if limits is None:
        return
    try:
        gauges = client.get_object("/metrics/data").get("gauges") or {}
    except NotFound:
        return
    components = _number(gauges, _COMPONENTS)
    requests = _number(gauges, _REQUESTS, "day")
    yield from _compared("components", "components", components, limits.components)
    yield from _compared("requests", "requests in a day", requests, limits.requests)
    newer = usage_limits(f"{'.'.join(map(str, LOWER_LIMITS_SINCE))}.0", server.edition)
    if newer and parse(server.version) < LOWER_LIMITS_SINCE:
        for what, used, limit in (
            ("components", components, newer.components),
            ("requests in a day", requests, newer.requests),
        ):
            if used is not None and used > limit:
                yield Finding(
                    "upgrade-limit",
                    f"{used:,} {what} are above the {limit:,} that versions from 3.87 on allow",
                    "Reduce them before an upgrade to 3.87 or newer, or get a licence",
                )


def _number(gauges: Mapping[str, Any], name: str, part: str = "") -> int | None:
    value = (gauges.get(name) or {}).get("value")
    if part and isinstance(value, Mapping):
        value = value.get(part)
    return int(value) if isinstance(value, (int, float)) else None


def _compared(code: str, what: str, used: int | None, limit: int) -> Iterator[Finding]:
    if used is None or used * 100 < limit * NEAR:
        return
    text = f"{used:,} {what} of {limit:,} that the Community Edition allows"
    remedy = "Remove what nobody uses" if code == "components" else "Let clients cache what they pull"
    if used > limit:
        consequence = "after a period of grace nothing can be pushed"
        yield Finding(f"{code}-limit", f"{text}: {consequence}", f"{remedy}, or get a licence")
    else:
        yield Finding(f"{code}-near-limit", text, f"{remedy}, or get a licence")
