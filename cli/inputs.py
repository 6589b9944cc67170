"""Computes the arguments that declare an object of a server: plain data in, plain data out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nexus_registry.providers.body import Group
from nexus_registry.providers.kind import Actual
from nexus_registry.providers.rest import ListedProvider
from nexus_registry.providers.schema import check, limits
from pulumi.runtime.rpc import UNKNOWN

from .objects import Object, provider_of

_SERVER = {"url": "https://server.invalid", "username": "admin", "password": "x"}
"""A connection for the checks, which do not use it."""


@dataclass
class Inputs:
    """The arguments of a resource.

    Attributes:
        given: what differs from the defaults, by argument.
        needed: secrets that the resource can't be declared without.
        optional: secrets that it may have; the server does not say.
        problem: why it can't be declared; empty when it can.
    """

    given: dict[str, Any] = field(default_factory=dict)
    needed: list[str] = field(default_factory=list)
    optional: list[str] = field(default_factory=list)
    problem: str = ""


def inputs_of(one: Object, version: str = "", edition: str = "") -> Inputs:
    """The fewest arguments with which the resource equals the object of the server."""
    fields = one.kind.declared_properties
    returned = {
        name: value
        for name, value in one.properties.items()
        if name in fields
        and not (fields[name].computed or fields[name].secret or fields[name].local)
        and value is not None
    }
    secrets = [name for name, it in fields.items() if it.secret and not it.local and not it.computed]
    needed = [name for name in secrets if fields[name].required or _has(one, name)]
    while True:
        full, failures = _checked(one, {**returned, **dict.fromkeys(needed, UNKNOWN)}, version)
        more = [name for name in failures if name in secrets and name not in needed]
        if not more:
            break
        needed += more
    if failures:
        return Inputs(problem=" ".join(f"{name}: {reason}" for name, reason in failures.items()))
    if problem := _problem(one, full, version, edition):
        return Inputs(problem=problem)
    given = _fewest(one, returned, full, needed, version)
    optional = [name for name in secrets if name not in needed and _may_have(one, name, given, needed, version)]
    return Inputs(given, needed, optional)


def _checked(one: Object, inputs: Mapping[str, Any], version: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The checked inputs, and what is wrong by property."""
    connection = {**_SERVER, **({"version": version} if version else {})}
    result = provider_of(one.kind).check({}, {**inputs, "connection": connection})
    failures: dict[str, str] = {}
    for failure in result.failures:
        failures.setdefault(failure.property, failure.reason)
    checked = {name: value for name, value in result.inputs.items() if name not in _LOCAL}
    return checked, failures


_LOCAL = ("connection", "configured_url", "incarnation")


def _problem(one: Object, full: Mapping[str, Any], version: str, edition: str) -> str:
    """Why this declaration would fail or change the object."""
    provider = provider_of(one.kind)
    actual = Actual(one.body, dict(one.properties))
    if wrong := provider.mismatches(full, actual):
        return f"{', '.join(wrong)}: can't be declared as the server has it"
    if isinstance(provider, ListedProvider):
        hidden = provider.hidden(actual)
        if missing := [name for name in ("schedule", "enabled", "properties") if name in hidden]:
            return f"{missing[0]}: the server does not return it"
    return next((f"{name}: {why}" for name, why in provider.unavailable_properties(full, version, edition)), "")


def _fewest(
    one: Object, returned: Mapping[str, Any], full: Mapping[str, Any], needed: list[str], version: str
) -> dict[str, Any]:
    """The properties, without those whose computed value is the same."""
    fields, provider = one.kind.declared_properties, provider_of(one.kind)
    required = {name: value for name, value in returned.items() if fields[name].required}
    plain = provider.computed_inputs({}, check(provider.schema, required)[0])
    given = {name: full[name] for name in returned if name in required or full[name] != plain.get(name)}
    if _checked(one, {**given, **dict.fromkeys(needed, UNKNOWN)}, version)[0] != full:
        return {name: full[name] for name in returned}
    return given


def _may_have(one: Object, name: str, given: Mapping[str, Any], needed: list[str], version: str) -> bool:
    """Whether the object may have this secret, which its other properties do not ask for."""
    if any(not _there(one.body, group.path) for group in _groups(one, name)):
        return False
    inputs = {**given, **dict.fromkeys(needed, UNKNOWN)}
    if _checked(one, {**inputs, name: UNKNOWN}, version)[1]:
        return False
    # A secret that another value of a choice asks for is not there with this one.
    for other, value in _other_choices(one, given):
        if name in _checked(one, {**inputs, other: value}, version)[1]:
            return False
    return True


def _other_choices(one: Object, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, it in one.kind.declared_properties.items():
        if it.check is not None and not it.computed and limits(it.check).get("form") == "choice":
            for value in limits(it.check)["values"]:
                if value != given.get(name, it.default):
                    yield name, value


def _groups(one: Object, name: str) -> list[Group]:
    return [group for group in provider_of(one.kind).groups if name in group.defaults]


def _has(one: Object, name: str) -> bool:
    """Whether the server shows that the secret has a value, in whatever form."""
    path = provider_of(one.kind).paths.get(name)
    return bool(path) and _there(one.body, path or ())


def _there(body: Any, path: tuple[str, ...]) -> bool:
    for key in path:
        if not isinstance(body, Mapping) or body.get(key) in (None, ""):
            return False
        body = body[key]
    return True
