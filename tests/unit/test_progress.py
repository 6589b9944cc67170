"""A wait is shown at growing intervals, to the engine whose address the process got."""

from __future__ import annotations

import pytest
from nexus_registry.providers import progress


def test_messages_come_after_2_4_8_and_16_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now, shown = [0.0], list[str]()
    monkeypatch.setattr("nexus_registry.providers.progress.time.monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "_log", shown.append)
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
    monkeypatch.setattr("sys.argv", ["pulumi.dynamic", "127.0.0.1:9"])
    progress._log("waiting")
