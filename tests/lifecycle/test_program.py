"""The program of this repository on each engine, as far as a preview goes: it needs no host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nexus_registry.components.settings import SECRETS

from sandbox.paths import PROJECT
from sandbox.stack import Stack, open_stack
from tests.unit.test_settings import configuration

from .conftest import PASSPHRASE


@pytest.fixture
def stack(engine: str, tmp_path: Path) -> Stack:
    made = open_stack(engine, program=PROJECT, name="dev", work=tmp_path, passphrase=PASSPHRASE)
    for key, value in configuration().items():
        made.set_config(key, value, secret=key in SECRETS)
    return made


def test_preview_of_right_configuration_needs_no_host(stack: Stack) -> None:
    done = stack.preview()
    assert done.ok, f"{done.error}\n{done.stdout[-3000:]}"
    assert done.changes["create"] == sum(done.changes.values()) > 15
    stack.set_config("properties", {"nexus.scripts.allowCreation": "false"})
    stack.set_config("extra_roles", {"ci": ["nx-metrics-all"]})
    stack.set_config("registry_http_port", 5001)
    assert stack.preview().ok, "keys that are not declared"


def test_all_mistakes_are_reported_by_key_and_nothing_is_created(stack: Stack) -> None:
    stack.set_config("pushers", ["ci", "bob"])
    stack.set_config("docker_port", 5000)
    stack.set_config("data_dir", "/")
    refused = stack.preview()
    assert not refused.ok
    said = refused.stdout + refused.error
    for key in (
        "pushers: 'bob' has no password",
        "docker_port: is called registry_https_port now",
        "data_dir: '/' has an empty part",
    ):
        assert key in said, said
    assert "Traceback" not in said
    assert json.dumps(stack.export()["resources"]).count("nexus-registry:index") == 0
