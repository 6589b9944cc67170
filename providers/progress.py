"""Messages of a wait, shown beside the resource while it lasts.

The SDK gives a dynamic provider no access to the engine's log. The engine starts the provider process with its own
address among the arguments (``pulumi.dynamic … 127.0.0.1:40001``), and this module sends the messages there. They
are ephemeral: a terminal shows the last one in the resource's line, and nothing of them stays in the output. In
the program's own process, where data sources read, the SDK has the engine. Without one nothing is sent. Nothing is
sent in CI, where the CLI would print each message in a line of its own.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import cache

import grpc
import pulumi
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc
from pulumi.runtime.settings import get_engine

from . import engine

FIRST = 2.0
"""Seconds that a wait lasts before it is shown. Each message comes after twice the time of the one before."""
_TIMEOUT = 2.0


class Wait:
    """One wait of a provider: :meth:`show` is called as often as its loop turns.

    Args:
        urn: the resource that waits; by default that which this thread works on.
    """

    def __init__(self, urn: str = "") -> None:
        self._began = time.monotonic()
        self._next = FIRST
        self._urn = urn

    @property
    def left(self) -> float:
        """Seconds until the next message."""
        return max(self._began + self._next - time.monotonic(), 0.0)

    def show(self, reason: str) -> None:
        """Show why this waits, when it is time for a message. The reason contains no secret."""
        waited = time.monotonic() - self._began
        if waited < self._next:
            return
        self._next *= 2
        _log(f"waiting for {waited:.0f} s: {reason}", self._urn or engine.urn())


@contextmanager
def shown(reason: str) -> Iterator[None]:
    """Show why this waits while the block lasts: for one call that may return late. It contains no secret."""
    if not _is_shown():
        yield
        return
    ended, wait, context = threading.Event(), Wait(engine.urn()), copy_context()

    def watch() -> None:
        while not ended.wait(wait.left):
            wait.show(reason)

    with suppress(RuntimeError):  # no thread can start: too many, or Python 3.12 ends
        threading.Thread(target=context.run, args=(watch,), daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _is_shown() -> bool:
    """Whether there is an engine, and this is not CI."""
    return not os.environ.get("CI") and (bool(_engine_address()) or get_engine() is not None)


def _log(message: str, urn: str) -> None:
    """Send a message to the engine. A progress message that is lost is no error."""
    if not _is_shown():
        return
    with suppress(grpc.RpcError):
        if address := _engine_address():
            request = engine_pb2.LogRequest(severity=engine_pb2.INFO, message=message, urn=urn, ephemeral=True)
            _stub(address).Log(request, timeout=_TIMEOUT)
        else:
            pulumi.log.info(message, ephemeral=True)


def _engine_address() -> str:
    addresses = [one for one in sys.argv[1:] if re.fullmatch(r"[\w.\[\]:-]+:\d+", one)]
    return addresses[-1] if addresses and "dynamic" in sys.argv[0] else ""


@cache
def _stub(address: str) -> engine_pb2_grpc.EngineStub:
    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))
