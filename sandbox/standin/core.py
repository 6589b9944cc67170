"""The real Core behind the front: passing requests on to it, and calling it for an answer."""

from __future__ import annotations

import base64
import json as codec
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from aiohttp import BasicAuth, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

_HOP_BY_HOP = {
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_PIECE = 64 * 1024
Rewrite = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Answer:
    """A complete response of a server."""

    status: int
    reason: str
    headers: CIMultiDict[str]
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return codec.loads(self.body)

    def response(self, rewrite: Rewrite | None = None) -> web.Response:
        """The same answer for a client, with its body rewritten if need be."""
        body = rewrite(self.body) if rewrite else self.body
        headers = CIMultiDict(self.headers)
        headers.popall("Content-Length", None)
        return web.Response(status=self.status, reason=self.reason, headers=headers, body=body or None)


class Upstream:
    """An HTTP server on this machine that requests are passed on to."""

    def __init__(self, port: int) -> None:
        self._root = f"http://127.0.0.1:{port}"
        self._session = ClientSession(
            auto_decompress=False,
            connector=TCPConnector(limit=0),
            cookie_jar=DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            timeout=ClientTimeout(total=None, connect=10),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def call(self, method: str, path: str, *, authorization: str | None = None, json: Any = None) -> Answer:
        """Send a request of our own and read the whole answer."""
        headers = CIMultiDict({"Authorization": authorization} if authorization else {})
        if json is not None:
            headers["Content-Type"] = "application/json"
        return await self._answer(method, path, headers, None if json is None else codec.dumps(json).encode())

    async def ask(
        self, request: web.Request, path: str | None = None, body: bytes | None = None, method: str | None = None
    ) -> Answer:
        """Pass a request on, with another path, body or method if given, and read the whole answer."""
        headers = forwarded(request)
        headers.popall("Content-Length", None)
        data = await request.read() if body is None else body
        return await self._answer(method or request.method, path or request.raw_path, headers, data or None)

    async def relay(
        self,
        request: web.Request,
        path: str | None = None,
        *,
        more: Mapping[str, str] | None = None,
        rewrite: Callable[[CIMultiDict[str]], None] | None = None,
    ) -> web.StreamResponse:
        """Pass a request on, with ``more`` headers, and its answer back, piece by piece.

        ``rewrite`` may change the answer's headers.
        """
        data = request.content if request.can_read_body else None
        sent = self._send(request.method, path or request.raw_path, forwarded(request, more), data)
        async with sent as upstream:
            headers = _end_to_end(upstream.headers)
            if rewrite:
                rewrite(headers)
            response = web.StreamResponse(status=upstream.status, reason=upstream.reason, headers=headers)
            await response.prepare(request)
            async for piece in upstream.content.iter_chunked(_PIECE):
                await response.write(piece)
            await response.write_eof()
            return response

    async def _answer(self, method: str, path: str, headers: CIMultiDict[str], data: bytes | None) -> Answer:
        async with self._send(method, path, headers, data) as upstream:
            body = await upstream.read()
            return Answer(upstream.status, upstream.reason or "", _end_to_end(upstream.headers), body)

    def _send(
        self, method: str, path: str, headers: CIMultiDict[str], data: Any
    ) -> AbstractAsyncContextManager[ClientResponse]:
        url = URL(f"{self._root}{path}", encoded=True)
        return self._session.request(method, url, headers=headers, data=data, allow_redirects=False)


def forwarded(request: web.Request, more: Mapping[str, str] | None = None) -> CIMultiDict[str]:
    """A request's headers for the server behind: what is for that server, and who asked; ``more`` replace them."""
    headers = _end_to_end(request.headers)
    for key, value in (more or {}).items():
        headers[key] = value
    headers.setdefault("X-Forwarded-Proto", request.scheme)
    if request.remote:
        headers.setdefault("X-Forwarded-For", request.remote)
    return headers


def basic(user: str, password: str) -> str:
    """The ``Authorization`` header for a user."""
    return BasicAuth(user, password, "utf-8").encode()


def user_of(authorization: str) -> str:
    """The user in such a header."""
    encoded = authorization.partition(" ")[2].strip()
    return base64.b64decode(encoded + "==").decode(errors="replace").partition(":")[0]


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Headers without those that belong to one connection only."""
    listed = {part.strip().lower() for part in headers.get("Connection", "").split(",")}
    return CIMultiDict((key, value) for key, value in headers.items() if key.lower() not in _HOP_BY_HOP | listed)
