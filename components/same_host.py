"""Two servers of one program on the same host: what they can't share is refused in preview."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
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


def _shared(server: NexusServer, other: NexusServer) -> Iterator[Problem]:
    args = server.args
    if not isinstance(args.ssh.host, str) or _address(args.ssh) != _address(other.args.ssh):
        return
    for name in ("unit", "install_root", "data_dir"):
        value, others = getattr(args, name), getattr(other.args, name)
        if value == others or (name == "unit" and _plain(value) == _plain(others)):
            yield name, f"{value} is that of {other.name!r} on the same host too. Give each server its own."
    if args.address != other.args.address and not {args.address, other.args.address} & {*_ANY_ADDRESS}:
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
    proxy = getattr(ssh, "proxy", None)
    return ssh.host, getattr(ssh, "port", None) or 22, getattr(proxy, "host", None)
