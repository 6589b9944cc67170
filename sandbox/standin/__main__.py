"""``python3 -m standin HOME DATA``: run Core, the registry behind and the front until one ends, or SIGTERM."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import logging.handlers
import os
import secrets
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from aiohttp import ClientError, web

from .access import Access
from .config import CannotStart, Settings, load
from .core import Upstream
from .front import Front
from .keystore import ServerTls
from .registry import Registry
from .repositories import Repositories
from .state import State

log = logging.getLogger("org.sonatype.nexus.docker.standin")
_PR_SET_PDEATHSIG = 1
_REGISTRY = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}}}, delete: {{enabled: true}}, redirect: {{disable: true}}}}
http: {{addr: "127.0.0.1:{port}", relativeurls: true}}
"""


def main() -> int:
    """Run the server; the exit status is Core's where Core ended by itself."""
    home, data = (Path(argument).resolve() for argument in sys.argv[1:3])
    _log_to(data / "log")
    try:
        settings = load(home, data)
        status = asyncio.run(_run(settings, ServerTls(settings.tls) if settings.tls else None))
    except CannotStart as error:
        jetty = logging.getLogger("org.sonatype.nexus.bootstrap.jetty.JettyServer")
        jetty.error("Failed to start\n%s", error)
        return 1
    if status < 0:  # a signal ended Core: so that systemd sees the same of its main process
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


async def _run(settings: Settings, tls: ServerTls | None) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    http, https = (_take(settings.host, port) for port in (settings.http_port, settings.https_port))
    state = State.load(settings)
    core_port, storage_port = _free_port(), _free_port()
    core, storage = Upstream(core_port), Upstream(storage_port)
    children = [await _core(settings, core_port), await _storage(settings, storage_port)]
    ended = [asyncio.create_task(child.wait()) for child in children]
    runner: web.AppRunner | None = None
    access = Access(core, settings, state)
    registry = Registry(storage, access, settings, state, tls)
    watching = asyncio.create_task(tls.watch()) if tls else None
    try:
        stopped = asyncio.create_task(stop.wait())
        serving = asyncio.create_task(_until_writable(core, settings))
        await asyncio.wait([stopped, serving, *ended], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            repositories = Repositories(core, access, settings, state, registry)
            front = Front(core, access, settings, state, registry, repositories)
            await repositories.agree()  # before anyone can ask for a repository
            runner = await _listen(front, settings, http, https, tls)
            log.info("The docker-format stand-in serves in front of Nexus Core")
            await asyncio.wait([stopped, *ended], return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        return 0 if stopped.done() else (children[0].returncode or 1)
    finally:
        if watching:
            watching.cancel()
        await registry.end()
        if runner:
            await runner.cleanup()
        await _end(children)
        await core.close()
        await storage.close()


async def _listen(
    front: Front,
    settings: Settings,
    http: socket.socket | None,
    https: socket.socket | None,
    tls: ServerTls | None,
) -> web.AppRunner:
    app = front.application()

    async def play(_request: web.Request, response: web.StreamResponse) -> None:
        if server := settings.server:
            response.headers["Server"] = server

    app.on_response_prepare.append(play)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    for taken, context in ((http, None), (https, tls.context if tls else None)):
        if taken:
            await web.SockSite(runner, taken, ssl_context=context).start()
    return runner


def _take(host: str, port: int | None) -> socket.socket | None:
    """Take a port now, to listen on it when Core is there; until then a connection is refused."""
    if port is None:
        return None
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError:
        raise CannotStart(f"java.io.IOException: Failed to bind to /{host}:{port}") from None
    return taken


async def _core(settings: Settings, port: int) -> asyncio.subprocess.Process:
    """Start Core on a port of the loopback address; what nexus.properties says of ports is for the front."""
    options = {"application-host": "127.0.0.1", "application-port": port, "nexus-args": settings.core_args}
    added = " ".join(f"-D{key}={value}" for key, value in options.items())
    env = os.environ | {"KARAF_OPTS": f"{os.environ.get('KARAF_OPTS', '')} {added}"}
    return await _child(f"{settings.home}/bin/karaf", "server", env=env)


async def _storage(settings: Settings, port: int) -> asyncio.subprocess.Process:
    root = Registry.root(settings)
    root.mkdir(parents=True, exist_ok=True)
    config = settings.data / "tmp/docker-registry.yml"
    config.write_text(_REGISTRY.format(root=root, port=port))
    return await _child(f"{settings.home}/standin/bin/docker-registry", "serve", str(config), env=dict(os.environ))


async def _child(*command: str, env: dict[str, str]) -> asyncio.subprocess.Process:
    """Start a program that is killed when this one is: together they are the one process of a real server."""
    return await asyncio.create_subprocess_exec(
        *command, env=env, stdin=asyncio.subprocess.DEVNULL, start_new_session=True, preexec_fn=_end_with_parent
    )


def _end_with_parent() -> None:
    # By hand: the command setpriv sets capabilities too, which a hardened unit does not allow.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def _until_writable(core: Upstream, settings: Settings) -> None:
    path = f"{settings.context}/service/rest/v1/status/writable"
    while True:
        with suppress(OSError, ClientError):
            if (await core.call("GET", path)).status == 200:
                return
        await asyncio.sleep(0.25)


async def _end(children: list[asyncio.subprocess.Process]) -> None:
    """Ask each child to end, in order, and wait for it: Core must close its database."""
    for child in children:
        if child.returncode is None:
            child.terminate()
        await child.wait()


def _free_port() -> int:
    """A port of the loopback address below those that clients get, since Core takes a while to listen on it."""
    while True:
        port = 10000 + secrets.randbelow(9000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _log_to(folder: Path) -> None:
    """To Nexus's own log, in its format, and to standard error."""
    style = logging.Formatter(
        "%(asctime)s,%(msecs)03d+0000 %(levelname)-5s [docker-standin]  *SYSTEM %(name)s - %(message)s",
        "%Y-%m-%d %H:%M:%S",
    )
    style.converter = time.gmtime
    logging.addLevelName(logging.WARNING, "WARN")
    handlers: list[logging.Handler] = [
        logging.handlers.WatchedFileHandler(folder / "nexus.log"),
        logging.StreamHandler(),
    ]
    for handler in handlers:
        handler.setFormatter(style)
    logging.basicConfig(level=logging.INFO, handlers=handlers)


sys.exit(main())
