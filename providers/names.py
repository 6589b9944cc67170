"""The names that Nexus allows objects and stores allow buckets, the address of another server, and formats."""

from __future__ import annotations

import re
from typing import Any

from .address import has_login, is_address
from .schema import Invalid, Normalise, text

NAME: Normalise = text(
    r"[A-Za-z0-9-][A-Za-z0-9_.-]*",
    hint="must be letters, digits, '-', '_' and '.', not starting with '_' or '.'",
    max_length=200,
)
"""At most 200 characters, which is what the database holds."""

PATH_NAME: Normalise = text(
    r"(?!\.{1,2}$)[^/\0]+",
    hint="must have no '/' or NUL, and not be '.' or '..': the server would not find it again",
    max_length=200,
)
"""What can stand in an address: at most 200 characters without ``/``."""

IMAGE_FORMATS = ("docker", "oci")
"""The formats of repositories with images, which have connectors and need the Docker realm."""

_HTTP_URL_HINT = "must be an http:// or https:// address"
_HTTP_URL = text(r"https?://[^\s/]\S*", hint=_HTTP_URL_HINT)


def http_url(value: Any) -> str:
    """Address of another server. Messages name it, so that it holds no login."""
    url = str(_HTTP_URL(value))
    if not is_address(url):
        raise Invalid(_HTTP_URL_HINT)
    if has_login(url):
        raise Invalid("must hold no login, because messages and the state name it")
    return url


def bucket_name(allowed: str, max_length: int, pattern: str) -> Normalise:
    """A rule for names of buckets: what may be in one besides lower-case letters and digits, and its length."""

    def rule(value: Any) -> str:
        name = str(text()(value))
        if not re.fullmatch(rf"[a-z0-9]{pattern}{{1,{max_length - 2}}}[a-z0-9]", name) or ".." in name:
            raise Invalid(
                f"{name!r} is no name of a bucket. Give 3 to {max_length} lower-case letters, digits, {allowed} "
                "and '.', the first and the last a letter or digit"
            )
        if re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name):
            raise Invalid(f"{name!r} is an IP address and no name of a bucket. Give the name")
        return name

    return rule
