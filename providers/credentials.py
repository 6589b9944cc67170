"""Remembers which credentials are right or wrong, so that a wrong password is sent once and never again."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from .errors import Unauthorized


class Credentials:
    """Whether one url, user and password are right, as far as this process knows."""

    _known: ClassVar[dict[str, Credentials]] = {}
    _known_lock = threading.Lock()

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence
        self._right: bool | None = None
        self._first_use = threading.Lock()

    @classmethod
    def of(cls, url: str, username: str, password: str) -> Credentials:
        """The instance of this process for these credentials."""
        key = hashlib.sha256("\0".join((url, username, password)).encode()).hexdigest()
        sentence = (
            f"Nexus at {url} does not take the password of user {username!r} (401). Set the right one; "
            "nothing more is sent with it, because wrong logins lock the account"
        )
        with cls._known_lock:
            return cls._known.setdefault(key, cls(sentence))

    @classmethod
    def reset(cls) -> None:
        """Forget all credentials."""
        with cls._known_lock:
            cls._known.clear()

    @classmethod
    def invalidate(cls, url: str) -> None:
        """Discard what is known for a server: a password was changed, and a wrong one may be right now."""
        with cls._known_lock:
            for one in cls._known.values():
                if f" {url} " in one._sentence:
                    one._right = None

    @contextmanager
    def use(self) -> Iterator[None]:
        """Admit requests: all once the password is known to be right, one at a time before, none when it is
        wrong."""
        if self._right:
            yield
            return
        with self._first_use:
            if self._right is False:
                raise Unauthorized(self._sentence, status=401)
            yield

    def record(self, status: int) -> None:
        """Record the status of a response with these credentials."""
        if status == 401:
            self._right = False
        elif status < 500 and status not in (407, 429):
            self._right = True
