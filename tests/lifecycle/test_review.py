"""The scripts of examples/pipelines with the real CLI."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.paths import PROJECT

from .conftest import NO_CLI, TinyStack, thing

pytestmark = [pytest.mark.pulumi, NO_CLI]
SCRIPTS = PROJECT / "examples/pipelines/ci"


def test_review_stack_previews_without_secrets(tmp_path: Path) -> None:
    """For a contribution from outside: no secret, no server, no state."""
    for name in ("Pulumi.yaml", "Pulumi.review.yaml", "__main__.py"):
        shutil.copy(PROJECT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(PROJECT / ".venv")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    own = {"PULUMI_HOME": str(tmp_path / "home"), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    argv = ["sh", str(SCRIPTS / "preview.sh"), "review", "github"]
    done = subprocess.run(
        argv, cwd=tmp_path, env=inherited | own, capture_output=True, text=True, check=False, timeout=600
    )
    text = (tmp_path / "summary.md").read_text()
    assert done.returncode == 0, done.stderr + text
    assert "<!-- nexus-registry summary: review -->" in text
    assert "`registry-repository` (DockerHostedRepository)" in text
    assert "### " not in text, "nothing but what is created"
    assert (tmp_path / "Pulumi.review.yaml").read_text() == (PROJECT / "Pulumi.review.yaml").read_text()


def test_drift_differs_from_failure(tmp_path: Path) -> None:
    lab = TinyStack("pulumi", tmp_path)
    lab.things(thing("a", honest=True))
    assert lab.stack.up().ok

    def drift() -> int:
        shutil.copy(lab.stack.config_file, lab.program / "Pulumi.dev.yaml")
        argv = ["sh", str(SCRIPTS / "drift.sh"), "dev"]
        env = lab.stack._environment(None)
        return subprocess.run(argv, cwd=lab.program, env=env, check=False, timeout=600).returncode

    assert drift() == 0
    objects = lab.server["objects"]
    lab.edit(objects={key: {**value, "color": "blue"} for key, value in objects.items()})
    assert drift() == 3
    assert "`color`" in (lab.program / "summary.md").read_text()
    lab.edit(failures={"diff a": "out of order"})
    assert drift() not in (0, 3)
