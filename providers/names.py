"""The name that Nexus allows most objects, such as repositories, the address of another server, and formats."""

from __future__ import annotations

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
