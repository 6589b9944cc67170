"""Who may do what, as far as the resources of a stack say it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from ..providers.connection import server_of

_BUILT_IN_ROLES = {"nx-admin": ["nx-all"], "nx-anonymous": ["nx-repository-view-*-*-read"]}
_WILDCARD = re.compile(r"nx-all|nx-\*|nx-repository-(?:view|admin)-\*-\*-\*")
_WRITES = re.compile(r"nx-all|nx-component-upload|nx-repository-(?:view|admin)-.*-(?:add|edit|delete|\*)")
_WRITING_ACTIONS = {"ADD", "EDIT", "DELETE", "ALL"}
_EACH = {"READ", "EDIT", "ADD", "DELETE"}
"""What allows as much as ``ALL``."""
_EACH_WORD = {"read", "update", "create", "delete"}
"""The same in a pattern about areas of Nexus."""
_ACTIONS_PLACE = {"repository-view": 4, "repository-admin": 4, "repository-content-selector": 5}
"""At which place of a pattern the actions of repositories are; of anything else, they are at place 2."""


class Declared(Protocol):
    """What is needed of a resource."""

    @property
    def kind(self) -> str: ...

    @property
    def properties(self) -> Mapping[str, Any]: ...


class Servers:
    """The roles and privileges of one stack by server; those on a server that is not known count on each."""

    def __init__(self, resources: Iterable[Declared]) -> None:
        self._resources = [(server(one), one) for one in resources]
        self._made: dict[str, Access] = {}

    def of(self, account: Declared) -> Access:
        """Those on the server of an account."""
        here = server(account)
        if here not in self._made:
            self._made[here] = Access(one for place, one in self._resources if not here or place in ("", here))
        return self._made[here]


def server(one: Declared) -> str:
    """The address of a resource's server; empty where it is not known, as that of a secret connection."""
    connection = one.properties.get("connection")
    url = connection.get("url") if isinstance(connection, Mapping) else None
    url = url or (one.properties.get("configured_url") if connection is None else None)
    return server_of(url) if isinstance(url, str) else ""


class Access:
    """Roles and privileges of one server; those that are not declared are known only where they are built in."""

    def __init__(self, resources: Iterable[Declared]) -> None:
        declared: dict[str, tuple[list[str], list[str]]] = {}
        self._privileges: dict[str, list[Declared]] = {}
        for one in resources:
            properties = one.properties
            if one.kind == "Role":
                role_id = properties.get("role_id") or properties.get("id")  # its name in states of 0.1.0
                # Two servers that are not known may each have one of this id: they count as one.
                privileges, roles = declared.setdefault(str(role_id), ([], []))
                privileges += texts(properties.get("privileges"))
                roles += texts(properties.get("roles"))
            elif one.kind.endswith("Privilege"):
                self._privileges.setdefault(str(properties.get("name")), []).append(one)
        self._roles = {role: (privileges, list[str]()) for role, privileges in _BUILT_IN_ROLES.items()} | declared

    def roles(self, roles: Iterable[str]) -> set[str]:
        """These roles and those that they contain."""
        found: set[str] = set()
        left = list(roles)
        while left:
            role = left.pop()
            if role not in found:
                found.add(role)
                left += self._roles.get(role, ([], []))[1]
        return found

    def privileges(self, roles: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Each privilege of these roles with the role that has it."""
        for role in sorted(self.roles(roles)):
            for privilege in sorted(set(self._roles.get(role, ([], []))[0])):
                yield role, privilege

    def is_wildcard(self, privilege: str) -> bool:
        """Whether a privilege is about everything."""
        declared = self._privileges.get(privilege)
        return any(map(_is_wildcard, declared)) if declared else bool(_WILDCARD.fullmatch(privilege))

    def is_everything(self, privilege: str) -> bool:
        """Whether a privilege allows everything, as the administrator's own does."""
        declared = self._privileges.get(privilege)
        return any(map(_allows_everything, declared)) if declared else privilege == "nx-all"

    def writes(self, privilege: str) -> bool:
        """Whether a privilege allows to add, change or delete components."""
        declared = self._privileges.get(privilege)
        return any(map(_writes, declared)) if declared else bool(_WRITES.fullmatch(privilege))


def _is_wildcard(one: Declared) -> bool:
    properties = one.properties
    if one.kind == "WildcardPrivilege":
        return _is_everything(str(properties.get("pattern")))
    everywhere = properties.get("repository") == "*" and properties.get("format") == "*"
    everywhere = everywhere or properties.get("domain") == "*"
    return everywhere and _is_every_action(properties)


def _allows_everything(one: Declared) -> bool:
    properties = one.properties
    if one.kind == "WildcardPrivilege":
        first, *others = _parts(str(properties.get("pattern")))
        everything = all("*" in part or (place > 0 and part >= _EACH_WORD) for place, part in enumerate(others))
        return not first.isdisjoint({"nexus", "*"}) and everything
    return properties.get("domain") == "*" and _is_every_action(properties)


def _is_every_action(properties: Mapping[str, Any]) -> bool:
    actions = _upper(properties.get("actions"))
    return "ALL" in actions or actions >= _EACH


def _writes(one: Declared) -> bool:
    if one.kind == "WildcardPrivilege":
        return _pattern_writes(str(one.properties.get("pattern")))
    if one.kind == "ApplicationPrivilege":
        return _is_wildcard(one)
    if not one.kind.startswith("Repository"):
        return False
    return bool(_WRITING_ACTIONS.intersection(_upper(one.properties.get("actions"))))


def texts(value: Any) -> list[str]:
    """The texts in a list; none where the value is not known."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, (list, tuple)) else []


def _upper(value: Any) -> set[str]:
    return {one.upper() for one in texts(value)}


def _is_everything(pattern: str) -> bool:
    """Whether a part of a pattern is ``*``, or missing, which is the same."""
    parts = _parts(pattern)
    places = [_ACTIONS_PLACE.get(domain, 2) for domain in (parts[1] if len(parts) > 1 else ())]
    return "*" in pattern or len(parts) <= max(places, default=2)


def _pattern_writes(pattern: str) -> bool:
    """Whether a wildcard pattern such as ``nexus:repository-view:docker:images:add`` allows to write."""
    parts = _parts(pattern)

    def allows(place: int, *words: str) -> bool:
        return len(parts) <= place or not parts[place].isdisjoint({"*", *words})

    actions = [one.lower() for one in _WRITING_ACTIONS]
    return allows(0, "nexus") and any(
        allows(1, domain) and allows(place, *actions) for domain, place in _ACTIONS_PLACE.items()
    )


def _parts(pattern: str) -> list[set[str]]:
    """The parts of a pattern as Shiro reads it: words in any case, with commas between them."""
    return [{word.strip() for word in part.split(",")} for part in pattern.lower().split(":")]
