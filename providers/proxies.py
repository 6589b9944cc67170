"""The proxy that a request goes through, as messages name it.

``requests`` takes it from ``HTTPS_PROXY``, ``HTTP_PROXY`` or ``ALL_PROXY`` in the environment, or from the
settings of Windows or macOS; the hosts in ``NO_PROXY`` are reached without one.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from .errors import NexusError, ProxyRefused, Unreachable


@dataclass(frozen=True)
class Proxy:
    """A proxy between this machine and one server.

    Attributes:
        name: address and origin, without a password: ``http://proxy.example.com:3128 (from HTTPS_PROXY)``.
        host: the server's host, as ``NO_PROXY`` takes it.
        url: address with the user and the password, where it has them.
    """

    name: str
    host: str
    url: str = field(repr=False)

    @property
    def way_round(self) -> str:
        """How the server is reached without it."""
        return f"if {self.host} is reached without a proxy, add it to NO_PROXY"


def proxy_for(url: str) -> Proxy | None:
    """The proxy that requests to this address go through; ``None`` for a direct connection."""
    try:
        parts = urlsplit(url)
        chosen = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
        if not chosen:
            return None
        chosen = chosen if "://" in chosen else f"http://{chosen}"
        proxy = urlsplit(chosen)
    except ValueError:
        return None
    # A user and a password in it are left out.
    address = f"{proxy.scheme}://{proxy.netloc.rpartition('@')[2]}"
    return Proxy(f"{address} (from {_origin(parts.scheme)})", parts.hostname or "", chosen)


def _origin(scheme: str) -> str:
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY")
    return next((name for name in names if os.environ.get(name)), "the system's settings")


def proxy_failure(proxy: Proxy, error: Exception) -> tuple[type[NexusError], str] | None:
    """The type and the reason of a failure that the proxy caused; ``None`` when something else failed.

    The request has not reached the server then.
    """
    text = str(error)
    if isinstance(error, requests.exceptions.InvalidProxyURL):
        return ProxyRefused, f"the address of the proxy {proxy.name} is not usable. Give http://host:port"
    if isinstance(error, requests.exceptions.InvalidSchema) and "SOCKS" in text:
        return ProxyRefused, f"the proxy {proxy.name} needs the package PySocks. Install requests[socks]"
    if not isinstance(error, requests.exceptions.ProxyError):
        return None
    refusal = re.search(r"Tunnel connection failed: (\d{3}) ?([^'\")]*)", text)
    if refusal:
        status = refusal[1]
        message = f"the proxy {proxy.name} refused the connection ({' '.join(refusal.groups()).strip()})"
        if status == "407":
            return ProxyRefused, f"{message}. Write its user and password into that address, or {proxy.way_round}"
        if status.startswith("5"):
            return Unreachable, f"{message}. Is the server running, the address right, the port open?"
        return ProxyRefused, f"{message}. Have the proxy allow it, or {proxy.way_round}"
    if "appears to only use HTTP" in text:
        return ProxyRefused, f"the proxy {proxy.name} does not speak TLS. Write its address with http://"
    return Unreachable, f"the proxy {proxy.name} cannot be reached. Is its address right? Or {proxy.way_round}"
