"""A reverse proxy that does to a chosen request what networks, proxies and restarting servers do."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.pki import Authority
from sandbox.shell import free_port

from .catalogue import Fault, Response

_NOT_PASSED_ON = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}
_LONGEST = 60.0
NOTHING = Fault("")


@dataclass(frozen=True)
class LoggedRequest:
    """One request that reached the proxy, and what the server answered, ``None`` where it did not get it."""

    method: str
    path: str
    answer: Response | None


@dataclass
class _InjectedFault:
    """A fault that waits for its request."""

    fault: Fault
    method: str
    path: str
    before: int
    left: int

    def matches(self, method: str, path: str) -> bool:
        if self.fault.writes and method == "GET":
            return False
        return bool(re.fullmatch(self.method, method) and re.fullmatch(self.path, path))


class FaultProxy:
    """Stands at ``url``, over HTTPS with a certificate of ``authority`` when there is one, before ``upstream``.

    Each request has a connection of its own, so that whatever happens to connections happens to one request.
    ``inject`` counts the requests from then on; ``clear`` makes it a plain way through again; ``hits`` counts how
    often a fault happened since. Use it as a context manager.
    """

    def __init__(self, upstream: str, authority: Authority | None = None) -> None:
        self.seen: list[LoggedRequest] = []
        self._upstream = urlsplit(upstream)
        self._port = free_port()
        self._tls = _server_tls(authority) if authority else None
        self._busy = 0
        self._lock, self._opening = threading.Lock(), threading.Lock()
        self._given_up = threading.Event()
        self._listener: ThreadingHTTPServer | None = None
        self._reopening: threading.Timer | None = None
        self.clear()

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}{self._upstream.path.rstrip('/')}"

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()
        self._close()

    def clear(self) -> None:
        """Remove all faults and the log of requests."""
        with self._lock:
            self._armed: list[_InjectedFault] = []
            self.hits = 0
            self.seen = []
            self._given_up.set()  # release held requests
            self._given_up = threading.Event()
        if self._reopening:
            self._reopening.cancel()
            self._reopening = None
        self._open()

    def inject(self, fault: Fault, *, method: str = ".*", path: str = ".*", nth: int = 1) -> None:
        """Also inject this fault into the ``nth`` next request whose method and path (without a query) match."""
        with self._lock:
            self._armed.append(_InjectedFault(fault, method, path, nth - 1, fault.times))
        if fault.refused and nth == 1:
            self._refuse(fault.refused)

    def _take(self, method: str, path: str) -> tuple[Fault, float]:
        """The fault of this request, and for how many seconds connections are refused after it."""
        with self._lock:
            for armed in self._armed:
                fault = armed.fault
                if armed.left <= 0 or not armed.matches(method, path):
                    continue
                if armed.before > 0:
                    armed.before -= 1
                    if fault.refused and armed.before == 0:
                        return NOTHING, fault.refused
                elif not (fault.refused or fault.handshake):
                    armed.left -= 1
                    self.hits += fault.edit is None
                    return fault, fault.then_refused
        return NOTHING, 0

    def _cuts_this_handshake(self) -> bool:
        with self._lock:
            for armed in self._armed:
                if armed.fault.handshake and armed.before <= 0 and armed.left > 0:
                    armed.left -= 1
                    self.hits += 1
                    return True
        return False

    def _refuse(self, seconds: float) -> None:
        """From now on, until ``seconds`` are over or the faults are cleared."""
        self.hits += 1
        self._close()
        if seconds < _LONGEST:
            self._reopening = threading.Timer(seconds, self._open)
            self._reopening.daemon = True
            self._reopening.start()

    def _close(self) -> None:
        with self._opening:
            listener, self._listener = self._listener, None
        if listener:
            listener.shutdown()
            listener.server_close()

    def _open(self) -> None:
        with self._opening:
            if self._listener is None:
                self._listener = self._listen()

    def _listen(self) -> ThreadingHTTPServer:
        proxy = self

        class Handler(_Handler):
            owner = proxy

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            allow_reuse_address = True

            def finish_request(self, request: Any, client_address: Any) -> None:
                if proxy._cuts_this_handshake():
                    request.recv(65536)
                    return
                if proxy._tls:
                    request = proxy._tls.wrap_socket(request, server_side=True)
                try:
                    Handler(request, client_address, self)
                finally:
                    request.close()

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that disconnects is expected here."""

            def shutdown_request(self, request: Any) -> None:
                self.close_request(request)

        listener = Server(("127.0.0.1", self._port), Handler)
        threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()
        return listener

    def _pass_on(self, method: str, path: str, headers: Any, body: bytes) -> Response | None:
        """The response of the server; ``None`` when it can't be reached."""
        connection = http.client.HTTPConnection(
            self._upstream.hostname or "", self._upstream.port, timeout=_LONGEST
        )
        try:
            connection.request(method, path, body=body, headers={**headers, "Connection": "close"})
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _NOT_PASSED_ON}
            kept["Server"] = answer.headers.get("Server", "")
            return Response(answer.status, answer.read().decode("latin-1"), kept)
        except OSError:
            return None
        finally:
            connection.close()

    def clear_and_wait(self) -> None:
        """Clear, and wait until no request is in progress."""
        self.clear()
        deadline = time.monotonic() + _LONGEST
        while self._busy:
            if time.monotonic() > deadline:
                raise TimeoutError("a request is still under way")
            time.sleep(0.005)

    def serve(self, request: _Handler) -> None:
        """One request, from its first line to its answer or its connection's end."""
        with self._lock:
            self._busy += 1
        try:
            self._serve(request)
        finally:
            with self._lock:
                self._busy -= 1

    def _serve(self, request: _Handler) -> None:
        method, path = request.command, request.path
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        fault, refused = self._take(method, urlsplit(path).path)
        given_up = self._given_up
        if fault.meanwhile:
            fault.meanwhile()
        if fault.hold or fault.late:
            _until_closed(request.connection, given_up)
        acts = fault.acts or fault.late
        answer = self._pass_on(method, path, dict(request.headers), body) if acts else None
        with self._lock:
            self.seen.append(LoggedRequest(method, path, answer))
        if refused:
            self._refuse(refused)
        if fault.hold or fault.late or fault.silent:
            return
        answer = fault.answer or answer or Response(502, "the server can't be reached")
        edited = edited_response(answer, fault)
        self.hits += edited != answer
        request.reply(edited)


class _Handler(BaseHTTPRequestHandler):
    owner: FaultProxy
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # each response in one write, which no delayed acknowledgement delays

    def _any(self) -> None:
        self.close_connection = True
        self.owner.serve(self)

    do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815

    def reply(self, answer: Response) -> None:
        """Answer, and close the connection."""
        content = answer.body.encode("latin-1")
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def edited_response(answer: Response, fault: Fault) -> Response:
    """The part of a response that is sent."""
    if fault.edit is None or not 200 <= answer.status < 300:
        return answer
    body = fault.edit(answer.body.encode("latin-1")).decode("latin-1")
    return replace(answer, status=200 if body else answer.status, body=body)


def _until_closed(connection: socket.socket, given_up: threading.Event) -> None:
    """Wait until the client closed its side, or nothing is to be held any more."""
    connection.settimeout(0.05)
    deadline = time.monotonic() + _LONGEST
    while time.monotonic() < deadline and not given_up.is_set():
        with suppress(TimeoutError, ssl.SSLWantReadError):
            try:
                if not connection.recv(1):
                    return
            except OSError as error:
                if isinstance(error, TimeoutError):
                    raise
                return


def _server_tls(authority: Authority) -> ssl.SSLContext:
    issued = authority.issue(["127.0.0.1", "localhost"], key="ec")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "server.pem"
        file.write_text(issued.private_key_pem + issued.certificate_pem)
        context.load_cert_chain(file)
    return context
