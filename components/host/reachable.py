"""HostReachable: checks that an SSH server responds, before the first step, with errors that name the argument."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Mapping
from typing import Any

from ...providers.address import with_port
from ...providers.declare import DeclaredResource, Prop, prop
from ...providers.errors import sentence
from ...providers.provider import Verification
from ...providers.schema import integer, port, text

_TIMEOUT = 10.0
_PAUSE = 1.0
_PROGRESS = 10.0
_GREETING_LIMIT = 65536


class Unreachable(Exception):
    """No SSH server responds. The text names the argument, the reason and the remedy."""

    def __init__(self, text: str) -> None:
        super().__init__(sentence(text))


class _NoSshServer(Unreachable):
    """Another program responds, which waiting does not change."""


class HostReachableProvider(Verification):
    kind = "host"

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return f"{inputs['host']}:{inputs['port']}"

    def verify(self, inputs: Mapping[str, Any]) -> None:
        """Wait for the greeting, with a line of progress every 10 s."""
        host, number, limit = inputs["host"], inputs["port"], inputs["timeout"]
        began = logged = time.monotonic()
        while True:
            left = began + limit - time.monotonic()
            try:
                return _greet(host, number, min(_TIMEOUT, max(left, 1.0)))
            except _NoSshServer:
                raise
            except Unreachable as error:
                now = time.monotonic()
                if now + _PAUSE >= began + limit:
                    raise Unreachable(f"{error} It was tried for {now - began:.0f} s (connect_timeout)") from None
                if now - logged >= _PROGRESS:
                    logged = now
                    reason = str(error).partition(": ")[2].rpartition(". ")[0]
                    sys.stderr.write(f"waiting for the host's SSH server: {now - began:.0f} s, {reason}\n")
                    sys.stderr.flush()
            time.sleep(_PAUSE)


def _greet(host: str, number: int, timeout: float) -> None:
    """Connect and wait for the server's line that begins with ``SSH-``; others may come before (RFC 4253, 4.2)."""
    at = with_port(host, number)
    received = b""
    try:
        with socket.create_connection((host, number), timeout=timeout) as connection:
            ends = time.monotonic() + timeout
            while not _greets(received) and len(received) < _GREETING_LIMIT and time.monotonic() < ends:
                part = connection.recv(4096)
                if not part:
                    break
                received += part
    except (socket.gaierror, UnicodeError):  # UnicodeError: a part of the name is too long once it is encoded.
        raise Unreachable(f"ssh.host: the name {host!r} is not found. Give the host's name or address") from None
    except TimeoutError:
        if not received:
            raise Unreachable(
                f"ssh.host: {at} does not answer within {timeout:.0f} s. Is the host up, and does a "
                "firewall let this machine through?"
            ) from None
    except OSError as error:
        reason = error.strerror or error
        raise Unreachable(f"ssh.port: {at}: {reason}. Is an SSH server listening there?") from None
    if not received:  # such as a port that is forwarded to a machine that still boots
        raise Unreachable(f"ssh.port: {at} closes the connection. Is an SSH server listening there?")
    if not _greets(received):
        raise _NoSshServer(f"ssh.port: what listens at {at} is no SSH server. Give the port of the host's sshd")


def _greets(received: bytes) -> bool:
    return any(line.startswith(b"SSH-") for line in received.splitlines())


class HostReachable(DeclaredResource, provider=HostReachableProvider):
    """Checks that an SSH server responds at this address, when it is created and when the address changes.

    Errors: within the timeout the name is not found, nothing responds, or the connection is refused; or the
    response is not that of an SSH server.
    """

    host: Prop[str] = prop(
        text(
            r"[^\s/@.]{1,63}(\.[^\s/@.]{1,63})*\.?",
            hint="must be a name or address, with 1 to 63 characters between dots",
        )
    )
    """Name or address."""
    port: Prop[int] = prop(port, default=22)
    """Port of its SSH server."""
    timeout: Prop[int] = prop(integer(1, 10**9 - 1), default=300, local=True, unit="seconds")
    """How long to wait for it, such as for a machine that still boots."""
