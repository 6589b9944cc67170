"""HostReachable: whether an SSH server answers, said before the first step in words that name the argument."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Mapping
from typing import Any

import pulumi

from ...providers.provider import Proof
from ...providers.resource import TrackedResource
from ...providers.schema import Field, integer, port, text

_TIMEOUT = 10.0
_PAUSE = 1.0
_PROGRESS = 10.0
_GREETING_LIMIT = 65536


class Unreachable(Exception):
    """No SSH server answers; the text names the argument, the reason and the remedy."""


class _NoSshServer(Unreachable):
    """Something else answers, which waiting does not change."""


class HostReachableProvider(Proof):
    kind = "host"
    schema = {
        "host": Field(text(r"[^\s/@]+", hint="must be a name or address"), required=True),
        "port": Field(port, default=22),
        "timeout": Field(integer(1, 10**9 - 1), default=300, local=True),
    }

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return f"{inputs['host']}:{inputs['port']}"

    def look(self, inputs: Mapping[str, Any]) -> None:
        """Wait for the greeting, with a line of progress every 10 s."""
        host, number, limit = inputs["host"], inputs["port"], inputs["timeout"]
        began = said = time.monotonic()
        while True:
            left = began + limit - time.monotonic()
            try:
                return _greet(host, number, min(_TIMEOUT, max(left, 1.0)))
            except _NoSshServer:
                raise
            except Unreachable as error:
                now = time.monotonic()
                if now + _PAUSE >= began + limit:
                    raise Unreachable(f"{error} (waited {now - began:.0f} s, connect_timeout)") from None
                if now - said >= _PROGRESS:
                    said = now
                    reason = str(error).partition(": ")[2].rpartition(": ")[0]
                    sys.stderr.write(f"waiting for the host's SSH server: {now - began:.0f} s, {reason}\n")
                    sys.stderr.flush()
            time.sleep(_PAUSE)


def _greet(host: str, number: int, timeout: float) -> None:
    """Connect and wait for the server's line that begins with ``SSH-``; others may come before (RFC 4253, 4.2)."""
    at = f"[{host}]:{number}" if ":" in host else f"{host}:{number}"
    received = b""
    try:
        with socket.create_connection((host, number), timeout=timeout) as connection:
            ends = time.monotonic() + timeout
            while not _greets(received) and len(received) < _GREETING_LIMIT and time.monotonic() < ends:
                part = connection.recv(4096)
                if not part:
                    break
                received += part
    except socket.gaierror:
        raise Unreachable(f"ssh.host: the name {host!r} is not found: give the host's name or address") from None
    except TimeoutError:
        if not received:
            raise Unreachable(
                f"ssh.host: {at} does not answer within {timeout:.0f} s: is the host up, and does a "
                "firewall let this machine through?"
            ) from None
    except OSError as error:
        reason = error.strerror or error
        raise Unreachable(f"ssh.port: {at}: {reason}: is an SSH server listening there?") from None
    if not received:  # such as a port that is forwarded to a machine that still boots
        raise Unreachable(f"ssh.port: {at} closes the connection: is an SSH server listening there?")
    if not _greets(received):
        raise _NoSshServer(f"ssh.port: what listens at {at} is no SSH server: give the port of the host's sshd")


def _greets(received: bytes) -> bool:
    return any(line.startswith(b"SSH-") for line in received.splitlines())


class HostReachable(TrackedResource, module="nexus", name="HostReachable"):
    """An SSH server answers at this address. Looked at when the address changes, not in between.

    Args:
        resource_name: name of the resource in the stack.
        host: name or address.
        port: of its SSH server. Default 22.
        timeout: seconds to wait for it, such as for a machine that still boots. Default 300.

    Errors: within the timeout the name is not found, nothing answers, or it refuses; or what answers is no SSH
    server.
    """

    provider_class = HostReachableProvider

    def __init__(
        self,
        resource_name: str,
        *,
        host: pulumi.Input[str],
        port: pulumi.Input[int] | None = None,
        timeout: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, {"host": host, "port": port, "timeout": timeout}, opts)
