"""Fields of the engine's request that the SDK does not pass to a dynamic provider.

The engine names the resource (its URN) in every request and sends a random seed with each check, which an update
plan keeps. The SDK's servicer has the request in a local variable named ``request`` while it calls the provider
(``pulumi/dynamic/__main__.py``, SDK 3.216 to 3.272); this module reads it from there. Without it ``urn`` is empty.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
from typing import Any

from google.protobuf.message import Message


def _request() -> Any:
    """The request that this thread is serving; ``None`` outside of the SDK's servicer."""
    frame = sys._getframe(1)
    while frame is not None:
        found = frame.f_locals.get("request")
        if isinstance(found, Message):
            return found
        frame = frame.f_back  # type: ignore[assignment]
    return None


def urn() -> str:
    """URN of the resource that this request is about; empty when the engine did not send it."""
    return str(getattr(_request(), "urn", ""))


def name_of(urn: str) -> str:
    """The resource's name in the program, which is the last part of its URN."""
    return urn.rpartition("::")[2]


def random_token() -> str:
    """A random mark of 16 hexadecimal digits, the same each time an update plan is carried out.

    It follows from the request's seed and URN. The engine makes a new seed for each check, and takes it from the
    plan where there is one. Without a seed the mark is random.
    """
    request = _request()
    seed = getattr(request, "randomSeed", b"") or secrets.token_bytes(32)
    return hashlib.sha256(seed + urn().encode()).hexdigest()[:16]
