"""``nexus-registry audit``: the rules of ``nexus_registry.policy`` over an exported state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..policy.rules import Resource, Violation, evaluate
from .state import Unreadable, hidden

_NOT_STATE = "--file: this is no exported stack. Give what `pulumi stack export` prints."


def audit(export: Any, config: Mapping[str, Any]) -> list[Violation]:
    """What in an exported state breaks a rule; raises Unreadable, or ValueError for the configuration.

    Args:
        export: what `pulumi stack export` prints, parsed; its secrets may be encrypted.
        config: settings by rule.
    """
    return list(evaluate(_resources(export), config))


def _resources(export: Any) -> list[Resource]:
    deployment = export.get("deployment", export) if isinstance(export, dict) else None
    if not isinstance(deployment, dict) or not {"manifest", "resources"} & set(deployment):
        raise Unreadable(_NOT_STATE)
    try:
        return [
            # The outputs are what a refresh saw; inputs fill in what has none.
            Resource(one["urn"], one["type"], hidden({**(one.get("inputs") or {}), **(one.get("outputs") or {})}))
            for one in deployment.get("resources") or []
            if not one.get("delete")
        ]
    except (KeyError, TypeError, AttributeError):
        raise Unreadable(_NOT_STATE) from None


def as_json(found: list[Violation]) -> str:
    """The violations for a program."""
    return json.dumps([vars(one) for one in found], indent=1)
