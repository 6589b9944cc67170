"""HTTPS of a Nexus, served by the real Jetty or by the stand-in in front of Core."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable

import pytest
import requests

from .server import Nexus


class Https:
    """The tests; a subclass has a fixture ``server``."""

    def test_server_responds_over_http_and_https(self, server: Nexus) -> None:
        for url in (server.url, server.https_url):
            answer = requests.get(f"{url}/service/rest/v1/status", verify=str(server.ca), timeout=30)
            assert (answer.status_code, answer.headers["Server"]) == (200, "Nexus/3.71.0-06 (OSS)")

    @pytest.mark.parametrize("key", ["ec", "rsa"])
    @pytest.mark.parametrize("jks", [False, True], ids=["pkcs12", "jks"])
    def test_new_keystore_is_served_without_restart(self, server: Nexus, key: str, jks: bool) -> None:
        expected = ssl.PEM_cert_to_DER_cert(server.write_keystore(key=key, jks=jks))
        eventually(lambda: answers(server) and certificate(server) == expected)

    @pytest.mark.parametrize("broken", ["garbage", "another password"])
    def test_unreadable_keystore_stops_https_until_replaced(self, server: Nexus, broken: str) -> None:
        assert answers(server)
        if broken == "garbage":
            server.put_keystore(b"garbage")
        else:
            server.write_keystore(password="another-one")
        eventually(lambda: not answers(server) and "Keystore Reload Failed" in server.log)
        eventually(lambda: not answers(server) and "SslContextFactory reload failed" in server.log)
        assert requests.get(f"{server.url}/service/rest/v1/status", timeout=30).status_code == 200
        expected = ssl.PEM_cert_to_DER_cert(server.write_keystore())
        eventually(lambda: answers(server) and certificate(server) == expected)


def certificate(server: Nexus, version: ssl.TLSVersion | None = None) -> bytes:
    """The certificate that HTTPS presents, checked by a client that trusts the server's authority."""
    context = ssl.create_default_context(cafile=str(server.ca))
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    if version:
        context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", server.https_port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        return secure.getpeercert(binary_form=True) or b""


def answers(server: Nexus) -> bool:
    """Whether a TLS handshake succeeds."""
    try:
        return bool(certificate(server))
    except (ssl.SSLError, ConnectionError):
        return False


def eventually(condition: Callable[[], bool], seconds: float = 300) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
