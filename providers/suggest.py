"""Near misses, for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def suggest(missing: Sequence[str], existing: Sequence[str], most: int = 12) -> str:
    """``did you mean …`` where something is near, else what there is, at most ``most`` names."""
    near = [match for name in missing for match in difflib.get_close_matches(name, existing, 2, 0.75)]
    if near:
        return f"did you mean {' or '.join(dict.fromkeys(near))}?"
    listed = sorted(existing)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return f"there are: {', '.join(listed[:most])}{more}"


def in_use(users: list[str]) -> str:
    """The message for an object that was not deleted because others use it; empty when there are none."""
    return (
        f"is in use by {', '.join(users)}, and was not deleted. Change or delete them first. To give "
        "it another name, declare another resource"
        if users
        else ""
    )
