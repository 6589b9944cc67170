"""A scripted HTTP server: answers each request from a list and records what was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Say:
    """One answer. ``drop`` closes the connection instead of answering; ``cut`` sends half of the body."""

    status: int = 200
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    cut: bool = False


Script = Callable[[Asked], Say]


@dataclass
class Fake:
    """A running server; ``script`` may be replaced at any time."""

    url: str
    asked: list[Asked]
    script: Script

    def methods(self) -> list[str]:
        return [f"{one.method} {one.path.removeprefix('/service/rest')}" for one in self.asked]


def in_turn(*answers: Say) -> Script:
    """These answers one after the other, the last one for ever."""
    left = list(answers)
    lock = threading.Lock()

    def script(asked: Asked) -> Say:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return script


@contextmanager
def serve(script: Script) -> Iterator[Fake]:
    """Serve on a free loopback port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(self.command, self.path, dict(self.headers), self.rfile.read(length).decode())
            fake.asked.append(asked)
            say = fake.script(asked)
            if say.drop:
                self.close_connection = True
                return
            text = say.body if isinstance(say.body, str) else json.dumps(say.body)
            data = text.encode()
            self.send_response_only(say.status)
            own = {"Server": "Nexus/3.71.0-06 (OSS)", "Date": self.date_time_string()}
            for name, value in {**own, **say.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if say.cut else data)
            if say.cut:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake = Fake(f"http://127.0.0.1:{server.server_port}", [], script)
    threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
