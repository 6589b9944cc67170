"""A server that plays the part of GitHub's and GitLab's API that the pipelines use: comments and issues."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class Forge:
    """What GitHub and GitLab keep, behind the little of their APIs that report.py uses."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.writes: list[str] = []
        self.url = ""

    def handle(self, method: str, path: str, content: dict[str, Any]) -> Any:
        address, _, query = path.partition("?")
        if address.endswith("/user"):
            return {"id": 7}
        kept = self.issues if re.search(r"/issues(/\d+)?$", address) else self.comments
        if method == "GET":
            number = int(re.findall(r"page=(\d+)", query)[-1])
            return kept[(number - 1) * 100 : number * 100]
        self.writes.append(f"{method} {address}")
        if method == "POST":
            kept.append(self.made(len(kept) + 1, **content))
            return kept[-1]
        last = int(address.rpartition("/")[2])
        entry = next(one for one in kept if one["id"] == last)
        entry.update(content)
        if content.get("state") == "closed" or content.get("state_event") == "close":
            kept.remove(entry)
        return entry

    def made(self, number: int, **content: Any) -> dict[str, Any]:
        own = {"user": {"login": "github-actions[bot]"}, "author": {"id": 7}}
        return {"id": number, "number": number, "iid": number, **own, **content}


@contextmanager
def running_forge() -> Iterator[Forge]:
    """A forge that answers at its ``url`` while the block runs."""
    kept = Forge()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            content = json.loads(self.rfile.read(length) or b"{}")
            body = json.dumps(kept.handle(self.command, self.path, content)).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
