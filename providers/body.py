"""Properties to the API's JSON and back, by a table of where each property stands."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .unknown import is_unknown

Paths = Mapping[str, tuple[str, ...]]
"""For each property the keys that lead to it in the API's body."""


@dataclass(frozen=True)
class Group:
    """An object inside the body that is there only while one of its properties has a value of its own.

    Args:
        path: the keys that lead to the object.
        defaults: every property below it, with its default.
        requires: those of them that must have a value when the object is there.
    """

    path: tuple[str, ...]
    defaults: Mapping[str, Any]
    requires: tuple[str, ...] = ()

    def given(self, inputs: Mapping[str, Any]) -> list[str]:
        """The properties that have another value than their default."""
        return [name for name, value in self.defaults.items() if inputs.get(name) not in (None, value)]

    def missing(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Each required property that has no value although the object is there, and why it needs one."""
        # An unknown value may turn out to be the default.
        given = [
            name for name in self.given(inputs) if self.defaults[name] is None or not is_unknown(inputs[name])
        ]
        for name in self.requires if given else ():
            if inputs.get(name) is None:
                yield name, f"is required with {given[0]}"


class Mapped:
    """What a provider knows of the API's body. Declared properties fill it in (see :mod:`.declare`)."""

    paths: ClassVar[Paths] = {}
    """Where each property is sent."""
    read_paths: ClassVar[Paths] = {}
    """Where each property is read: outputs too, secrets not, which servers mask or keep to themselves."""
    groups: ClassVar[Sequence[Group]] = ()
    omissible: ClassVar[Mapping[str, Any]] = {}
    """Properties that not every server knows, with the value that need not be sent."""
    read_only: ClassVar[Sequence[str]] = ()
    """Keys that the server returns and does not take."""
    writes: ClassVar[Sequence[str]] = ()
    """Requests that write the object, besides those that its shape implies (see :meth:`operations`)."""

    @classmethod
    def operations(cls) -> tuple[str, ...]:
        """Every request that writes an object of the kind, ``PUT /v1/routing-rules/{key}``."""
        return tuple(cls.writes)

    def to_body(self, inputs: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The body to send for these inputs, written over ``base``, which the server returned."""
        kept = {key: value for key, value in (base or {}).items() if key not in self.read_only}
        return to_body(self.paths, inputs, kept, groups=self.groups, omissible=self.omissible)

    def from_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The properties that this body from the server has."""
        return from_body(self.read_paths, body)

    def missing_in_groups(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What groups require and inputs lack, as (property, reason)."""
        for group in self.groups:
            yield from group.missing(inputs)


def to_body(
    paths: Paths,
    inputs: Mapping[str, Any],
    base: Mapping[str, Any] | None = None,
    *,
    groups: Sequence[Group] = (),
    omissible: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """``base`` (what the server has) with the inputs written over it.

    A property without a value is written only over one that the server has: a field that a version does not know
    is left out of the body rather than sent empty. So is an ``omissible`` one that has its default. A group of
    which nothing is given is taken out as a whole, with what else the server has there.
    """
    body = copy.deepcopy(dict(base or {}))
    absent = [group.path for group in groups if not group.given(inputs)]
    for path in absent:
        _remove(body, path)
    for name, path in paths.items():
        if any(path[: len(prefix)] == prefix for prefix in absent):
            continue
        value = inputs.get(name)
        plain = value is None or (name in (omissible or {}) and value == (omissible or {})[name])
        if plain and _get(body, path)[1] is None:
            continue
        place = body
        for key in path[:-1]:
            if not isinstance(place.get(key), dict):
                place[key] = {}
            place = place[key]
        place[path[-1]] = value
    return body


def from_body(paths: Paths, body: Mapping[str, Any]) -> dict[str, Any]:
    """The properties in this body. One that the body lacks is left out: it is not known to be empty."""
    looked_up = {name: _get(body, path) for name, path in paths.items()}
    return {name: value for name, (present, value) in looked_up.items() if present}


def _get(body: Any, path: tuple[str, ...]) -> tuple[bool, Any]:
    for key in path[:-1]:
        if not isinstance(body, Mapping) or key not in body:
            return False, None
        body = body[key]
        if body is None:
            return True, None
    if not isinstance(body, Mapping) or path[-1] not in body:
        return False, None
    return True, body[path[-1]]


def _remove(body: dict[str, Any], path: tuple[str, ...]) -> None:
    place: Any = body
    for key in path[:-1]:
        place = place.get(key)
        if not isinstance(place, dict):
            return
    place.pop(path[-1], None)
