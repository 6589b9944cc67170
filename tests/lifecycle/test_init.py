"""What ``nexus-registry init`` writes, as the real CLI reads it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from nexus_registry.cli.main import main

from sandbox.paths import PROJECT
from tests.unit.test_init import KEY, fill, words

from .conftest import NO_CLI

pytestmark = [pytest.mark.pulumi, NO_CLI]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project without a stack, as current directory."""
    fill(tmp_path)
    (tmp_path / "state").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/state")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "correct horse")
    monkeypatch.setenv("PULUMI_SKIP_UPDATE_CHECK", "true")
    return tmp_path


def configured() -> dict[str, dict[str, Any]]:
    command = ["pulumi", "config", "--stack", "prod", "--show-secrets", "--json"]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {key.removeprefix("nexus-registry:"): one for key, one in shown.items()}


def test_cli_reads_configuration_of_init(project: Path) -> None:
    given = ["init", "--no-input", *words(pushers="ci, anna.o'hara@example.com")]
    assert main(given) == 0
    values = configured()
    assert values["ssh_private_key"] == {"value": "canary-private-key", "secret": True}
    assert values["ssh_host_key"] == {"value": KEY, "secret": False}
    assert json.loads(values["pushers"]["value"]) == ["ci", "anna.o'hara@example.com"]
    passwords = json.loads(values["user_passwords"]["value"])
    assert passwords.keys() == {"ci", "anna.o'hara@example.com"}
    assert values["user_passwords"]["secret"]
    written = (project / "Pulumi.prod.yaml").read_text()
    assert not [secret for secret in (*passwords.values(), "canary-private-key") if secret in written]
    assert main(given) == 2, "a stack that exists is left as it is"
    assert (project / "Pulumi.prod.yaml").read_text() == written


def test_example_of_production_is_completed_or_unchanged(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stack's file is there before the stack: its comments and other values stay."""
    file = project / "Pulumi.prod.yaml"
    example = (PROJECT / "Pulumi.prod.yaml").read_text()
    file.write_text(example)
    given = ["init", "--no-input", *words(pushers="ci, anna@example.com")]
    with monkeypatch.context() as gone:
        gone.setenv("PULUMI_BACKEND_URL", f"file://{project}/nowhere")
        assert main(given) == 2
    assert "nowhere" in capsys.readouterr().err
    assert file.read_text() == example
    assert main(given) == 0
    values = configured()
    assert values["protect"]["value"] == "true"
    assert values["renew_before"]["value"] == "45"
    assert values["ssh_host"]["value"] == "nexus.example.com"
    assert json.loads(values["pushers"]["value"]) == ["ci", "anna@example.com"]
    assert "# Production." in file.read_text()
