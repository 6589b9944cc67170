"""Usage of a server against the limits of its edition."""

from __future__ import annotations

from collections.abc import Iterator

from ..providers.client import Connection
from ..providers.compat import LOWER_LIMITS_SINCE, parse, usage_limits
from ..providers.data_sources import get_usage
from ..providers.results import ServerInfo
from .finding import Finding

NEAR = 80
"""Percent of a limit from which on that is a finding."""


def usage(connection: Connection, server: ServerInfo) -> Iterator[Finding]:
    """What is near a limit or over it."""
    limits = usage_limits(server.version, server.edition)
    if limits is None:
        return
    used = get_usage(connection)
    components, requests = used.components, used.daily_requests
    yield from _compared("components", "components", components, limits.components)
    yield from _compared("requests", "requests in a day", requests, limits.requests)
    newer = usage_limits(f"{'.'.join(map(str, LOWER_LIMITS_SINCE))}.0", server.edition)
    if newer and parse(server.version) < LOWER_LIMITS_SINCE:
        for what, number, limit in (
            ("components", components, newer.components),
            ("requests in a day", requests, newer.requests),
        ):
            if number is not None and number > limit:
                yield Finding(
                    "upgrade-limit",
                    f"{number:,} {what} are above the {limit:,} that versions from 3.87 on allow",
                    "Reduce them before an upgrade to 3.87 or newer, or get a licence",
                )


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
