"""Fixtures of the unit tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest
from nexus_registry.providers import progress
from nexus_registry.providers.client import Connection
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.run import Run
from pulumi.runtime.config import set_all_config
from pulumi.runtime.settings import reset_options

from sandbox.packages import ensure
from tests.unit.components import Preview
from tests.unit.described import BEFORE
from tests.unit.engine import Engine, NewRun
from tests.unit.fake import FakeServer, serve
from tests.unit.settings_server import SettingsServer
from tests.unit.steps_shell import SHELLS
from tests.unit.stored import Stored
from tests.unit.unit_files import Host


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the machine is between a test and its server."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module", params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    """Each of the shells that hosts have."""
    ensure("busybox")
    return SHELLS[str(request.param)]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host with facts, an empty data directory and the functions that the step's own folder needs."""
    for folder in ("facts/nexus", "data", "work"):
        (tmp_path / folder).mkdir(parents=True)
    return Host(tmp_path)


@pytest.fixture
def sdk() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop of Pulumi's SDK; what a test sets there, such as mocks and configuration, ends with it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    reset_options()
    set_all_config({}, [])
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def preview(sdk: None) -> None:
    """The engine of a preview."""
    pulumi.runtime.set_mocks(Preview(), project="consumer", preview=True)


@pytest.fixture
def nexus() -> Stored:
    return Stored()


@pytest.fixture
def nexus_server(nexus: Stored) -> Iterator[FakeServer]:
    with serve(nexus) as fake:
        yield fake


@pytest.fixture
def engine(nexus_server: FakeServer, new_run: NewRun) -> Engine:
    new_run()
    return Engine(nexus_server.url)


@pytest.fixture
def new_run(monkeypatch: pytest.MonkeyPatch) -> NewRun:
    """Starts the next run, with another provider process."""
    return lambda: monkeypatch.setattr(NexusProvider, "run", Run())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of the client between attempts take no time; that they happen is seen in the requests."""
    monkeypatch.setattr("nexus_registry.providers.client.time.sleep", lambda _seconds: None)


@pytest.fixture
def state() -> SettingsServer:
    """A server with the settings of a new one."""
    return SettingsServer(dict(BEFORE))


@pytest.fixture
def server(state: SettingsServer) -> Iterator[FakeServer]:
    with serve(state) as fake:
        yield fake


@pytest.fixture
def connection(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.setattr(NexusProvider, "run", Run())
    return {"url": server.url, "username": "admin", "password": "pw"}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages of waits, which are shown at once."""
    shown: list[str] = []
    monkeypatch.setattr(progress, "FIRST", 0.0)
    monkeypatch.setattr(progress, "_log", lambda message, _: shown.append(message))
    return shown
