"""Who may do what, as far as the resources of a stack say it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

_BUILT_IN_ROLES = {"nx-admin": ["nx-all"], "nx-anonymous": ["nx-repository-view-*-*-read"]}
_WILDCARD = re.compile(r"nx-all|nx-\*|nx-repository-(?:view|admin)-\*-\*-\*")
_WRITES = re.compile(r"nx-all|nx-component-upload|nx-repository-(?:view|admin)-.*-(?:add|edit|delete|\*)")
_WRITING_ACTIONS = {"ADD", "EDIT", "DELETE", "ALL"}


class Declared(Protocol):
    """What is needed of a resource."""

    @property
    def kind(self) -> str: ...

    @property
    def properties(self) -> Mapping[str, Any]: ...


class Access:
    """Roles and privileges of one stack; those that it does not declare are known only where they are built in."""

    def __init__(self, resources: Iterable[Declared]) -> None:
        self._roles: dict[str, tuple[list[str], list[str]]] = {
            role: (privileges, []) for role, privileges in _BUILT_IN_ROLES.items()
        }
        self._privileges: dict[str, Declared] = {}
        for one in resources:
            properties = one.properties
            if one.kind == "Role":
                role = str(properties.get("role_id"))
                self._roles[role] = (texts(properties.get("privileges")), texts(properties.get("roles")))
            elif one.kind.endswith("Privilege"):
                self._privileges[str(properties.get("name"))] = one

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
            for privilege in sorted(self._roles.get(role, ([], []))[0]):
                yield role, privilege

    def is_wildcard(self, privilege: str) -> bool:
        """Whether a privilege is about everything."""
        declared = self._privileges.get(privilege)
        if declared is None:
            return bool(_WILDCARD.fullmatch(privilege))
        properties = declared.properties
        if declared.kind == "WildcardPrivilege":
            return "*" in str(properties.get("pattern"))
        everywhere = properties.get("repository") == "*" and properties.get("format") == "*"
        return everywhere and "ALL" in _upper(properties.get("actions"))

    def writes(self, privilege: str) -> bool:
        """Whether a privilege allows to add, change or delete components."""
        declared = self._privileges.get(privilege)
        if declared is None:
            return bool(_WRITES.fullmatch(privilege))
        if declared.kind == "WildcardPrivilege":
            return _pattern_writes(str(declared.properties.get("pattern")))
        if not declared.kind.startswith("Repository"):
            return False
        return bool(_WRITING_ACTIONS.intersection(_upper(declared.properties.get("actions"))))


def texts(value: Any) -> list[str]:
    """The texts in a list; none where the value is not known."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, (list, tuple)) else []


def _upper(value: Any) -> set[str]:
    return {one.upper() for one in texts(value)}


def _pattern_writes(pattern: str) -> bool:
    """Whether a wildcard pattern such as ``nexus:repository-view:docker:images:add`` allows to write."""
    parts = pattern.split(":")
    if len(parts) < 2 or parts[1] not in (
        "*",
        "repository-view",
        "repository-admin",
        "repository-content-selector",
    ):
        return False
    if len(parts) < 5:
        return True  # what is left out is everything
    return bool({*_WRITING_ACTIONS, "*"}.intersection(parts[-1].upper().split(",")))
