"""Near misses, for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence

_MOST = 12
"""Names in a message."""


def suggest(missing: Sequence[str], existing: Collection[str]) -> str:
    """``Did you mean …?`` where something is near, else what there is, at most 12 names."""
    near = [match for name in missing for match in difflib.get_close_matches(name, existing, 2, 0.75)]
    if near:
        return f"Did you mean {' or '.join(dict.fromkeys(near))}?"
    if not existing:
        return "There is none."
    listed = sorted(existing)
    more = f" and {len(listed) - _MOST} more" if len(listed) > _MOST else ""
    return f"There are: {', '.join(listed[:_MOST])}{more}"


def not_on_server(name: str, wanted: Iterable[str], existing: Collection[str]) -> str:
    """That a property names what the server does not have, and what it has; empty where it has all."""
    missing = [one for one in wanted if one not in existing]
    if not missing:
        return ""
    verb = "is" if len(missing) == 1 else "are"
    return f"{name}: {', '.join(missing)} {verb} not on the server. {suggest(missing, existing)}"
