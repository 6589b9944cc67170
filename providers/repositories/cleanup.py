"""The cleanup policies that a repository names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from ..client import NexusClient
from ..declare import ListProp, prop
from ..errors import Forbidden, NotFound
from ..marks import Incarnations
from ..schema import set_of, text
from ..suggest import not_on_server
from ..system.cleanup_policy import CleanupPolicyProvider


class Cleanup(Incarnations):
    """Which cleanup policies mark components for deletion."""

    cleanup_policy_names: ListProp[str] = prop(
        set_of(text()), path="cleanup.policyNames", default=[], since="3.19", refers="CleanupPolicy"
    )
    """Cleanup policies that exist on the server; a set."""


def missing_policies(client: NexusClient, inputs: Mapping[str, Any], declared: Collection[str] = ()) -> str:
    """The message for policies that the server does not have; empty where it has all, or does not list them.

    Args:
        client: of the server.
        inputs: of the repository.
        declared: policies that need not be there yet.
    """
    names, provider = set(inputs.get("cleanup_policy_names") or ()) - set(declared), CleanupPolicyProvider()
    with suppress(NotFound, Forbidden):  # a server that is too old for the list, or a user who may not read it
        existing = [one["name"] for one in provider.entries(client)] if names else []
        missing = [one for one in sorted(names - set(existing)) if provider.find(client, {"name": one}) is None]
        return not_on_server("cleanup_policy_names", missing, existing)
    return ""
