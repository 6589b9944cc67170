"""A wait is shown at growing intervals, to the engine whose address the process got."""

from __future__ import annotations

import threading
import time

import pytest
from nexus_registry.providers import progress
from nexus_registry.providers.client import NexusClient, server_lock
from nexus_registry.providers.run import Run

from .fake import Request, Response, serve


def test_messages_come_after_2_4_8_and_16_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now, shown = [0.0], list[str]()
    monkeypatch.setattr("nexus_registry.providers.progress.time.monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "_log", lambda message, _: shown.append(message))
    wait = progress.Wait()
    for tenth in range(200):
        now[0] = tenth / 10
        wait.show("Nexus starts")
    assert shown == [f"waiting for {seconds} s: Nexus starts" for seconds in (2, 4, 8, 16)]


@pytest.mark.parametrize(
    ("argv", "address"),
    [
        (["/lib/pulumi/dynamic/__main__.py", "127.0.0.1:4001"], "127.0.0.1:4001"),
        (["/lib/pulumi/dynamic/__main__.py", "--logtostderr", "-v=9", "127.0.0.1:4001"], "127.0.0.1:4001"),
        (["pulumi.dynamic", "x"], ""),
        (["pulumi.dynamic"], ""),
        (["pytest", "127.0.0.1:4001"], ""),
    ],
)
def test_engine_address_is_an_argument_of_the_process(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], address: str
) -> None:
    monkeypatch.setattr("sys.argv", argv)
    assert progress._engine_address() == address


def test_engine_that_is_gone_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("sys.argv", ["pulumi.dynamic", "127.0.0.1:9"])
    progress._log("waiting", "")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a provider process shows, from 0.1 s on."""
    shown: list[str] = []
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("sys.argv", ["pulumi.dynamic", "127.0.0.1:9"])
    monkeypatch.setattr(progress, "FIRST", 0.1)
    monkeypatch.setattr(progress, "_log", lambda message, _: shown.append(message))
    return shown


def test_call_that_returns_late_is_shown_while_it_lasts(said: list[str]) -> None:
    late = threading.Event()

    def script(_: Request) -> Response:
        late.wait(0.4)
        return Response(200, [])

    with serve(script) as fake:
        client = NexusClient({"url": fake.url, "username": "admin", "password": "pw"})
        client.get_list("/v1/late")
        assert said[0] == f"waiting for 0 s: GET {fake.url}/service/rest/v1/late has no response yet"
        late.set()
        said.clear()
        client.get_list("/v1/at-once")
    time.sleep(0.2)
    assert said == [], "the call has ended"


def test_call_goes_on_where_no_thread_can_start(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with serve(lambda _: Response(200, [])) as fake:
        client = NexusClient({"url": fake.url, "username": "admin", "password": "pw"})
        client.get_list("/v1/first")  # the server's own threads start
        monkeypatch.setattr(threading, "Thread", type("Thread", (threading.Thread,), {"start": start}))
        with progress.shown("it takes long"):
            done = True
    assert done
    assert said == []


def test_create_that_waits_for_deletion_is_shown(said: list[str]) -> None:
    run = Run()
    with run.deleting("role", "dev"):
        waiting = threading.Thread(target=run.await_deletion, args=("role", "dev"))
        waiting.start()
        time.sleep(0.3)
        assert waiting.is_alive()
    waiting.join(5)
    assert said[0] == "waiting for 0 s: role 'dev' is being deleted"


def test_lock_of_server_that_another_has_is_shown(said: list[str]) -> None:
    client = NexusClient({"url": "https://nexus.example.com", "username": "admin", "password": "pw"})

    def change() -> None:
        with server_lock(client):
            pass

    with server_lock(client):
        waiting = threading.Thread(target=change)
        waiting.start()
        time.sleep(0.3)
    waiting.join(5)
    assert said[0] == "waiting for 0 s: another resource of this server is changed"
