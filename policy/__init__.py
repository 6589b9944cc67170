"""Rules for stacks with nexus-registry, as a CrossGuard policy pack and as an audit of a state file.

The rules need nothing but the standard library (:mod:`.rules`); the pack needs ``nexus-registry[policy]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .rules import RULES, Resource, Violation, evaluate

if TYPE_CHECKING:
    from pulumi_policy import PolicyPack

__all__ = ["RULES", "Resource", "Violation", "evaluate", "pack"]


def pack(config: Mapping[str, Mapping[str, Any]] | None = None, name: str = "nexus-registry") -> PolicyPack:
    """Create the policy pack; the ``__main__.py`` of a folder with a ``PulumiPolicy.yaml`` calls it.

    Args:
        config: settings by the rule's name, which ``--policy-pack-config`` overrides: ``enforcementLevel``
            (``mandatory`` unless stated, ``advisory`` or ``disabled``) and the rule's own.
        name: of the pack.

    Raises:
        ValueError: for a rule or a setting that does not exist.
        ImportError: without ``nexus-registry[policy]``.
    """
    from .crossguard import create

    return create(config or {}, name)
