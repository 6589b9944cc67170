"""A proxy that opens a tunnel for each CONNECT, and knows the names that a test gives it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Tunnel:
    """A running proxy.

    Attributes:
        url: its address.
        asked: the heads of the requests that it has received.
    """

    url: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def tunnel(places: Mapping[str, int], refusal: str = "403 Forbidden") -> Iterator[Tunnel]:
    """Connect each ``host:port`` of ``places`` with that port of this machine, until the block ends."""

    def forward(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def handle(client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and (more := client.recv(65536)):
                head += more
            proxy.asked.append(head.decode())
            port = places.get(head.decode().split(" ")[1]) if head else None
            if port is None:
                client.sendall(f"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            with socket.create_connection(("127.0.0.1", port)) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=forward, args=(server, client), daemon=True)
                back.start()
                forward(client, server)
                back.join()

    def run() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=handle, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Tunnel(f"http://127.0.0.1:{listener.getsockname()[1]}")
        threading.Thread(target=run, daemon=True).start()
        yield proxy
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
