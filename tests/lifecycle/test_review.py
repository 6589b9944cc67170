"""The preview for a contribution from outside, with the real CLI: no secret, no server, no state."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.paths import PROJECT

pytestmark = pytest.mark.pulumi


@pytest.mark.skipif(shutil.which("pulumi") is None, reason="the pulumi CLI is not on PATH")
def test_review_stack_previews_without_secrets(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.review.yaml", "__main__.py"):
        shutil.copy(PROJECT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(PROJECT / ".venv")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    own = {"PULUMI_HOME": str(tmp_path / "home"), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    argv = ["sh", str(PROJECT / "examples/pipelines/ci/preview.sh"), "review", "github"]
    done = subprocess.run(
        argv, cwd=tmp_path, env=inherited | own, capture_output=True, text=True, check=False, timeout=600
    )
    text = (tmp_path / "summary.md").read_text()
    assert done.returncode == 0, done.stderr + text
    assert "<!-- nexus-registry summary: review -->" in text
    assert "`registry-repository` (DockerHostedRepository)" in text
    assert "### " not in text, "nothing but what is created"
    assert (tmp_path / "Pulumi.review.yaml").read_text() == (PROJECT / "Pulumi.review.yaml").read_text()
