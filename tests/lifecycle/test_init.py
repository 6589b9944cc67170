"""What ``nexus-registry init`` writes, as the real CLI reads it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from nexus_registry.cli.main import main

from tests.unit.test_init import KEY, fill, words

from .conftest import NO_CLI


@pytest.mark.pulumi
@NO_CLI
def test_cli_reads_what_init_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path)
    (tmp_path / "state").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/state")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "correct horse")
    monkeypatch.setenv("PULUMI_SKIP_UPDATE_CHECK", "true")
    given = ["init", "--no-input", *words(pushers="ci, anna.o'hara@example.com")]
    assert main(given) == 0
    command = ["pulumi", "config", "--stack", "prod", "--show-secrets", "--json"]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    values = {key.removeprefix("nexus-registry:"): one for key, one in shown.items()}
    assert values["ssh_private_key"] == {"value": "canary-private-key", "secret": True}
    assert values["ssh_host_key"] == {"value": KEY, "secret": False}
    assert json.loads(values["pushers"]["value"]) == ["ci", "anna.o'hara@example.com"]
    passwords = json.loads(values["user_passwords"]["value"])
    assert passwords.keys() == {"ci", "anna.o'hara@example.com"}
    assert values["user_passwords"]["secret"]
    written = (tmp_path / "Pulumi.prod.yaml").read_text()
    assert not [secret for secret in (*passwords.values(), "canary-private-key") if secret in written]
    assert main(given) == 2, "a stack that exists is left as it is"
    assert (tmp_path / "Pulumi.prod.yaml").read_text() == written
