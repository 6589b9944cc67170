"""The examples that install a server, on an engine, as far as a preview goes: it needs no host."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import yaml

from sandbox.pki import Authority
from sandbox.stack import open_stack
from tests.unit.test_examples import CONFIGURED, EXAMPLES

from .conftest import ENGINES, PASSPHRASE


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["reverse-proxy", "issued-certificate", "certificate-on-host"])
def test_preview_of_example_needs_no_host(name: str, engine: str, tmp_path: Path) -> None:
    program = tmp_path / "program"
    shutil.copytree(EXAMPLES / name, program)
    (program / ".venv").symlink_to(sys.prefix)
    stack = open_stack(engine, program=program, name="dev", work=tmp_path / "work", passphrase=PASSPHRASE)
    issued = Authority.create("Examples").issue([CONFIGURED[name]["host"]], key="ec")
    given = {"certificate": issued.certificate_pem, "private_key": issued.private_key_pem}
    declared = yaml.safe_load((program / "Pulumi.yaml").read_text())["config"]
    for key, value in CONFIGURED[name].items():
        stack.set_config(key, given.get(key, value), secret=declared[key].get("secret", False))
    previewed = stack.preview()
    assert previewed.ok, f"{previewed.error}\n{previewed.stdout[-3000:]}"
    created = {urn.rpartition("::")[2] for operation, urn in previewed.steps if operation == "create"}
    assert {"nexus-service", "images-repository", "images:ci", "images-proof"} <= created
