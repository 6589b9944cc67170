"""A scripted HTTP server: answers each request from a list and records the requests."""

from __future__ import annotations

import json
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Response:
    """The response to a request. ``drop`` closes the connection instead; ``cut`` sends half of the body."""

    status: int = 200
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: bool = False


Script = Callable[[Request], Response]


@dataclass
class FakeServer:
    """A running server; ``script`` may be replaced at any time."""

    url: str
    requests: list[Request]
    script: Script

    def methods(self) -> list[str]:
        return [f"{one.method} {one.path.removeprefix('/service/rest')}" for one in self.requests]


def sequence(*responses: Response) -> Script:
    """These responses in order; the last one is repeated."""
    left = list(responses)
    lock = threading.Lock()

    def script(request: Request) -> Response:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return script


@contextmanager
def serve(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[FakeServer]:
    """Serve on a free loopback port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one piece each response: a second one would wait 40 ms for an acknowledgement

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(self.command, self.path, dict(self.headers), self.rfile.read(length).decode())
            fake.requests.append(request)
            response = fake.script(request)
            if response.drop:
                self.close_connection = True
                return
            text = response.body if isinstance(response.body, str) else json.dumps(response.body)
            data = text.encode()
            self.send_response_only(response.status)
            own = {"Server": "Nexus/3.71.0-06 (OSS)", "Date": self.date_time_string()}
            for name, value in {**own, **response.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if response.cut else data)
            if response.cut:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            if not isinstance(sys.exc_info()[1], OSError):  # a client that went away is no error of this server
                super().handle_error(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    fake = FakeServer(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", [], script)
    threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


def port_of(url: str) -> int:
    """The port in the address of a server here."""
    return int(url.rpartition(":")[2])
