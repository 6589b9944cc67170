"""Which server a resource is on, and with which connection it is reached."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast
from urllib.parse import urlsplit

from .address import host_and_port
from .client import Connection, NexusClient, client_for
from .errors import (
    NexusError,
    NotFound,
    OutcomeUnknown,
    ProxyRefused,
    Refused,
    UnexpectedResponse,
    Unreachable,
    Untrusted,
)
from .run import Run

_PROBE_TIMEOUT = 5.0
_NO_NEXUS = (Unreachable, Untrusted, ProxyRefused, OutcomeUnknown, UnexpectedResponse, NotFound)
"""The errors of an address at which no Nexus responds. A redirect is another one."""


def resolve(configured: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """The connection of a resource: its own, completed by what the stack's configuration holds.

    The address of a resource without one is that of the configuration with which it was last written.
    """
    written = {"url": properties["configured_url"]} if properties.get("configured_url") else {}
    return {"username": "admin", **configured, **written, **(properties.get("connection") or {})}


def _require(connection: Mapping[str, Any], key: str) -> None:
    """Refuse the connection of a state that lacks what a former configuration had."""
    if not connection.get(key):
        raise Refused(
            f"connection.{key}: is neither in the state nor in the configuration. Set nexus-registry:{key} to "
            "that of the server that has the object, and run `pulumi up`"
        )


def server_of(url: str) -> str:
    """A url in the one form in which two addresses of the same server and context path are equal."""
    try:
        parts = urlsplit(url)
        host, port = host_and_port(url)
    except ValueError:  # check refuses it
        return url
    return f"{parts.scheme}://{host.rstrip('.')}:{port}{parts.path.rstrip('/')}"


def client_of(connection: Mapping[str, Any]) -> NexusClient:
    """The client for a connection of the program."""
    return client_for(cast("Connection", dict(connection)))


def client_from_state(run: Run, connection: Mapping[str, Any]) -> NexusClient:
    """The client for a connection that the state holds, which may be outdated.

    ``NEXUS_USERNAME`` and ``NEXUS_PASSWORD`` replace its login where ``NEXUS_URL`` is the same server. Where the
    program of this run reaches that server at another address and the old one does not answer, the new one is
    used.
    """
    known = dict(connection)
    _require(known, "url")
    server = server_of(known["url"])
    if os.environ.get("NEXUS_URL") and server_of(os.environ["NEXUS_URL"]) == server:
        for key in ("username", "password"):
            known[key] = os.environ.get(f"NEXUS_{key.upper()}") or known.get(key)
    _require(known, "password")
    new = run.moved(server)
    if new is not None and not _answers(known):
        return client_of(new)
    return client_of(known)


def require_same_server(run: Run, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Refuse a new address that leads to another server than the old one: its objects are not there.

    Nexus returns the id of its node. If the old address does not respond, or one of them returns no id, the
    servers are assumed to be the same, and each object is searched at the new address.
    """
    _require(old, "url")
    if run.same_server(server_of(old["url"]), server_of(new["url"]), lambda: same_node(old, new)) is False:
        raise Refused(
            f"connection.url: {new['url']} is another server than {old['url']}, where the object is. Declare a "
            "new resource for the new server under another name, or replace this one with `pulumi up --replace`"
        )


def _answers(connection: Mapping[str, Any]) -> bool:
    """Whether a Nexus responds at this address."""
    try:
        NexusClient(cast("Connection", dict(connection)), retry_timeout=_PROBE_TIMEOUT).login()
    except NexusError as error:
        return not (isinstance(error, _NO_NEXUS) or 300 <= error.status < 400)
    return True


def same_node(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool | None:
    """Whether these addresses lead to one server; ``None`` when one of them returns no node id."""
    if not old.get("password"):  # the configuration had it, and has it no longer
        old = {**new, "url": old["url"]}
    ids = {_node_id(old), _node_id(new)}
    return None if "" in ids else len(ids) == 1


def _node_id(connection: Mapping[str, Any]) -> str:
    with suppress(NexusError):
        client = NexusClient(cast("Connection", dict(connection)), retry_timeout=_PROBE_TIMEOUT)
        return str(client.get_object("/v1/system/node").get("nodeId", ""))
    return ""
