"""The example pack over a state file and in a preview, by the real CLI."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.paths import PROJECT
from tests.unit.policy_resources import resource
from tests.unit.test_policy_audit import CANARY, state

from .conftest import NO_CLI, fake_server_stack

pytestmark = [pytest.mark.pulumi, NO_CLI]
PACK = PROJECT / "examples/policy"
ENVIRONMENT = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
"""The pack runs with the python on PATH."""
PROXY = """
from nexus_registry.providers import RawProxyRepository

RawProxyRepository("files", name="files", remote_url="https://{host}")
"""


@pytest.mark.parametrize("http_port", [None, 5001])
def test_cli_analyzes_state_file(tmp_path: Path, http_port: int | None) -> None:
    file = state(tmp_path, resource("DockerHostedRepository", name="images", http_port=http_port))
    done = subprocess.run(
        ["pulumi", "policy", "analyze", "--file", file, "--policy-pack", PACK],
        env=os.environ | ENVIRONMENT | {"PULUMI_HOME": str(tmp_path / "home"), "PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert bool(done.returncode) is bool(http_port), said
    assert ("tls-on-every-connector" in said) is bool(http_port), said
    assert CANARY not in said


@pytest.mark.parametrize("host", ["repo.example.com", "elsewhere.example.org"])
def test_preview_refuses_upstream_that_is_not_in_list(tmp_path: Path, host: str) -> None:
    """By the command on the page, in the folder of a program."""
    program = tmp_path / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: proxy\nruntime: {name: python, options: {virtualenv: .venv}}\n")
    (program / "__main__.py").write_text(PROXY.format(host=host))
    (program / "examples").symlink_to(PROJECT / "examples")
    page = (PROJECT / "docs/how-to/policy.md").read_text()
    (command,) = re.findall(r"^pulumi preview .*$", page, re.MULTILINE)
    stack = fake_server_stack("pulumi", program, tmp_path / "work", "https://nexus.example.com:8443")
    done = subprocess.run(
        [*shlex.split(command), f"--stack={stack.name}", f"--config-file={stack.config_file}"],
        cwd=program,
        env=stack._environment(ENVIRONMENT),
        capture_output=True,
        text=True,
        check=False,
    )
    said, refused = done.stdout + done.stderr, host != "repo.example.com"
    assert bool(done.returncode) is refused, said
    assert ("allowed-upstreams" in said) is refused, said
