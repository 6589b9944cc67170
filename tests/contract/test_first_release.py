"""A state that version 0.1.0 wrote stays valid: today's code previews, updates and refreshes it on each engine."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.paths import PROJECT
from sandbox.stack import PulumiStack, Stack, open_stack
from sandbox.stackfile import StackFile
from sandbox.values import secret, walk
from tests.lifecycle.conftest import ENGINES

from .conftest import Nexus
from .docker_api import Api

PROGRAM = Path(__file__).parent / "programs/first_release"
STATE = PROJECT / "tests/data/state-0.1.0.json"
"""The resources of an export with secrets; ``more_outputs`` are the outputs that are no inputs."""
STORED_PORT = "15817"
ROOT = "urn:pulumi:dev::first-release::pulumi:pulumi:Stack::first-release-dev"
PROVIDER = "urn:pulumi:dev::first-release::pulumi:providers:pulumi-python::default"

Settings = Mapping[str, Any]


def new_stack(engine: str, folder: Path, settings: Settings) -> Stack:
    program = folder / "program"
    shutil.copytree(PROGRAM, program)
    (program / ".venv").symlink_to(sys.prefix)
    stack = open_stack(engine, program=program, name="dev", work=folder / "work", passphrase="right")
    for key, value in settings.items():
        stack.set_config(key, value, secret="password" in key)
    return stack


@pytest.fixture(scope="module")
def settings(nexus: Nexus, admin: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The configuration of every stack here; the objects of the program exist on the server."""
    settings = {
        "first-release:port": nexus.connector_port(),
        "first-release:admin_password": nexus.password,
        "nexus-registry:url": nexus.https_url.replace("127.0.0.1", "localhost"),
        "nexus-registry:ca": nexus.authority.certificate_pem,
        "nexus-registry:password": nexus.password,
    }
    stack = new_stack("sandbox", tmp_path_factory.mktemp("objects"), settings)
    with admin.token_realm():  # a destroy leaves it active while a docker repository is there
        stack.up().changed()
        yield settings
        stack.destroy().changed()


def put_state(stack: Stack, settings: Settings) -> None:
    """Give a stack the state of version 0.1.0."""
    text = STATE.read_text().replace(STORED_PORT, str(settings["first-release:port"]))
    resources = json.loads(text)
    for one in resources:
        one["outputs"] = one["inputs"] | one.pop("more_outputs")
    root = {"urn": ROOT, "type": "pulumi:pulumi:Stack"}
    if isinstance(stack, PulumiStack):
        kind = PROVIDER.split("::")[2]
        provider = {"urn": PROVIDER, "type": kind, "custom": True, "id": "first", "inputs": {}, "outputs": {}}
        for one in resources:
            if one["custom"]:
                one["provider"] = f"{PROVIDER}::first"
        state = {"version": 3, "deployment": {"manifest": {}, "resources": [root, provider, *resources]}}
        stack.import_state(state)
    else:
        for one in resources:
            one["additional_secret_outputs"] = one.pop("additionalSecretOutputs", [])
        keyring = StackFile(stack.config_file, stack.passphrase).keyring
        sealed = walk([root, *resources], lambda it: keyring.seal(opened(it)))
        stack.state_file.parent.mkdir(parents=True, exist_ok=True)
        stack.state_file.write_text(json.dumps({"resources": sealed}))


def opened(value: Any) -> Any:
    """A secret in the engine's form."""
    return secret(json.loads(value["plaintext"])) if isinstance(value, dict) else value


@pytest.mark.parametrize("engine", ENGINES)
def test_state_of_first_release_needs_no_api_write(
    nexus: Nexus, settings: Settings, tmp_path: Path, engine: str
) -> None:
    """Renamed properties are updated in the state only, and every object of the state is found."""

    def writes() -> list[str]:
        log = (nexus.data_dir / "log/request.log").read_text()
        return re.findall(r'"((?:POST|PUT|DELETE) /service/rest/\S+)', log)

    stack, before = new_stack(engine, tmp_path, settings), writes()
    put_state(stack, settings)
    assert set(stack.preview().changed()) <= {"update"}
    assert set(stack.up().changed()) <= {"update"}
    assert stack.up(refresh=True, expect_no_changes=True).changed() == {}
    assert writes() == before
