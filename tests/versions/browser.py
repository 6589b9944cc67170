"""A headless Chromium, by its debugging protocol: what a page reports, asks for and looks like."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.packages import ensure

WAIT = 120.0
"""Seconds for one answer of the browser, on a machine that is busy."""


@dataclass
class Opened:
    """A page as it was after its scripts had run."""

    errors: list[str] = field(default_factory=list)
    """Exceptions, and what the page or the browser wrote to the console as error or warning."""
    addresses: list[str] = field(default_factory=list)
    """Every address that the page asked for."""
    facts: dict[str, Any] = field(default_factory=dict)
    """The value of the expression."""


class Browser:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self._socket, self._last, self._events = socket, 0, list[dict[str, Any]]()

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol and its answer; events in between are kept."""
        self._last += 1
        await self._socket.send_json({"id": self._last, "method": method, "params": parameters})
        while True:
            message = json.loads(await self._socket.receive_str(timeout=WAIT))
            if message.get("id") == self._last:
                assert "error" not in message, f"{method}: {message}"
                return dict(message["result"])
            self._events.append(message)

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression, or of the promise that it is."""
        answer = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def open(self, url: str, *, width: int, until: str, facts: str) -> Opened:
        """Open a page with a width, wait until an expression is true, and look at it."""
        await self.call("Page.navigate", url="about:blank")
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        self._events.clear()
        await self.call("Page.navigate", url=url)
        limit = time.monotonic() + WAIT
        while not await self.evaluate(f"document.readyState === 'complete' && !!({until})"):
            assert time.monotonic() < limit, f"{url}: {until} is not true after {WAIT:.0f} s"
            await asyncio.sleep(0.05)
        opened = Opened(facts=await self.evaluate(facts))
        for event in self._events:
            self._note(event["method"], event["params"], opened)
        return opened

    async def picture(self, path: Path, *, height: int = 5000) -> None:
        """Write a screenshot of the page, as PNG."""
        size = (await self.call("Page.getLayoutMetrics"))["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], height), "scale": 1}
        shot = await self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    @staticmethod
    def _note(method: str, params: dict[str, Any], opened: Opened) -> None:
        if method == "Runtime.exceptionThrown":
            opened.errors.append(json.dumps(params["exceptionDetails"])[:500])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            opened.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            opened.errors.append(json.dumps(params["args"])[:500])
        elif method == "Network.requestWillBeSent":
            opened.addresses.append(params["request"]["url"])


@asynccontextmanager
async def browser(profile: Path, scheme: str) -> AsyncIterator[Browser]:
    """Chromium with a new profile and a colour scheme, ``light`` or ``dark``; it reaches this machine only.

    The scheme is that of the whole profile: a site stores the one that it chose.
    """
    ensure("chromium")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    options += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-port=0"]
    log = (profile.parent / "chromium.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        "chromium", *options, f"--user-data-dir={profile}", "about:blank", stdout=log, stderr=log
    )
    try:
        port = await _port(profile / "DevToolsActivePort", process)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                tab = next(one for one in await answer.json() if one["type"] == "page")
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                opened = Browser(socket)
                for part in ("Page", "Runtime", "Log", "Network"):
                    await opened.call(f"{part}.enable")
                preference = {"name": "prefers-color-scheme", "value": scheme}
                await opened.call("Emulation.setEmulatedMedia", features=[preference])
                yield opened
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        log.close()


async def _port(file: Path, process: asyncio.subprocess.Process) -> int:
    limit = time.monotonic() + WAIT
    while not file.exists() or len(file.read_text().split()) < 2:
        assert process.returncode is None, "chromium ended; its words are in chromium.log"
        assert time.monotonic() < limit, f"chromium opened no port in {WAIT:.0f} s"
        await asyncio.sleep(0.1)
    return int(file.read_text().split()[0])
