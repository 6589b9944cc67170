"""A reverse proxy over HTTPS that delays what it passes on, counts requests and sums up the server's time."""

from __future__ import annotations

import asyncio
import re
import ssl
import tempfile
import threading
import time
from pathlib import Path

from sandbox.pki import Authority
from sandbox.shell import free_port

_REQUEST = re.compile(rb"(?:GET|POST|PUT|DELETE|HEAD) \S+ HTTP/1\.1\r\n")


class DelayingProxy:
    """Stands at ``url``, before the server at this port; use it as a context manager.

    Each byte arrives half of ``delay`` seconds later, in each direction; a new connection costs two round trips
    more, as TCP and TLS do.
    """

    def __init__(self, upstream: int, authority: Authority) -> None:
        self.delay = 0.0
        self.calls = 0
        self.server_seconds = 0.0
        self.ca = authority.certificate_pem
        self._upstream, self._authority, self._port = upstream, authority, free_port()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"https://127.0.0.1:{self._port}"

    def reset(self) -> None:
        """Count from zero."""
        self.calls, self.server_seconds = 0, 0.0

    def __enter__(self) -> DelayingProxy:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(30)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        issued = self._authority.issue(["127.0.0.1", "localhost"])
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "server.pem"
            file.write_text(f"{issued.private_key_pem}{issued.certificate_pem}")
            tls.load_cert_chain(file)
        self._listener = await asyncio.start_server(self._connected, "127.0.0.1", self._port, ssl=tls)

    async def _close(self) -> None:
        self._listener.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2 * self.delay)
        there, back = await asyncio.open_connection("127.0.0.1", self._upstream)
        asked = [0.0]
        await asyncio.gather(self._pass(reader, back, asked, up=True), self._pass(there, writer, asked, up=False))

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, asked: list[float], *, up: bool
    ) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivery = asyncio.ensure_future(self._deliver(queue, target, asked, up=up))
        try:
            while data := await source.read(65536):
                if up and _REQUEST.match(data):
                    self.calls += 1
                elif not up and asked[0]:
                    self.server_seconds += time.monotonic() - asked[0]
                    asked[0] = 0.0
                queue.put_nowait((time.monotonic() + self.delay / 2, data))
        except ConnectionError:
            pass
        queue.put_nowait((time.monotonic() + self.delay / 2, b""))
        await delivery

    async def _deliver(
        self,
        queue: asyncio.Queue[tuple[float, bytes]],
        target: asyncio.StreamWriter,
        asked: list[float],
        *,
        up: bool,
    ) -> None:
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if up and data:
                asked[0] = time.monotonic()
            try:
                target.write(data)
                if not data:
                    target.close()
                    return
                await target.drain()
            except ConnectionError:
                return
