"""What a server returned a moment ago, for reads of many objects in a row and for lookups."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

from .errors import NotFound

LIFETIME = 60.0
"""Seconds in which a list that a refresh has read is used again for further objects of the refresh."""


class Lists:
    """The lists that one server returned a moment ago."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reads: dict[Hashable, tuple[float, Future[list[Any]]]] = {}
        self.seen: dict[str, float] = {}

    def get(self, key: Hashable, read: Callable[[], list[Any]]) -> list[Any]:
        """The list, or the failure, of a read that began a moment ago; threads wait for one that has not ended.

        A failure other than :class:`NotFound` is only for those who were waiting: the next one reads again.
        """
        with self._lock:
            at, result = self._reads.get(key, (-math.inf, Future()))
            if own := time.monotonic() - at > LIFETIME:
                result = Future()
                self._reads[key] = time.monotonic(), result
        if own:
            try:
                result.set_result(read())
            except BaseException as error:
                if not isinstance(error, NotFound):
                    self._drop(key, result)
                result.set_exception(error)
        return result.result()

    def _drop(self, key: Hashable, result: Future[list[Any]]) -> None:
        with self._lock:
            if key in self._reads and self._reads[key][1] is result:
                del self._reads[key]

    def clear(self) -> None:
        """Forget every list, and those whose reading has not ended: they may be older than a write."""
        with self._lock:
            self._reads.clear()


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
