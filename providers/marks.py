"""Incarnations: how an object that Nexus stripped from others is written into them again.

Nexus silently removes a deleted repository from every group and its privileges from every role, a deleted role
from every user and other role, a deleted cleanup policy from every repository, and a deleted LDAP server from
their order.
"""

from __future__ import annotations

from typing import Any

from .crud import LEGACY_MARK
from .declare import ListProp, Prop, PropertyGroup, prop
from .schema import set_of, text


class Incarnation(PropertyGroup):
    """For a kind whose deletion strips it from other objects."""

    incarnation: Prop[str] = prop(text(), computed=True, local=True)
    """Changes exactly when another object takes the place of this one. What refers to it takes it as an input, and
    is so written again when it is replaced."""


def _marks(value: Any) -> list[Any]:
    return [one for one in set_of(text())(value) if not str(one).startswith(LEGACY_MARK)]


class Incarnations(PropertyGroup):
    """For a kind from which Nexus strips what is deleted."""

    incarnations: ListProp[str] = prop(_marks, default=[])
    """``incarnation`` of each resource that this one refers to. Those of resources whose outputs it is given (such
    as ``role.role_id``) are added automatically; name the others."""
