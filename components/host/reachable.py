"""HostReachable: whether an SSH server answers, said before the first step in words that name the argument."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import pulumi

from ...providers.provider import Proof
from ...providers.resource import TrackedResource
from ...providers.schema import Field, port, text

_TIMEOUT = 10.0


class Unreachable(Exception):
    """No SSH server answers; the text names the argument, the reason and the remedy."""


class HostReachableProvider(Proof):
    kind = "host"
    schema = {
        "host": Field(text(r"[^\s/@]+", hint="must be a name or address"), required=True),
        "port": Field(port, default=22),
    }

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return f"{inputs['host']}:{inputs['port']}"

    def look(self, inputs: Mapping[str, Any]) -> None:
        _greet(inputs["host"], inputs["port"])


def _greet(host: str, number: int) -> None:
    """Connect and wait for the server's greeting, which RFC 4253 has begin with ``SSH-``."""
    try:
        with socket.create_connection((host, number), timeout=_TIMEOUT) as connection:
            greeting = connection.recv(64)
    except socket.gaierror:
        raise Unreachable(f"ssh.host: the name {host!r} is not found: give the host's name or address") from None
    except TimeoutError:
        raise Unreachable(
            f"ssh.host: {host}:{number} does not answer within {_TIMEOUT:.0f} s: is the host up, and does a "
            "firewall let this machine through?"
        ) from None
    except OSError as error:
        raise Unreachable(
            f"ssh.port: {host}:{number}: {error.strerror or error}: is an SSH server listening there?"
        ) from None
    if not greeting.startswith(b"SSH-"):
        raise Unreachable(
            f"ssh.port: what listens at {host}:{number} is no SSH server: give the port of the host's sshd"
        )


class HostReachable(TrackedResource, module="nexus", name="HostReachable"):
    """An SSH server answers at this address. Looked at when the address changes, not in between.

    Args:
        resource_name: name of the resource in the stack.
        host: name or address.
        port: of its SSH server. Default 22.

    Errors: the name is not found, nothing answers within 10 s, it refuses, or what answers is no SSH server.
    """

    provider_class = HostReachableProvider

    def __init__(
        self,
        resource_name: str,
        *,
        host: pulumi.Input[str],
        port: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, {"host": host, "port": port}, opts)
