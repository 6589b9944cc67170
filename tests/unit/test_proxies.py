"""Messages for a proxy, or for another protocol than expected, between the program and the server."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from nexus_registry.providers import errors
from nexus_registry.providers.client import Connection, NexusClient
from nexus_registry.providers.repositories.connectors import _probe

from .doctor import authority, context
from .fake import Response, port_of, sequence, serve
from .tunnel import tunnel

PASSWORD = "pr0xy-canary"
pytestmark = pytest.mark.usefixtures("quick", "no_proxies")


@contextmanager
def listening(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A port that says this to each first message; yields the port and what it was sent."""
    asked: list[bytes] = []

    def run() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(65536))
                connection.sendall(answer)
                # A body may arrive by itself; closing before it was read would take the answer back.
                connection.settimeout(1)
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=run, daemon=True).start()
        yield server.getsockname()[1], asked
        server.shutdown(socket.SHUT_RDWR)


def said_by(url: str, retry_timeout: float = 1) -> errors.NexusError:
    with pytest.raises(errors.NexusError) as caught:
        NexusClient({"url": url, "username": "u", "password": "pw"}, retry_timeout=retry_timeout).post("/v1/x", {})
    assert PASSWORD not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        ("407 Proxy Authentication Required", errors.ProxyRefused, "407 .*Write its user and password"),
        ("403 Forbidden", errors.ProxyRefused, "403 Forbidden.*Have the proxy allow it"),
        ("502 Bad Gateway", errors.Unreachable, "502 Bad Gateway.*Is the server running"),
    ],
)
def test_refused_https_names_proxy(
    monkeypatch: pytest.MonkeyPatch, status: str, kind: type[errors.NexusError], said: str
) -> None:
    with listening(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as (port, asked):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{port}")
        failure = said_by("https://nexus.example.com:8443", retry_timeout=0.1)
        assert type(failure) is kind
        name = rf"the proxy http://127\.0\.0\.1:{port} \(from HTTPS_PROXY\)"
        assert re.search(rf"{name}.*{said}", str(failure))
        if kind is errors.ProxyRefused:
            assert len(asked) == 1
            assert "add it to NO_PROXY" in str(failure)


@pytest.mark.parametrize(("status", "kind"), [(407, errors.ProxyRefused), (403, errors.Forbidden)])
def test_refused_http_names_proxy(
    monkeypatch: pytest.MonkeyPatch, status: int, kind: type[errors.NexusError]
) -> None:
    with serve(sequence(Response(status, headers={"Server": "squid"}))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        failure = said_by("http://nexus.example.com:8081")
        assert type(failure) is kind
        assert f"the proxy {proxy.url} (from http_proxy)" in str(failure)
        assert len(proxy.requests) == 1


def test_403_of_nexus_itself_does_not_blame_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(sequence(Response(403))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert "proxy" not in str(said_by("http://nexus.example.com:8081"))


def test_proxy_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("ALL_PROXY", f"127.0.0.1:{port}")
    failure = said_by("https://nexus.example.com:8443", retry_timeout=0.1)
    assert type(failure) is errors.Unreachable
    assert f"the proxy http://127.0.0.1:{port} (from ALL_PROXY) cannot be reached" in str(failure)


def test_no_proxy_bypasses_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(sequence(Response(200, {"ok": True}))) as fake:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        NexusClient({"url": fake.url, "username": "u", "password": "pw"}).post("/v1/x", {})


def test_private_authority_is_trusted_through_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = "nexus.example.com:8443"
    tls = context(tmp_path, authority().issue(["nexus.example.com"], key="ec"))
    with serve(sequence(Response(200, {"ok": True})), tls) as fake, tunnel({name: port_of(fake.url)}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        own: Connection = {"url": f"https://{name}", "username": "u", "password": "pw"}
        NexusClient({**own, "ca": authority().certificate_pem}).post("/v1/x", {})
        assert proxy.asked[0].startswith(f"CONNECT {name} ")
        with pytest.raises(errors.Untrusted, match="certificate is not trusted"):
            NexusClient(own).post("/v1/x", {})


def test_https_to_http_port_fails_at_once() -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, asked):
        failure = said_by(f"https://127.0.0.1:{port}", retry_timeout=60)
        assert type(failure) is errors.Untrusted
        assert re.search(r"does not speak TLS \([a-z ]+\)\. Is it the one of plain HTTP", str(failure))
        assert "authority" not in str(failure)
        assert len(asked) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(b"\x15\x03\x03\x00\x02\x02\x50", errors.Untrusted), (b"", errors.OutcomeUnknown)],
    ids=["an alert", "nothing"],
)
def test_http_to_port_of_https_suggests_https(answer: bytes, kind: type[errors.NexusError]) -> None:
    with listening(answer) as (port, _):
        failure = said_by(f"http://127.0.0.1:{port}")
        assert type(failure) is kind
        assert "url with https://" in str(failure)


def test_probe_of_connector_names_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nexus_registry.providers.repositories.connectors._CONNECTOR_TIMEOUT", 0.0)
    with listening(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as (port, _):
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        client = NexusClient({"url": "https://nexus.example.com:8443", "username": "u", "password": "pw"})
        with pytest.raises(errors.Refused, match=rf"^https_port: .*the proxy http://127.0.0.1:{port}"):
            _probe(client, "https_port", "https://nexus.example.com:5000/v2/")
