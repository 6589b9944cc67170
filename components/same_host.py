"""Two servers of one program on the same host: what they can't share is refused in preview."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import pulumi

from .validation import Problem, require_none

if TYPE_CHECKING:
    from pulumi_command import remote

    from .server import NexusServer

_servers: weakref.WeakKeyDictionary[Any, list[NexusServer]] = weakref.WeakKeyDictionary()
"""The servers of each run of a program."""

_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104


def refuse_shared(server: NexusServer) -> None:
    """Raise InvalidArguments when another server of this program has the same place on the same host."""
    others = _servers.setdefault(pulumi.runtime.settings.get_monitor(), [])
    for other in others:
        require_none(f"NexusServer {server.name!r}", _shared(server, other))
    others.append(server)


def ports_beside(server: NexusServer) -> dict[int, str]:
    """The ports of other servers of this program at this one's address of the same host, each with its user."""
    others = _servers.get(pulumi.runtime.settings.get_monitor(), [])
    beside = [one for one in others if one is not server and _on_one_host(server, one) and _meet(server, one)]
    return {port: f"{user} of {one.name!r} on the same host" for one in beside for port, user in one.ports.items()}


def _on_one_host(server: NexusServer, other: NexusServer) -> bool:
    return isinstance(server.args.ssh.host, str) and _address(server.args.ssh) == _address(other.args.ssh)


def _meet(server: NexusServer, other: NexusServer) -> bool:
    """Whether both listen at one address of their host."""
    addresses = {server.args.address, other.args.address}
    return len(addresses) == 1 or bool(addresses & {*_ANY_ADDRESS})


def _shared(server: NexusServer, other: NexusServer) -> Iterator[Problem]:
    args = server.args
    if not _on_one_host(server, other):
        return
    for name in ("unit", "install_root", "data_dir"):
        value, others = getattr(args, name), getattr(other.args, name)
        if value == others or (name == "unit" and _plain(value) == _plain(others)):
            yield name, f"{value} is that of {other.name!r} on the same host too. Give each server its own."
    if not _meet(server, other):
        return
    for name in ("http_port", "https_port"):
        port = getattr(args, name)
        if port in other.ports:
            yield (
                name,
                f"{port} is the {other.ports[port]} of {other.name!r} on the same host. Choose another port.",
            )


def _plain(value: Any) -> Any:
    """A name of a unit as the steps read it."""
    return value.removesuffix(".service") if isinstance(value, str) else value


def _address(ssh: remote.ConnectionArgs) -> tuple[Any, ...]:
    """The host as its SSH connection names it: behind another proxy, the same address is another host."""
    proxy = getattr(ssh, "proxy", None) or {}
    of = proxy.get if isinstance(proxy, Mapping) else partial(getattr, proxy)
    return ssh.host, getattr(ssh, "port", None) or 22, of("host", None), of("port", None) or 22
