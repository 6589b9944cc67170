"""Release notes, workflows and pages: what they name exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from sandbox.paths import PROJECT
from tests.unit.steps_shell import shellcheck

NOTES = PROJECT / ".github/workflows/release-notes.sh"


def notes(folder: Path, tag: str, version: str, changelog: str) -> subprocess.CompletedProcess[str]:
    (folder / "pyproject.toml").write_text(f'[project]\nname = "x"\nversion = "{version}"\n')
    (folder / "CHANGELOG.md").write_text(changelog)
    return subprocess.run(["sh", NOTES, tag], cwd=folder, capture_output=True, text=True, check=False)


CHANGELOG = (
    "# Changelog\n\n## Unreleased\n\n- c\n\n## 0.2.0 - 2026-01-01\n\n### Added\n\n- b\n\n## [0.1.0]\n\n- a\n"
)


@pytest.mark.parametrize(("version", "text"), [("0.2.0", "### Added\n\n- b"), ("0.1.0", "- a")])
def test_release_notes_are_section_of_tag(version: str, text: str, tmp_path: Path) -> None:
    done = notes(tmp_path, f"v{version}", version, CHANGELOG)
    assert (done.returncode, done.stdout.strip()) == (0, text)


@pytest.mark.parametrize(
    ("tag", "version", "said"),
    [("v0.2.1", "0.2.0", "the version in pyproject.toml is 0.2.0"), ("v0.3.0", "0.3.0", "has no section 0.3.0")],
)
def test_release_refuses_wrong_tag(tag: str, version: str, said: str, tmp_path: Path) -> None:
    done = notes(tmp_path, tag, version, CHANGELOG)
    assert done.returncode == 1
    assert said in done.stderr


def test_release_notes_script_is_shellcheck_clean() -> None:
    assert shellcheck(NOTES.read_text()) == ""


def test_workflows_give_no_job_more_than_it_needs() -> None:
    for file in (PROJECT / ".github/workflows").glob("*.yml"):
        content = yaml.safe_load(file.read_text())
        assert content["permissions"] == {"contents": "read"}, file
        for job in content["jobs"].values():
            assert job["timeout-minutes"] <= 90
            for step in job["steps"]:
                if str(step.get("uses", "")).startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False


def test_every_python_that_is_supported_is_tested() -> None:
    """The workflow, nox and pyproject.toml say the same."""
    workflow = yaml.safe_load((PROJECT / ".github/workflows/ci.yml").read_text())
    versions = workflow["jobs"]["python"]["strategy"]["matrix"]["python"]
    session = re.search(r"@nox.session\(python=\[(.*?)\]", (PROJECT / "noxfile.py").read_text())
    lowest = re.search(r'requires-python = ">=(.*)"', (PROJECT / "pyproject.toml").read_text())
    assert session
    assert lowest
    assert re.findall(r'"(.*?)"', session[1]) == versions
    assert versions[0] == lowest[1]
    (command,) = (step["run"] for step in workflow["jobs"]["python"]["steps"] if "nox --" in step.get("run", ""))
    assert "--error-on-missing-interpreters" in command, "a session without its interpreter ends with status 0"


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "examples/pipelines/README.md", "examples/policy/README.md"])
def test_pages_link_and_name_existing_files(page: str) -> None:
    text = (PROJECT / page).read_text()
    folder = (PROJECT / page).parent
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (folder / link).exists(), link
    for path in re.findall(
        r"`(?:\.venv/bin/pytest -q )?((?:tests|components|providers|examples|docs)/[\w./-]+)`", text
    ):
        assert (PROJECT / path).exists(), path
    for target in re.findall(r"`make ([a-z][a-z-]*)", text):
        assert re.search(rf"^{target}:", (PROJECT / "Makefile").read_text(), re.MULTILINE), target
