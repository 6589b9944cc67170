"""What a server has and a stack does not manage. Plain data in, plain data out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nexus_registry.providers.connection import server_of

from .objects import Object, Snapshot, declared, provider_of
from .state import Unreadable, plain, resources_in


def unmanaged(found: Snapshot, state: Any) -> list[Object]:
    """The objects of the snapshot that no resource of the exported state manages, by kind and key.

    A stack with resources on several servers is compared by those on the snapshot's. Where all are on one server,
    it is the snapshot's, at whatever address. Resources without an address count as on the snapshot's, too.
    """
    managed: dict[str, set[tuple[str, str]]] = {}
    for server, key in _managed(state):
        managed.setdefault(server, set()).add(key)
    here = server_of(found.url)
    own = managed.pop("", set())
    if not own and here not in managed and len(managed) > 1:
        raise Unreadable(
            f"--url: the stack has no resource on {here}, but on {', '.join(sorted(managed))}. Give one of these, "
            "or name another stack"
        )
    own |= managed.get(here, set())
    if managed and not own:
        own = next(iter(managed.values()))
    scopes = {scope for scope, _ in own}
    lacking = [one for one in found.objects if not _is_managed(one, own, scopes)]
    return sorted(lacking, key=lambda one: (one.kind.__name__, one.identity.casefold(), one.identity))


def _is_managed(one: Object, own: set[tuple[str, str]], scopes: set[str]) -> bool:
    return (one.scope, one.identity) in own or provider_of(one.kind).excludes in scopes


def _managed(state: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    """Server (empty where the state lacks it), scope and id of each resource of a kind of this package."""
    types = {f"pulumi-python:{kind._resource_type_name}": kind for kind in declared()}
    for resource in resources_in(state):
        kind = types.get(resource.get("type", ""))
        if kind is None or resource.get("delete") or resource.get("external"):
            continue
        provider = provider_of(kind)
        inputs = resource.get("inputs") or {}
        connection = inputs.get("connection")
        connection = plain(connection) if connection is not None else None
        url = (connection if isinstance(connection, Mapping) else {"url": inputs.get("configured_url")}).get("url")
        yield server_of(url) if url else "", (provider.scope_of(inputs), str(resource.get("id", "")))
