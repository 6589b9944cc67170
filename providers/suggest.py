"""Near misses, for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def suggest(missing: Sequence[str], existing: Sequence[str], most: int = 12) -> str:
    """``Did you mean …?`` where something is near, else what there is, at most ``most`` names."""
    near = [match for name in missing for match in difflib.get_close_matches(name, existing, 2, 0.75)]
    if near:
        return f"Did you mean {' or '.join(dict.fromkeys(near))}?"
    listed = sorted(existing)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return f"There are: {', '.join(listed[:most])}{more}"
