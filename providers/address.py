"""Addresses of servers: whether one can be used, and where it leads."""

from __future__ import annotations

from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def is_address(url: str) -> bool:
    """Whether it is ``https://host`` or ``http://host``, with or without a port and a path."""
    try:
        parts = urlsplit(url)
        return parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:  # such as a port above 65535
        return False


def has_login(url: str) -> bool:
    """Whether a user is written into the address, which then ends in messages and logs."""
    return "@" in urlsplit(url).netloc


def host_and_port(url: str) -> tuple[str, int]:
    """Where an address leads; raises ValueError for one that can't be used."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
