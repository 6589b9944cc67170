"""What a server returned a moment ago, for reads of many objects in a row and for lookups."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from .errors import NotFound

LIFETIME = 60.0
"""Seconds in which a list that a refresh has read is used again for further objects of the refresh."""


class Lists:
    """The lists that one server returned a moment ago."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reading: dict[Any, threading.Lock] = {}
        self._read: dict[Any, tuple[float, list[Any] | NotFound]] = {}
        self._writes = 0
        self.seen: dict[str, float] = {}

    def get(self, key: Any, read: Callable[[], list[Any]]) -> list[Any]:
        with self._lock:
            reading = self._reading.setdefault(key, threading.Lock())
        with reading:  # threads that want the same list wait for one request
            at, found = self._read.get(key, (-math.inf, []))
            if time.monotonic() - at > LIFETIME:
                at, writes = time.monotonic(), self._writes
                try:
                    found = read()
                except NotFound as error:
                    found = error
                with self._lock:
                    if writes == self._writes:  # else it may be older than a write
                        self._read[key] = at, found
        if isinstance(found, NotFound):
            raise found
        return found

    def clear(self) -> None:
        with self._lock:
            self._writes += 1
            self._read.clear()


_servers: dict[str, Lists] = {}
_lock = threading.Lock()


def lists_of(url: str) -> Lists:
    """Those of the server at this address, the same for all clients of this process."""
    with _lock:
        return _servers.setdefault(url, Lists())


def reset() -> None:
    """Forget everything."""
    with _lock:
        _servers.clear()
