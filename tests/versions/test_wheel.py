"""The wheel in another project, which has dynamic providers and a package ``providers`` of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pip._internal.models.index import PyPI

from sandbox.shell import run
from sandbox.stack import SandboxStack, open_stack
from sandbox.tools import tool
from tests.lifecycle.conftest import ENGINES
from tests.lifecycle.test_install import checkout
from tests.unit.fake import serve
from tests.unit.stored import Stored

pytestmark = pytest.mark.xdist_group("wheel")

RECORD = """
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class RecordProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["host"], {**props, "name": f"{props['host']}.example.com"})


class Record(Resource, module="ours", name="Record"):
    fqdn: pulumi.Output[str]

    def __init__(self, name: str, host: str) -> None:
        super().__init__(RecordProvider(), name, {"host": host, "fqdn": None})
"""
PROGRAM = """
import pulumi
from nexus_registry.components import DockerRegistry, DockerRegistryArgs
from nexus_registry.providers import Connection, Role
from providers.dns import Record
from pulumi_command import local

server: Connection = {"url": pulumi.Config().require("url"), "password": "pw"}
record = Record("registry", "registry")
registry = DockerRegistry(
    "images",
    DockerRegistryArgs(connection=server, hostname="registry.example.com", https_port=5000, pushers={"ci": "pw"}),
)
Role("auditors", role_id="auditors", privileges=["nx-metrics-all"], connection=server)
pulumi.export("login_server", registry.login_server)
"""
TYPED = """
import pulumi
from nexus_registry.components import DockerRegistry, DockerRegistryArgs, NexusServerArgs
from nexus_registry.policy import RULES
from nexus_registry.providers import RawHostedRepository, Role
from providers.dns import Record
from typing_extensions import assert_type

registry = DockerRegistry("images", DockerRegistryArgs(hostname="a.example.com", https_port=5000))
role = Role("auditors", role_id="auditors", privileges=["nx-metrics-all"])
raw = RawHostedRepository("raw", name="raw", opts=pulumi.ResourceOptions(protect=True))
assert_type(registry.login_server, pulumi.Output[str])
assert_type(role.privileges, pulumi.Output[list[str]])
assert_type(raw.online, pulumi.Output[bool])
assert_type(Record("record", "a").fqdn, pulumi.Output[str])
DockerRegistryArgs(https_port="5000")  # refused: mistyped
NexusServerArgs()  # refused: missing
Role("x")  # refused: missing
Role("x", role_id="x", descripton="x")  # refused: misspelt
registry.no_such  # refused: no attribute
RULES.no_such  # refused: no attribute
"""
PYPROJECT = {
    "uv": """
[project]
name = "consumer"
version = "0"
requires-python = ">=3.10"
dependencies = ["nexus-registry"]

[tool.uv.sources]
nexus-registry = {{path = "{wheel}"}}
""",
    "poetry": """
[tool.poetry]
package-mode = false

[tool.poetry.dependencies]
python = ">=3.10,<4"
nexus-registry = {{path = "{wheel}"}}

[[tool.poetry.source]]
name = "index"
url = "{index}"
priority = "primary"
""",
}


def package_index() -> str:
    """The index that pip asks. Poetry's own way to it is an interface that not every mirror has."""
    configured = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    return os.environ.get("PIP_INDEX_URL") or configured.stdout.strip() or PyPI.simple_url


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sdist, as the release workflow does it."""
    folder = tmp_path_factory.mktemp("wheel")
    run([tool("uv", "uv"), "build", "--quiet", "--out-dir", folder, checkout(folder / "source")])
    assert [file.name for file in folder.glob("*.tar.gz")]
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module", params=["pip", "uv", "poetry"])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """A project that has installed the wheel as its tool does it, and whose toolchain is that tool."""
    installer, folder = request.param, tmp_path_factory.mktemp(request.param)
    settings = {"toolchain": installer} | ({} if installer == "poetry" else {"virtualenv": ".venv"})
    runtime = {"name": "python", "options": settings}
    files = {
        "Pulumi.yaml": json.dumps({"name": "consumer", "runtime": runtime}),
        "__main__.py": PROGRAM,
        "typed.py": TYPED,
        "providers/__init__.py": "",
        "providers/dns.py": RECORD,
        "requirements.txt": f"{wheel}\n",
        "pyproject.toml": PYPROJECT.get(installer, "").format(wheel=wheel, index=package_index()),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    if installer == "pip":
        run([sys.executable, "-m", "venv", folder / ".venv"])
        run([folder / ".venv/bin/pip", "install", "--quiet", "--no-compile", "-r", "requirements.txt"], cwd=folder)
    elif installer == "uv":
        run([tool("uv", "uv"), "sync", "--quiet", "--python", sys.executable], cwd=folder)
    else:
        environment = {"POETRY_VIRTUALENVS_IN_PROJECT": "true", "POETRY_VIRTUALENVS_CREATE": "true"}
        given = [f"{key}={value}" for key, value in environment.items()]
        run(["env", "-u", "VIRTUAL_ENV", *given, tool("poetry", "poetry"), "install", "--quiet", "-n"], cwd=folder)
    return folder


def test_every_file_of_wheel_is_installed(project: Path, wheel: Path) -> None:
    (site,) = (project / ".venv/lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("nexus_registry/")}
    found = {str(one.relative_to(site)) for one in (site / "nexus_registry").rglob("*") if one.is_file()}
    assert {name for name in found if not name.endswith(".pyc")} == packed
    assert "doctor" in run([project / ".venv/bin/nexus-registry", "--help"], cwd=project).stdout


@pytest.mark.parametrize("engine", ENGINES)
def test_up_beside_own_dynamic_provider(project: Path, engine: str, tmp_path: Path) -> None:
    stack = open_stack(engine, program=project, name="dev", work=tmp_path, passphrase="right")
    if isinstance(stack, SandboxStack):
        stack.python = project / ".venv/bin/python"
    tools = [str(tool(name, name).parent) for name in ("poetry", "uv")]
    env = {"PATH": ":".join([*tools, os.environ["PATH"]])}
    with serve(nexus := Stored()) as fake:
        stack.set_config("url", fake.url)
        previewed = stack.preview(env=env)
        assert previewed.ok, f"{previewed.error}\n{previewed.stdout[-3000:]}"
        urns = {urn.rpartition("::")[2]: urn for operation, urn in previewed.steps if operation == "create"}
        assert {"registry", "images", "images-repository", "images:ci", "auditors"} <= urns.keys()
        done = stack.up(target=[urns["registry"], urns["auditors"]], env=env)  # no registry is there to be checked
        assert done.ok, f"{done.error}\n{done.stdout[-3000:]}"
        assert [*nexus.roles] == ["auditors"]
        (record,) = (one for one in stack.export()["resources"] if one["urn"] == urns["registry"])
        assert record["outputs"]["name"] == "registry.example.com"
        assert stack.destroy(env=env).ok
        assert nexus.roles == {}


def mypy(project: Path) -> Iterator[tuple[str, int]]:
    """Files and lines in which mypy finds errors."""
    options = ["--python-executable", ".venv/bin/python", "--cache-dir", ".mypy_cache", "--config-file", ""]
    command = [sys.executable, "-m", "mypy", *options, "__main__.py", "typed.py", "providers/dns.py"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    for name, line in re.findall(r"^(.*?):(\d+): error: ", done.stdout, re.MULTILINE):
        yield name, int(line)


def pyright(project: Path) -> Iterator[tuple[str, int]]:
    """Files and lines in which pyright finds errors."""
    options = ["--outputjson", "--pythonpath", ".venv/bin/python", "__main__.py", "typed.py", "providers/dns.py"]
    command = [sys.executable, "-m", "pyright", *options]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    for one in json.loads(done.stdout)["generalDiagnostics"]:
        if one["severity"] == "error":
            yield str(Path(one["file"]).relative_to(project.resolve())), one["range"]["start"]["line"] + 1


@pytest.mark.parametrize("checker", [mypy, pyright], ids=lambda one: one.__name__)
@pytest.mark.parametrize("project", ["uv"], indirect=True)
def test_checkers_see_types(project: Path, checker: Callable[[Path], Iterator[tuple[str, int]]]) -> None:
    """The installed files are the same with each tool, so one is enough."""
    lines = TYPED.splitlines()
    refused = {("typed.py", number) for number, line in enumerate(lines, 1) if "# refused" in line}
    assert refused ^ set(checker(project)) == set()
