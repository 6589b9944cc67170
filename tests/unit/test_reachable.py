"""An SSH host that can't be reached is reported by argument before the first step."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from nexus_registry.components.host import reachable
from nexus_registry.components.host.reachable import HostReachableProvider, Unreachable


@pytest.fixture
def listener() -> socket.socket:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(60)
    return listening


def answer(listener: socket.socket, greeting: bytes) -> int:
    def once() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(greeting)

    threading.Thread(target=once, daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


@pytest.mark.parametrize(
    "greeting",
    [b"SSH-2.0-OpenSSH_9.2\r\n", b"Welcome\r\nto the machine\r\nSSH-2.0-x\r\n", b"W" * 5000 + b"\nSSH-2.0-x\r\n"],
    ids=["at once", "after other lines", "after a long line"],
)
def test_ssh_server_is_found(listener: socket.socket, greeting: bytes) -> None:
    port = answer(listener, greeting)
    assert HostReachableProvider().create({"host": "127.0.0.1", "port": float(port)}).id == f"127.0.0.1:{port}"


def test_booting_host_is_waited_for(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reachable, "_PROGRESS", 0.0)
    monkeypatch.setattr(reachable, "_PAUSE", 0.1)
    port = listener.getsockname()[1]
    listener.close()

    def boot() -> None:
        time.sleep(1)
        with socket.create_server(("127.0.0.1", port)) as booted:
            for greeting in (b"", b"SSH-2.0-x\r\n"):  # a forwarded port closes the first one
                connection, _ = booted.accept()
                with connection:
                    connection.sendall(greeting)

    threading.Thread(target=boot, daemon=True).start()
    HostReachableProvider().create({"host": "127.0.0.1", "port": port})
    assert "waiting for the host's SSH server: 0 s, 127.0.0.1:" in capsys.readouterr().err


def test_messages_name_argument_and_remedy(listener: socket.socket) -> None:
    port = answer(listener, b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(Unreachable, match=r"ssh\.port: what listens at .* is no SSH server"):
        HostReachableProvider().create({"host": "127.0.0.1", "port": port})
    listener.close()
    for host, number, message in (
        (
            "127.0.0.1",
            port,
            r"ssh\.port: .*refused\. Is an SSH server listening there\? It was tried for 0 s \(connect",
        ),
        ("no-such-host.invalid", 22, r"ssh\.host: the name 'no-such-host.invalid' is not found"),
    ):
        with pytest.raises(Unreachable, match=message):
            HostReachableProvider().create({"host": host, "port": number, "timeout": 1})


@pytest.mark.parametrize(
    ("host", "ok"),
    [
        ("registry..example.com", False),
        (".example.com", False),
        (f"{'a' * 64}.example.com", False),
        ("a b", False),
        (f"{'a' * 63}.example.com.", True),
        ("192.0.2.1", True),
        ("fe80::1%eth0", True),
        ("::ffff:192.0.2.1", True),
    ],
)
def test_name_with_typing_mistake_is_refused_in_preview(host: str, ok: bool) -> None:
    failures = HostReachableProvider().check({}, {"host": host}).failures
    assert [one.property for one in failures] == ([] if ok else ["host"])


def test_name_that_has_no_encoding_is_not_found() -> None:
    """A label may have at most 63 characters once it is encoded."""
    with pytest.raises(Unreachable, match=r"ssh\.host: the name '\u00fc{60}' is not found"):
        HostReachableProvider().create({"host": "\u00fc" * 60, "port": 22, "timeout": 1})
