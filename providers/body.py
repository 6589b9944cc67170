"""Properties to the API's JSON and back, by a table of where each property stands."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

Paths = Mapping[str, tuple[str, ...]]
"""For each property the keys that lead to it in the API's body."""


def to_body(paths: Paths, inputs: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """``base`` (what the server has) with the inputs written over it.

    A property without a value is written only over one that the server has: a field that a version does not know
    is left out of the body rather than sent empty.
    """
    body = copy.deepcopy(dict(base or {}))
    for name, path in paths.items():
        value = inputs.get(name)
        if value is None and _look(body, path)[1] is None:
            continue
        place = body
        for key in path[:-1]:
            if not isinstance(place.get(key), dict):
                place[key] = {}
            place = place[key]
        place[path[-1]] = value
    return body


def from_body(paths: Paths, body: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that the body tells; one that it lacks is left out, for it is not known to be empty."""
    told = {name: _look(body, path) for name, path in paths.items()}
    return {name: value for name, (there, value) in told.items() if there}


def _look(body: Any, path: tuple[str, ...]) -> tuple[bool, Any]:
    for key in path[:-1]:
        if not isinstance(body, Mapping) or key not in body:
            return False, None
        body = body[key]
        if body is None:
            return True, None
    if not isinstance(body, Mapping) or path[-1] not in body:
        return False, None
    return True, body[path[-1]]
