"""One program with each kind that no real server here has, on each engine."""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nexus_registry.providers as providers
import pytest
from nexus_registry.providers.client import client_for

from docs.generate import COVERAGE
from sandbox.stack import Stack
from tests.unit.described import BEFORE, KINDS, SINGLETONS
from tests.unit.fake import FakeServer, serve
from tests.unit.settings_server import SettingsServer

from .conftest import ENGINES, fake_server_stack

PROGRAM = Path(__file__).parent / "programs" / "described"
SWITCHES: list[Any] = [providers.Crowd.provider_class, providers.Iq.provider_class]
"""Settings that a deletion turns off."""
SETTINGS: dict[str, Any] = {
    kind: getattr(providers, kind).provider_class() for kind in sorted(SINGLETONS - {"Crowd", "Iq"})
}
"""Settings that a deletion restores."""


@pytest.fixture
def state() -> SettingsServer:
    return SettingsServer(copy.deepcopy(BEFORE))


@pytest.fixture
def server(state: SettingsServer) -> Iterator[FakeServer]:
    with serve(state) as fake:
        yield fake


@pytest.fixture(params=ENGINES)
def stack(request: pytest.FixtureRequest, server: FakeServer, tmp_path: Path) -> Stack:
    program = tmp_path / "program"
    shutil.copytree(PROGRAM, program)
    return fake_server_stack(request.param, program, tmp_path / "work", server.url)


def test_each_kind_is_created_updated_and_destroyed(
    stack: Stack, server: FakeServer, state: SettingsServer
) -> None:
    assert set(KINDS) == set(re.findall(r"^\| `(\w+)` .*\| fake; schema \|$", COVERAGE.read_text(), re.MULTILINE))
    kinds = {kind: first for kind, (first, _) in KINDS.items()}
    client = client_for({"url": server.url, "username": "admin", "password": "pw"})
    before = {kind: provider.find(client, kinds[kind]) for kind, provider in SETTINGS.items()}
    stack.set_config("kinds", kinds)
    assert stack.up().changed()["create"] in (len(kinds), len(kinds) + 1)  # one engine counts the stack itself
    _is_unchanged(stack, server)
    stack.set_config("kinds", {kind: {**first, **edit} for kind, (first, edit) in KINDS.items()})
    assert stack.up().changed() == {"update": len(kinds)}
    _is_unchanged(stack, server)
    assert set(stack.destroy().changed()) == {"delete"}
    assert stack.export()["resources"] == []
    assert not any((*state.lists.values(), state.blob_stores, state.entries))
    for kind, provider in SETTINGS.items():
        actual = provider.find(client, kinds[kind])
        assert provider.mismatches(before[kind].properties, actual) == [], kind
    assert not any(state.settings[provider.setting]["enabled"] for provider in SWITCHES)
    kept = {"mode", "/v1/secrets/encryption/re-encrypt"}  # the first is a setting, the second has no deletion
    assert set(state.settings) == {*BEFORE, *kept}


def _is_unchanged(stack: Stack, server: FakeServer) -> None:
    server.requests.clear()
    assert stack.preview(expect_no_changes=True).changed() == {}
    assert server.requests == []
    assert stack.refresh(expect_no_changes=True).changed() == {}
    assert stack.up(expect_no_changes=True).changed() == {}
    assert {one.method for one in server.requests} == {"GET"}
