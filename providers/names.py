"""The name that Nexus allows most objects, such as repositories, the address of another server, and formats."""

from __future__ import annotations

from .schema import Normalise, text

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

HTTP_URL: Normalise = text(r"https?://[^\s/]\S*", hint="must be an http:// or https:// address")
"""Address of another server."""
