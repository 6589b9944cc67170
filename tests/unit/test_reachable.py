"""An SSH host that can't be reached is said by argument before the first step."""

from __future__ import annotations

import socket
import threading

import pytest
from nexus_registry.components.host.reachable import HostReachableProvider, Unreachable


@pytest.fixture
def listener() -> socket.socket:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(5)
    return listening


def answer(listener: socket.socket, greeting: bytes) -> int:
    def once() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(greeting)

    threading.Thread(target=once, daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


def test_an_ssh_server_is_found(listener: socket.socket) -> None:
    port = answer(listener, b"SSH-2.0-OpenSSH_9.2\r\n")
    assert HostReachableProvider().create({"host": "127.0.0.1", "port": float(port)}).id == f"127.0.0.1:{port}"


def test_what_is_there_and_what_to_do_is_said_by_argument(listener: socket.socket) -> None:
    port = answer(listener, b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(Unreachable, match=r"ssh\.port: what listens at .* is no SSH server"):
        HostReachableProvider().create({"host": "127.0.0.1", "port": port})
    listener.close()
    with pytest.raises(Unreachable, match=r"ssh\.port: .*refused: is an SSH server listening"):
        HostReachableProvider().create({"host": "127.0.0.1", "port": port})
    with pytest.raises(Unreachable, match=r"ssh\.host: the name 'no-such-host.invalid' is not found"):
        HostReachableProvider().create({"host": "no-such-host.invalid", "port": 22})
