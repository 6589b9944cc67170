"""Name, port and TLS of an address, as clients find them: directly, or through the proxy of the environment."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime, timezone
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from requests.exceptions import ProxyError

from ..providers.address import host_and_port, with_port
from ..providers.authority import tls_context
from ..providers.proxies import Proxy, proxy_failure, proxy_for
from .finding import Finding

TIMEOUT = 10.0
_CERTIFICATE = {
    9: ("certificate-not-yet-valid", "is not valid yet", "Correct the clock of this machine or of the issuer"),
    10: ("certificate-expired", "has expired", "Renew it"),
    62: ("certificate-name", "is for other names", "Use one of its names, or issue it for this one"),
    64: ("certificate-name", "is for other addresses", "Use its name, or issue it for this address"),
}
"""By OpenSSL's number of the verification error."""


def transport_findings(url: str, ca: str, expires_within: int) -> Iterator[Finding]:
    """What is wrong with the way to an address, and with its certificate.

    Args:
        url: the address.
        ca: authority of its certificate in PEM; empty: the system's.
        expires_within: days before the end of the certificate from which on that is a finding.
    """
    host, port = host_and_port(url)
    place = with_port(host, port)
    try:
        plain = connect(url)
    except ProxyError as error:
        yield from proxy_finding(url, error)
        return
    except socket.gaierror:
        yield Finding("name", f"{host}: the name is not resolved", "Create its DNS record, or correct the name")
        return
    except ConnectionRefusedError:
        yield Finding("port-closed", f"{place}: nothing listens", "Start the service, or correct the port")
        return
    except OSError as error:
        yield Finding(
            "port-silent", f"{place}: {error.strerror or error}", "Open the port in every firewall between"
        )
        return
    if plain is None:
        return
    with plain:
        if urlsplit(url).scheme == "https":
            yield from _tls(plain, host, place, ca, expires_within)


def connect(url: str) -> socket.socket | None:
    """A connection with an address, or with the proxy where it is one of plain HTTP; None where there is a proxy
    that is reached over HTTPS or SOCKS.

    Raises:
        ProxyError: the proxy can't be reached, or refuses.
        OSError: the address can't be reached.
    """
    if not (proxy := proxy_for(url)):
        return socket.create_connection(host_and_port(url), timeout=TIMEOUT)
    if urlsplit(proxy.url).scheme != "http":
        return None
    try:
        return _connect_through(proxy, url)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise error if isinstance(error, ProxyError) else ProxyError(error) from None


def proxy_finding(url: str, error: Exception) -> Iterator[Finding]:
    """What the proxy between here and an address is to blame for; nothing when it is not."""
    if (proxy := proxy_for(url)) and (failure := proxy_failure(proxy, error)):
        text, _, remedy = failure[1].partition(". ")
        yield Finding("proxy", f"{with_port(*host_and_port(url))}: {text}", remedy)


def _connect_through(proxy: Proxy, url: str) -> socket.socket:
    plain = socket.create_connection(host_and_port(proxy.url), timeout=TIMEOUT)
    try:
        if urlsplit(url).scheme == "https":
            host, port = host_and_port(url)
            _open_tunnel(plain, proxy, with_port(host if host.isascii() else host.encode("idna").decode(), port))
    except BaseException:
        plain.close()
        raise
    return plain


def _open_tunnel(plain: socket.socket, proxy: Proxy, place: str) -> None:
    headers = {"Host": place, **HTTPAdapter().proxy_headers(proxy.url)}
    lines = [f"CONNECT {place} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "\r\n"]
    plain.sendall("\r\n".join(lines).encode())
    with http.client.HTTPResponse(plain, method="CONNECT") as response:
        response.begin()
        if response.status != 200:
            raise ProxyError(f"Tunnel connection failed: {response.status} {response.reason}")


def _tls(plain: socket.socket, host: str, place: str, ca: str, expires_within: int) -> Iterator[Finding]:
    try:
        with tls_context(ca).wrap_socket(plain, server_hostname=host) as secure:
            shown = secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        code, text, remedy = _CERTIFICATE.get(
            error.verify_code,
            (
                "certificate-untrusted",
                f"is not trusted ({error.verify_message})",
                "Give the authority by --ca, or serve the intermediate certificates, too",
            ),
        )
        yield Finding(code, f"{place}: the certificate {text}", remedy)
        return
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        yield Finding(
            "no-tls", f"{place}: there is no TLS ({reason})", "Use the HTTPS port, or http:// in the URL"
        )
        return
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), timezone.utc)
    if (left := (ends - datetime.now(timezone.utc)).days) < expires_within:
        yield Finding("certificate-expires", f"{place}: the certificate ends in {left} days", "Renew it")
