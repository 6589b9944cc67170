"""Keeps secrets out of messages that repeat what was sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

_SECRET_KEY = re.compile(
    "password|secret|token|(account|api|private)[_.-]?key|credential|passphrase|keypair", re.IGNORECASE
)


def secrets_in(body: Any) -> tuple[str, ...]:
    """The values in a body, however deep, that its keys call secret."""
    if isinstance(body, list):
        return tuple(secret for entry in body for secret in secrets_in(entry))
    if not isinstance(body, dict):
        return ()
    own = [
        str(value) for key, value in body.items() if _SECRET_KEY.search(key) and isinstance(value, str) and value
    ]
    return (*own, *(secret for value in body.values() for secret in secrets_in(value)))


def redact(secrets: Iterable[str], text: str) -> str:
    """The text without the secrets, as they are, in JSON, and with their white space as single blanks."""
    long = [secret for secret in secrets if len(secret) > 2]
    quoted = {json.dumps(secret, ensure_ascii=escaped)[1:-1] for secret in long for escaped in (True, False)}
    for form in sorted({*long, *quoted, *(" ".join(secret.split()) for secret in long)}, key=len, reverse=True):
        if len(form) > 2:
            text = text.replace(form, "[secret]")
    return text
