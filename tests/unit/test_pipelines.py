"""examples/pipelines: the YAML holds to its schema, and what the jobs run does what its first lines say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from sandbox.paths import PROJECT
from tests.unit.fake import Response, serve
from tests.unit.forge import Forge, running_forge
from tests.unit.steps_shell import shellcheck

PIPELINES = PROJECT / "examples/pipelines"
SCRIPTS = sorted(PIPELINES.rglob("*.sh"))
GITHUB = PROJECT / ".github"
SCHEMAS = {
    "gitlab-ci": [PIPELINES / "gitlab-ci.yml", PIPELINES / "application/gitlab-ci.yml"],
    "github-workflows": [PIPELINES / "github-actions.yml", *sorted((GITHUB / "workflows").glob("*.yml"))],
    "github-issue-forms": sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml")),
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE/config.yml"],
    "dependabot": [GITHUB / "dependabot.yml"],
}
SECRET = "cAnArY-4711"


@pytest.mark.parametrize("schema", SCHEMAS)
def test_yaml_holds_to_its_schema(schema: str) -> None:
    files = SCHEMAS[schema]
    assert files
    program = Path(sys.executable).with_name("check-jsonschema")
    argv: list[str | Path] = [program, "--builtin-schema", f"vendor.{schema}", *files]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_yaml_of_platform_has_its_schema() -> None:
    assert set(GITHUB.rglob("*.yml")) <= {file for files in SCHEMAS.values() for file in files}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_shellcheck_clean(script: Path) -> None:
    assert shellcheck(script.read_text()) == ""


def commands(file: Path) -> list[str]:
    """What each job, or each step of a workflow, has a shell run; once for each value of a matrix."""
    content = yaml.safe_load(file.read_text())
    jobs = content.get("jobs") or {
        name: job
        for name, job in content.items()
        if isinstance(job, dict) and ("script" in job or name == "default")
    }
    lines: list[str] = []
    for job in jobs.values():
        script = [*job.get("before_script", []), *job.get("script", [])]
        lines += ["\n".join(script)] if script else []
        steps = [step["run"] for step in job.get("steps", []) if "run" in step]
        for name, values in job.get("strategy", {}).get("matrix", {}).items():
            place = f"${{{{ matrix.{name} }}}}"
            steps = list(dict.fromkeys(step.replace(place, value) for step in steps for value in values))
        lines += steps
    return lines


@pytest.mark.parametrize("file", SCHEMAS["gitlab-ci"] + SCHEMAS["github-workflows"], ids=lambda path: path.name)
def test_jobs_run_existing_targets(file: Path) -> None:
    found = commands(file)
    assert found
    root = file.parent if file.parent.name == "application" else PROJECT
    for line in found:
        assert "matrix." not in line
        assert shellcheck(line) == "", line
        for script in re.findall(r"(?:(?:sh|python3) |^)(\S+/\w[\w./-]*)", line, re.MULTILINE):
            assert (root / script).is_file(), line
        for makefile, target in re.findall(r"(?:^|[;&] )make (?:-f (\S+) )?([a-z.][a-z.-]*)", line, re.MULTILINE):
            text = (PROJECT / (makefile or "Makefile")).read_text()
            assert re.search(rf"^([a-z -]+ )?{re.escape(target)}( [a-z -]+)?:", text, re.MULTILINE), line


def test_jobs_run_every_target() -> None:
    lines = "\n".join(
        line for file in SCHEMAS["gitlab-ci"] + SCHEMAS["github-workflows"] for line in commands(file)
    )
    (targets,) = re.findall(r"^\.PHONY: (.*)$", (PIPELINES / "Makefile").read_text(), re.MULTILINE)
    for target in targets.split():
        assert f"make -f examples/pipelines/Makefile {target}" in lines


@pytest.mark.parametrize("file", ["gitlab-ci.yml", "github-actions.yml"])
def test_fork_gets_no_secret(file: str) -> None:
    content = yaml.safe_load((PIPELINES / file).read_text())
    job = (content.get("jobs") or content)["review"]
    assert "secrets." not in json.dumps(job)
    assert not {"permissions", "environment", "variables"} & set(job)


@pytest.mark.parametrize("file", sorted((GITHUB / "workflows").glob("*.yml")), ids=lambda file: file.name)
def test_container_job_may_run_git(file: Path) -> None:
    """The checkout belongs to the runner's account, and what actions/checkout sets ends with its step."""
    jobs = yaml.safe_load(file.read_text())["jobs"].values()
    for job in (one for one in jobs if "container" in one):
        runs = [step["run"] for step in job["steps"] if "run" in step]
        assert 'git config --system --add safe.directory "$GITHUB_WORKSPACE"' in runs[:-1]


@pytest.fixture
def tools(tmp_path: Path) -> Callable[..., Path]:
    """Makes programs that note how they were called, in ``calls``, with what they read."""

    def make(**bodies: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, body in bodies.items():
            file = folder / name
            file.write_text(f'#!/bin/sh\necho "{name} $*" >>"{tmp_path}/calls"\n{body}\n')
            file.chmod(0o755)
        return folder

    return make


def run(argv: list[str], folder: Path, bin_: Path, **env: str) -> subprocess.CompletedProcess[str]:
    path = f"{bin_}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "CI_", "GITLAB"))
    }
    return subprocess.run(
        argv, cwd=folder, env={**inherited, "PATH": path, **env}, capture_output=True, text=True, check=False
    )


PULUMI = 'case " $* " in *" preview "*) cat "$PREVIEW"; exit "${STATUS:-0}" ;; esac'


@pytest.mark.parametrize(
    ("preview", "status", "said"),
    [
        ("update", "0", "restarts the server: heap_mb"),
        ("refused", "1", "has an empty part"),
        ("", "255", "There is no preview"),
        ("", "0", "There is no preview"),
    ],
)
def test_preview_script_writes_summary(
    preview: str, status: str, said: str, tools: Callable[..., Path], tmp_path: Path
) -> None:
    recorded = PROJECT / f"tests/data/previews/{preview}.json" if preview else Path("/dev/null")
    script = str(PIPELINES / "ci/preview.sh")
    env = {"PREVIEW": str(recorded), "STATUS": status}
    done = run(["sh", script, "prod", "github"], tmp_path, tools(pulumi=PULUMI), **env)
    assert done.returncode == (int(status) if preview else int(status) or 2), done.stderr
    text = (tmp_path / "summary.md").read_text()
    assert text.startswith("<!-- nexus-registry summary: prod -->\n"), "the mark is the same, whatever happened"
    assert said in text


def test_preview_of_review_uses_empty_state(tools: Callable[..., Path], tmp_path: Path) -> None:
    body = f'echo "$PULUMI_BACKEND_URL $PULUMI_CONFIG_PASSPHRASE" >>"{tmp_path}/calls"; {PULUMI}'
    env = {"PREVIEW": str(PROJECT / "tests/data/previews/create.json")}
    done = run(["sh", str(PIPELINES / "ci/preview.sh"), "review"], tmp_path, tools(pulumi=body), **env)
    assert done.returncode == 0, done.stderr
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls[0] == "pulumi stack init review --no-select --non-interactive"
    place, passphrase = calls[1].split(" ")
    assert passphrase == "review"
    assert not Path(place.removeprefix("file://")).exists(), "the state is gone afterwards"


@pytest.mark.parametrize(
    ("preview", "pulumi", "status"),
    [("same", "0", 0), ("update", "1", 3), ("refused", "1", 1), ("", "255", 255), ("", "3", 1)],
)
def test_drift_script_separates_drift_and_failure(
    preview: str, pulumi: str, status: int, tools: Callable[..., Path], tmp_path: Path
) -> None:
    recorded = PROJECT / f"tests/data/previews/{preview}.json" if preview else Path("/dev/null")
    env = {"PREVIEW": str(recorded), "STATUS": pulumi}
    done = run(["sh", str(PIPELINES / "ci/drift.sh"), "prod"], tmp_path, tools(pulumi=PULUMI), **env)
    assert done.returncode == status
    assert "--refresh --expect-no-changes" in (tmp_path / "calls").read_text()


@pytest.mark.parametrize(("user", "prefix"), [("0", ""), ("1000", "sudo ")])
def test_packages_script_installs_missing_packages(
    user: str, prefix: str, tools: Callable[..., Path], tmp_path: Path
) -> None:
    programs = {"dpkg-query": "[ $3 = fish ] && printf installed", "apt-get": "", "sudo": "", "id": f"echo {user}"}
    bin_ = tools(**programs)
    script = ["sh", str(PIPELINES / "ci/packages.sh")]
    assert run([*script, "busybox", "fish", "tcsh"], tmp_path, bin_).returncode == 0
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call for call in calls if "apt-get" in call] == [
        f"{prefix}apt-get -qq update",
        f"{prefix}apt-get -qq install --yes --no-install-recommends busybox tcsh",
    ]
    (tmp_path / "calls").unlink()
    assert run([*script, "fish"], tmp_path, bin_).returncode == 0
    assert "apt-get" not in (tmp_path / "calls").read_text()


@pytest.mark.parametrize("tool", ["docker", "buildah"])
def test_application_pushes_without_password_in_command_line(
    tool: str, tools: Callable[..., Path], tmp_path: Path
) -> None:
    reads = f'case "$1" in login) cat >>"{tmp_path}/stdin" ;; esac'
    bin_ = tools(docker=reads, buildah=reads)
    (tmp_path / "ca").write_text("CA")
    env = {"REGISTRY": "r.example.com:5000", "REGISTRY_USER": "ci", "REGISTRY_PASSWORD": SECRET}
    env |= {"IMAGE": "r.example.com:5000/app", "TAG": "1234", "REGISTRY_CA": str(tmp_path / "ca")}
    done = run(["sh", str(PIPELINES / "application/ci/push.sh"), tool], tmp_path, bin_, **env)
    assert done.returncode == 0, done.stderr
    calls = (tmp_path / "calls").read_text()
    assert SECRET not in calls
    assert "r.example.com:5000/app:1234" in calls
    assert "r.example.com:5000/app:latest" in calls
    assert (tmp_path / "stdin").read_text() == SECRET


@pytest.fixture
def forge() -> Iterator[Forge]:
    with running_forge() as server:
        yield server


def environment(platform: str, url: str, folder: Path) -> dict[str, str]:
    if platform == "gitlab":
        there = {"CI_API_V4_URL": url, "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "5"}
        return {"GITLAB_CI": "true", "GITLAB_TOKEN": "t", **there}
    event = folder / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 5}}))
    there = {"GITHUB_API_URL": url, "GITHUB_REPOSITORY": "a/b", "GITHUB_EVENT_PATH": str(event)}
    return {"GITHUB_TOKEN": "t", **there}


@pytest.mark.parametrize("platform", ["github", "gitlab"])
def test_report_keeps_one_comment_and_one_issue(platform: str, forge: Forge, tmp_path: Path) -> None:
    mark = "<!-- nexus-registry summary: prod -->\n"
    forge.comments = [forge.made(number, body=f"{number}") for number in range(1, 131)]
    forge.comments[0] |= {"body": f"{mark}of somebody else", "user": {"login": "eve"}, "author": {"id": 8}}
    text = tmp_path / "summary.md"
    env = environment(platform, forge.url, tmp_path)
    argv = [sys.executable, str(PIPELINES / "ci/report.py")]

    def report(*arguments: str) -> None:
        done = run([*argv, *arguments], tmp_path, tmp_path, **env)
        assert done.returncode == 0, done.stderr

    for content in ("first", "second"):
        text.write_text(mark + content)
        report("comment", "summary.md")
        report("issue", "summary.md", "Drift of prod")
    assert [one["body"] for one in forge.comments if mark in one["body"]] == [
        f"{mark}of somebody else",
        f"{mark}second",
    ]
    (issue,) = forge.issues
    assert f"{mark}second" in (issue.get("body"), issue.get("description"))
    report("close", "Drift of prod")
    assert forge.issues == []
    methods = [write.split(" ")[0] for write in forge.writes]
    assert methods == ["POST", "POST", *["PATCH" if platform == "github" else "PUT"] * 3]


def test_report_names_address_that_does_not_respond(tmp_path: Path) -> None:
    with serve(lambda _: Response(200, "no JSON", headers={"Content-Type": "text/html"})) as fake:
        env = environment("gitlab", fake.url, tmp_path)
        done = run([sys.executable, str(PIPELINES / "ci/report.py"), "close", "x"], tmp_path, tmp_path, **env)
    assert done.returncode == 1
    assert done.stderr.startswith(f"report: GET {fake.url}/user failed: ")


def test_report_names_variable_that_is_missing(tmp_path: Path) -> None:
    done = run([sys.executable, str(PIPELINES / "ci/report.py"), "close", "x"], tmp_path, tmp_path)
    assert done.returncode == 1
    assert "GITHUB_TOKEN is not set" in done.stderr
