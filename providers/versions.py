"""What a server can do, by its version."""

from __future__ import annotations

import re

from pulumi.dynamic import CheckFailure

from .unknown import is_unknown

REST_SINCE = (3, 26)


def parse(version: str) -> tuple[int, int, int]:
    """``3.71.0-06`` as ``(3, 71, 0)``; raises ValueError for what is no version."""
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?:-\d+)?", version)
    if not match:
        raise ValueError(f"{version!r} is no Nexus version: give one such as 3.71.0-06")
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch)


def without_rest(version: str) -> str:
    """What to say of a version that has no REST API for repositories and realms; empty for another, or none."""
    if not version or parse(version) >= REST_SINCE:
        return ""
    return f"Nexus {version}, whose REST API begins with 3.26.0: install a newer one"


def refuse_rest_below(version: object) -> list[CheckFailure]:
    """One sentence for a server that has no REST API for repositories and realms."""
    if isinstance(version, str) and not is_unknown(version) and (said := without_rest(version)):
        return [CheckFailure("connection", f"names {said}")]
    return []


def served(header: str) -> str:
    """The version that a ``Server`` header such as ``Nexus/3.19.1-01 (OSS)`` states; empty when it states none."""
    match = re.search(r"\bNexus/(\d+\.\d+\.\d+(?:-\d+)?)\b", header)
    return match[1] if match else ""
