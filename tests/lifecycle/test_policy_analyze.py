"""The example pack over a state file, by the real CLI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.paths import PROJECT
from tests.unit.test_policy import CANARY, resource, state

from .conftest import NO_CLI

pytestmark = [pytest.mark.pulumi, NO_CLI]


@pytest.mark.parametrize("http_port", [None, 5001])
def test_cli_analyzes_state_file(tmp_path: Path, http_port: int | None) -> None:
    file = state(tmp_path, resource("DockerHostedRepository", name="images", http_port=http_port))
    done = subprocess.run(
        ["pulumi", "policy", "analyze", "--file", file, "--policy-pack", str(PROJECT / "examples/policy")],
        env=os.environ
        | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert bool(done.returncode) is bool(http_port), said
    assert ("tls-on-every-connector" in said) is bool(http_port), said
    assert CANARY not in said
