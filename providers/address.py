"""Addresses of servers: whether one can be used, and where it leads."""

from __future__ import annotations

from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def is_address(url: str) -> bool:
    """Whether it is ``https://host`` or ``http://host``, with or without a port and a path."""
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")  # as each connection does
        return parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:  # such as a port above 65535, or a name with an empty part
        return False


def has_login(url: str) -> bool:
    """Whether a user is written into the address, which then ends in messages and logs."""
    return "@" in urlsplit(url).netloc


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address; raises ValueError for one that can't be used."""
    return urlsplit(url).scheme, *host_and_port(url)


def host_and_port(url: str) -> tuple[str, int]:
    """Where an address leads; raises ValueError for one that can't be used."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)


def with_port(host: str, port: int | None) -> str:
    """Host and port as they stand in an address: an IPv6 address is in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def registry_name(host: str, port: int) -> str:
    """Host and port as Docker clients name a registry: without the port where that is 443."""
    return with_port(host, port).removesuffix(":443")
