"""The jobs of examples/pipelines run: by gitlab-ci-local and by act, on this machine, without containers.

The repository is a clone of this one, with the files where examples/pipelines/README.md says. ``act`` gets
stand-ins of the actions that it would fetch. The stack ``prod`` is that of a bare host of the sandbox, a local
server plays the API of GitLab and GitHub, and the application is pushed by the real docker and buildah.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile, copytree
from typing import Any

import pytest
import requests

from sandbox.dev import Dev, passing_dev_stack
from sandbox.docker import DockerClient
from sandbox.packages import ensure
from sandbox.paths import PROJECT
from sandbox.pki import Authority
from sandbox.shell import CommandFailed, run
from sandbox.tools import NODE, npm_tool, tool
from tests.contract.upstream import HTPASSWD, registry
from tests.unit.forge import Forge, running_forge

from ..lifecycle.conftest import NO_CLI
from .source import clone_source, commit_all

pytestmark = pytest.mark.xdist_group("pipelines")

PIPELINES = PROJECT / "examples/pipelines"
REPOSITORY = "example/nexus-registry"
# One of the unit tests is enough here, beside the modules that are no tests: the pipeline is what is tested.
TESTS = re.compile(r"tests/(__init__|conftest|tested|unit/((?!test_)\w+|test_process))\.py")
# Gives a job the packages of this test's environment, as a cache would: an installation takes longer than the job.
INSTALLED = f"mkdir .venv; ln -s {sys.prefix}/* .venv/; touch .venv/.installed"
# Stand-ins of the actions of the workflow; for checkout act has its own.
ACTIONS = {"actions/checkout@v5": "", "actions/setup-python@v6": INSTALLED, "pulumi/actions@v7": "pulumi version"}


@dataclass(frozen=True)
class Project:
    """A repository with the pipelines in it, and the platform that it is on."""

    folder: Path
    forge: Forge
    state: Path
    passphrase: str = ""

    def environment(self) -> dict[str, str]:
        """What a runner gives its jobs: nothing of this test's own virtual environment or platform."""
        own = ("PULUMI_", "GITHUB_", "GITLAB_", "CI", "PYTEST_", "VIRTUAL_ENV")
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(own)}
        path = [str(NODE), f"{sys.base_prefix}/bin", *inherited["PATH"].split(":")]
        path = [folder for folder in path if folder != str(Path(sys.executable).parent)]
        return inherited | {"PATH": ":".join(path), "MYPY_CACHE_DIR": str(self.state / "mypy")}

    def secrets(self) -> dict[str, str]:
        """What a person sets in the settings of the project."""
        url = f"file://{self.state}"
        return {"PULUMI_BACKEND_URL": url, "PULUMI_CONFIG_PASSPHRASE": self.passphrase}


def run_gitlab(project: Project, source: str, *jobs: str, fork: bool = False) -> None:
    """Run jobs of .gitlab-ci.yml as in a pipeline of this source."""
    variables = {
        "CI_API_V4_URL": project.forge.url,
        "CI_COMMIT_REF_PROTECTED": str(source != "merge_request_event").lower(),
        "CI_DEFAULT_BRANCH": "main",
        "CI_PIPELINE_SOURCE": source,
        "CI_PROJECT_ID": "3",
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR") or str(Path.home() / ".cache/pip"),
    }
    if source == "merge_request_event":
        variables |= {"CI_MERGE_REQUEST_IID": "5", "CI_MERGE_REQUEST_PROJECT_ID": "3"}
        variables["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"] = "4" if fork else "3"
    if not fork:
        variables |= project.secrets() | {"GITLAB_TOKEN": "token"}
    gitlab_ci_local(project.folder, jobs, variables, project.environment())


def gitlab_ci_local(
    folder: Path, jobs: tuple[str, ...], variables: Mapping[str, str], env: Mapping[str, str]
) -> None:
    ensure("rsync")
    command = [*npm_tool("gitlab-ci-local", "4.75.1"), "--force-shell-executor", "--color=false"]
    command += ["--concurrency=1", "--ignore-predefined-vars", ",".join(variables)]
    for name, value in variables.items():
        command += ["--variable", f"{name}={value}"]
    if "CI_MERGE_REQUEST_IID" in variables:
        command += ["--unset-variable", "CI_COMMIT_BRANCH"]
    run([*command, *jobs], cwd=folder, env=env, timeout=1800)


def run_github(project: Project, source: str, *jobs: str, fork: bool = False) -> None:
    """Run a job of the workflow, and those that it needs, for this event."""
    event = project.state / "event.json"
    head = {"repo": {"full_name": "eve/nexus-registry" if fork else REPOSITORY}}
    event.write_text(json.dumps({"number": 5, "pull_request": {"number": 5, "head": head}}))
    name = "pull_request" if source == "merge_request_event" else source
    command: list[str | Path] = [tool("act", "act"), name, "--eventpath", event, "--no-cache-server"]
    command += ["--platform", "ubuntu-latest=-self-hosted", "--action-cache-path", project.state / "act"]
    command += ["--env", f"GITHUB_API_URL={project.forge.url}"]
    for action, script in ACTIONS.items():
        folder = project.state / "actions" / action
        folder.mkdir(parents=True, exist_ok=True)
        step = {"run": script, "shell": "sh"}
        described = {"name": "stand-in", "runs": {"using": "composite", "steps": [step]}}
        (folder / "action.yml").write_text(json.dumps(described))
        command += ["--local-repository", f"{action}={folder}"]
    for key, value in ({} if fork else project.secrets() | {"GITHUB_TOKEN": "token"}).items():
        command += ["--secret", f"{key}={value}"]
    for job in jobs:
        run([*command, "--job", job], cwd=project.folder, env=project.environment(), timeout=1800)


RUNNERS = {"gitlab": run_gitlab, "github": run_github}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("pipelines")
    clone = clone_source(folder, lambda name: not name.startswith("tests/") or bool(TESTS.fullmatch(name)))
    run(["git", "remote", "add", "origin", f"https://github.com/{REPOSITORY}.git"], cwd=clone)
    copyfile(PIPELINES / "gitlab-ci.yml", clone / ".gitlab-ci.yml")
    copyfile(PIPELINES / "github-actions.yml", clone / ".github/workflows/registry.yml")
    commit_all(clone)
    run(["sh", "-c", INSTALLED], cwd=clone)
    (folder / "state").mkdir()
    with running_forge() as forge:
        yield Project(clone, forge, folder / "state")


def test_merge_request_runs_lint_and_tests(project: Project) -> None:
    """By GitLab's jobs. GitHub's job runs before that which deploys."""
    run_gitlab(project, "merge_request_event", "lint", "test")


@pytest.mark.pulumi
@NO_CLI
@pytest.mark.parametrize("platform", RUNNERS)
def test_fork_is_reviewed_without_secret(project: Project, platform: str) -> None:
    project.forge.writes.clear()
    RUNNERS[platform](project, "merge_request_event", "review", fork=True)
    assert project.forge.writes == [], "the summary is kept with the job"
    if platform == "gitlab":
        assert "<!-- nexus-registry summary: review -->" in (project.folder / "summary.md").read_text()


@dataclass(frozen=True)
class Deployment:
    """The project, and the bare host that its stack ``prod`` is for."""

    project: Project
    dev: Dev

    def commit(self, **settings: str) -> None:
        """Commit a change of the stack's configuration."""
        for key, value in settings.items():
            self.dev.stack.set_config(key, value)
        copyfile(self.dev.stack.config_file, self.project.folder / "Pulumi.prod.yaml")
        commit_all(self.project.folder)

    def nexus(self, method: str, path: str, content: Any = None) -> Any:
        """Call the API of the server."""
        answer = requests.request(
            method, f"{self.dev.url}/service/rest/v1/{path}", json=content, timeout=60,
            auth=("admin", self.dev.facts["admin_password"]), verify=str(self.dev.folder / "ca/ca.pem"),
        )  # fmt: skip
        answer.raise_for_status()
        return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def deployment(project: Project) -> Iterator[Deployment]:
    with passing_dev_stack("pipelines", engine="sandbox") as dev:
        made = Deployment(replace(project, passphrase=dev.facts["passphrase"]), dev)
        made.commit()
        env = made.project.environment() | made.project.secrets()
        run(["pulumi", "stack", "init", "prod", "--no-select"], cwd=project.folder, env=env)
        yield made


class Application:
    """The pipeline of an application, in a repository of its own; the sandbox's daemon is its service."""

    def __init__(self, folder: Path, docker: DockerClient) -> None:
        self.folder, self.docker = folder, docker
        copytree(PIPELINES / "application", folder)
        given = (folder / "gitlab-ci.yml").read_text()
        (folder / ".gitlab-ci.yml").write_text(given.replace("  services:\n    - docker:28-dind\n", ""))
        (folder / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
        commit_all(folder)
        run(["git", "remote", "add", "origin", "https://gitlab.example.com/team/application.git"], cwd=folder)

    def push(self, tool: str, registry: str, user: str, password: str, ca: str) -> None:
        """Run the job that builds and pushes with this tool; pull what it pushed."""
        files = self.folder.parent
        (files / "ca.pem").write_text(ca)
        storage = f'[storage]\ndriver = "vfs"\ngraphroot = "{files}/images"\nrunroot = "{files}/run"\n'
        (files / "storage.conf").write_text(storage)
        variables = {
            "REGISTRY": registry,
            "REGISTRY_USER": user,
            "REGISTRY_PASSWORD": password,
            "REGISTRY_CA": str(files / "ca.pem"),
            "DOCKER_CONFIG": str(files / "config"),
            "DOCKER_HOST": self.docker.options()[-1],
            "DOCKER_TLS_VERIFY": "",
            "DOCKER_CERT_PATH": "",
            "CONTAINERS_STORAGE_CONF": str(files / "storage.conf"),
            "CI_COMMIT_REF_PROTECTED": "true",
            "CI_DEFAULT_BRANCH": "main",
        }
        self.docker.trust(registry, ca)
        gitlab_ci_local(self.folder, (tool,), variables, os.environ)
        login = self.docker.login(registry, user, password)
        self.docker.empty_cache()
        self.docker.docker("pull", f"{registry}/application:latest", config=login)


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    client = DockerClient(tmp_path / "docker").start()
    yield Application(tmp_path / "application", client)
    client.stop()


@pytest.mark.pulumi
@NO_CLI
@pytest.mark.parametrize(("platform", "update"), [("gitlab", "PUT"), ("github", "PATCH")])
def test_stack_is_reviewed_deployed_and_watched(
    deployment: Deployment, application: Application, platform: str, update: str
) -> None:
    """Two pushes to a merge request have one comment, up makes the change, and drift has an issue."""
    project, forge = deployment.project, deployment.project.forge
    for kept in (forge.comments, forge.issues, forge.writes):
        kept.clear()

    def runs(source: str, job: str) -> None:
        RUNNERS[platform](project, source, job)

    wanted = {"gitlab": "ALLOW", "github": "ALLOW_ONCE"}[platform]
    for policy in ("DENY", wanted):
        deployment.commit(write_policy=policy)
        runs("merge_request_event", "preview")
    (comment,) = forge.comments
    assert "registry-repository" in comment["body"]
    assert [write.split(" ")[0] for write in forge.writes] == ["POST", update]

    runs("push", "up")
    repository = deployment.nexus("GET", "repositories/docker/hosted/docker-hosted")
    assert repository["storage"]["writePolicy"].upper() == wanted
    if platform == "gitlab":  # and not again: ALLOW_ONCE refuses a tag that is there
        dev = deployment.dev
        application.push("docker", dev.login_server, "ci", dev.facts["ci_password"], dev.authority.certificate_pem)

    anonymous = deployment.nexus("GET", "security/anonymous")
    deployment.nexus("PUT", "security/anonymous", anonymous | {"enabled": not anonymous["enabled"]})
    with pytest.raises(CommandFailed):
        runs("schedule", "drift")
    (issue,) = forge.issues
    assert "nexus-anonymous" in (issue.get("body") or issue["description"])
    deployment.nexus("PUT", "security/anonymous", anonymous)
    runs("schedule", "drift")
    assert forge.issues == []


@pytest.mark.parametrize("tool", ["docker", "buildah"])
def test_application_is_built_and_pushed(application: Application, tmp_path: Path, tool: str) -> None:
    if tool == "buildah":
        ensure("buildah")
    authority = Authority.create("Pipelines")
    with registry(tmp_path, authority.issue(["localhost"]), logins=HTPASSWD) as address:
        application.push(tool, address, "ann", "correct horse", authority.certificate_pem)
