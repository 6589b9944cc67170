"""What a clone installs by itself is all that its program needs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from sandbox.paths import PROJECT
from sandbox.shell import run

pytestmark = pytest.mark.nightly

_USE = """
import sys
import nexus_registry.cli.main, nexus_registry.components, nexus_registry.providers.repositories.docker
from nexus_registry.policy import RULES
assert RULES and "pulumi_policy" not in sys.modules
from nexus_registry.components.host.steps import STEPS, stdin
assert all(stdin(step) for step in STEPS)
print(nexus_registry.components.__file__)
"""


def checkout(folder: Path) -> Path:
    """A copy of the files that are in the repository, or will be; without what was built from them."""
    for name in run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=PROJECT).stdout.split(
        "\n"
    ):
        if name and (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = checkout(tmp_path_factory.mktemp("clone"))
    run([sys.executable, "-m", "venv", folder / ".venv"])
    return folder


def test_requirements_and_wheel_install_same(clone: Path, tmp_path: Path) -> None:
    pip, python = clone / ".venv/bin/pip", clone / ".venv/bin/python"
    assert (clone / "requirements.txt").read_text().splitlines() == ["-e ."]
    run([pip, "install", "--quiet", "--requirement", "requirements.txt"], cwd=clone)
    assert run([python, "-c", _USE], cwd=tmp_path).stdout.strip() == str(clone / "components/__init__.py")
    run([pip, "install", "--quiet", "--no-deps", "--force-reinstall", "."], cwd=clone)
    assert "site-packages" in run([python, "-c", _USE], cwd=tmp_path).stdout
