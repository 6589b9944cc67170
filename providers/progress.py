"""Messages of a wait, shown beside the resource while it lasts.

The SDK gives a dynamic provider no access to the engine's log. The engine starts the provider process with its own
address among the arguments (``pulumi.dynamic … 127.0.0.1:40001``), and this module sends the messages there. They
are ephemeral: a terminal shows the last one in the resource's line, and nothing of them stays in the output.
Without such an address nothing is sent.
"""

from __future__ import annotations

import re
import sys
import time
from contextlib import suppress
from functools import cache

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from . import engine

FIRST = 2.0
"""Seconds that a wait lasts before it is shown. Each message comes after twice the time of the one before."""
_TIMEOUT = 2.0


class Wait:
    """One wait of a provider: :meth:`show` is called as often as its loop turns."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._next = FIRST

    def show(self, reason: str) -> None:
        """Show why this waits, when it is time for a message. The reason contains no secret."""
        waited = time.monotonic() - self._began
        if waited < self._next:
            return
        self._next *= 2
        _log(f"waiting for {waited:.0f} s: {reason}")


def _log(message: str) -> None:
    """Send a message to the engine. A progress message that is lost is no error."""
    if address := _engine_address():
        request = engine_pb2.LogRequest(
            severity=engine_pb2.INFO, message=message, urn=engine.urn(), ephemeral=True
        )
        with suppress(grpc.RpcError):
            _stub(address).Log(request, timeout=_TIMEOUT)


def _engine_address() -> str:
    addresses = [one for one in sys.argv[1:] if re.fullmatch(r"[\w.\[\]:-]+:\d+", one)]
    return addresses[-1] if addresses and "dynamic" in sys.argv[0] else ""


@cache
def _stub(address: str) -> engine_pb2_grpc.EngineStub:
    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))
