"""Type checkers read the declarations: they derive the constructor and know what an attribute gives."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.paths import PROJECT

CONSUMER = """
import pulumi
from nexus_registry.providers.client import Connection
from tests.unit.declared import RawProxyRepository, Role
from typing_extensions import assert_type

server: Connection = {"url": "https://x", "password": "y"}
first = Role("first", role_id="a", opts=pulumi.ResourceOptions(protect=True))
second = Role("second", role_id=first.role_id, privileges=["x", first.role_id], connection=server, adopt=True)
third = Role("third", role_id=first.role_id.apply(str.upper), roles=second.roles)
proxy = RawProxyRepository("p", name="n", remote_url="u", username=None, max_age=5, labels={"a": first.role_id})
proxies = {proxy: 1}
assert_type(first.role_id, pulumi.Output[str])
assert_type(first.id, pulumi.Output[str])
assert_type(first.privileges, pulumi.Output[list[str]])
assert_type(first.incarnation, pulumi.Output[str])
assert_type(proxy.labels, pulumi.Output[dict[str, str]])
assert_type(proxy.username, pulumi.Output[str | None])
assert_type(proxy.max_age, pulumi.Output[int])
assert_type(proxy.url, pulumi.Output[str])
Role("x")  # refused: missing
Role("x", role_id="x", descripton="x")  # refused: misspelt
Role("x", id="x")  # refused: an older name
Role("x", role_id=1)  # refused: mistyped
Role("x", role_id=None)  # refused: required
Role("x", role_id=proxy.username)  # refused: may be None
Role("x", role_id=first)  # refused: a resource is no id
Role("x", role_id="x", privileges=[1])  # refused: mistyped entry
Role("x", role_id="x", incarnation="x")  # refused: computed
Role("x", "x")  # refused: by position
Role("x", pulumi.ResourceOptions(), role_id="x")  # refused: by position
Role(role_id="x")  # refused: no name of the resource
RawProxyRepository("p", name="n", remote_url="u", username=5)  # refused: mistyped in a group
RawProxyRepository("p", name="n", remote_url="u", labels={"a": 1})  # refused: mistyped value
RawProxyRepository("p", name="n")  # refused: missing
first.no_such  # refused: no attribute
"""


def mypy(program: Path) -> Iterator[int]:
    """The lines in which mypy finds errors."""
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(program)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    for line in done.stdout.splitlines():
        found = re.match(r"(.*?):(\d+): error: ", line)
        assert not found or found[1].endswith(program.name), line
        if found:
            yield int(found[2])


def pyright(program: Path) -> Iterator[int]:
    """The lines in which pyright finds errors."""
    settings = program.with_name("pyrightconfig.json")
    settings.write_text(
        json.dumps({"include": [program.name], "extraPaths": [str(PROJECT), str(PROJECT / ".sandbox/types")]})
    )
    command = [
        sys.executable,
        "-m",
        "pyright",
        "--outputjson",
        "-p",
        str(settings),
        "--pythonpath",
        sys.executable,
    ]
    done = subprocess.run(command, cwd=program.parent, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    for one in json.loads(done.stdout)["generalDiagnostics"]:
        if one["severity"] == "error":
            yield one["range"]["start"]["line"] + 1


@pytest.mark.parametrize("checker", [mypy, pyright], ids=lambda one: one.__name__)
def test_checker_derives_constructor_and_outputs(checker: Callable[[Path], Iterator[int]], tmp_path: Path) -> None:
    link = PROJECT / ".sandbox" / "types" / "nexus_registry"
    if not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to("../..")
    program = tmp_path / "consumer.py"
    program.write_text(CONSUMER)
    lines = CONSUMER.splitlines()
    refused = {number for number, line in enumerate(lines, 1) if "# refused" in line}
    found = set(checker(program))
    assert {lines[number - 1] for number in refused ^ found} == set()
