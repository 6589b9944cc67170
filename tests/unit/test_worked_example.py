"""docs/add-a-resource.md, followed: a copy of the package without the kind has it again, and it works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.paths import PROJECT

PAGE = (PROJECT / "docs/add-a-resource.md").read_text()
BLOCKS = dict(re.findall(r'^```py title="([^"]+)"\n(.*?)^```', PAGE, re.MULTILINE | re.DOTALL))
PROGRAM = """
import json
import nexus_registry.providers as providers
from tests.contract.tracked import Tracked
from tests.unit.fake import Request, Response, serve

objects = {}

def selectors(request):
    path = request.path.removeprefix("/service/rest")
    collection, name = "/v1/security/content-selectors", path.rpartition("/")[2]
    headers = {"Server": "Nexus/3.71.0-06 (OSS)"}
    if path == collection and request.method == "GET":
        return Response(200, list(objects.values()), headers)
    if path == collection and request.method == "POST":
        body = json.loads(request.body)
        objects[body["name"]] = {"type": "csel", **body}
        return Response(204, "", headers)
    if path.startswith(collection) and name in objects:
        if request.method == "PUT":
            objects[name] |= json.loads(request.body)
        elif request.method == "DELETE":
            del objects[name]
        return Response(200 if request.method == "GET" else 204, objects.get(name, ""), headers)
    return Response(404, "", headers)

with serve(selectors) as server:
    connection = {"url": server.url, "username": "admin", "password": "pw"}
    tracked = Tracked(providers.ContentSelector.provider_class(), connection)
    done = [tracked.up(name="public", expression="one"), tracked.up(name="public", expression="one")]
    done += [tracked.up(name="public", expression="two"), tracked.refresh()]
    done.append(tracked.up(name="other", expression="two"))
    print(*done, *objects)
    tracked.destroy()
    print(providers.__file__, len(objects))
"""


def run(package: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT, env={"PYTHONPATH": str(package)}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_page_adds_the_kind_to_a_package_without_it(tmp_path: Path) -> None:
    copy = tmp_path / "nexus_registry/providers"
    shutil.copytree(PROJECT / "providers", copy, ignore=shutil.ignore_patterns("__pycache__"))
    module, index = copy / "security/content_selector.py", copy / "__init__.py"
    module.unlink()
    before = index.read_text().splitlines(keepends=True)
    index.write_text("".join(line for line in before if not re.search(r"\bContentSelector\b", line)))
    assert "ContentSelector" in run(tmp_path).stderr

    module.write_text(BLOCKS["providers/security/content_selector.py"])
    lines = index.read_text().splitlines(keepends=True)
    for added in BLOCKS["providers/__init__.py"].splitlines(keepends=True):
        lines.insert(next(at for at, line in enumerate(lines) if _same_kind(line, added) and line > added), added)
    index.write_text("".join(lines))
    assert lines == before
    done = run(tmp_path)
    assert done.stdout.split() == ["create", "same", "update", "same", "replace", "other", str(index), "0"], (
        done.stderr
    )


def test_page_shows_the_code_of_the_repository() -> None:
    assert len(BLOCKS) == 3
    module, row = "providers/security/content_selector.py", "tests/contract/test_security_kinds.py"
    assert BLOCKS[module] == (PROJECT / module).read_text()
    assert BLOCKS[row] in (PROJECT / row).read_text()


def _same_kind(line: str, other: str) -> bool:
    """Whether both are imports, or rows, of the same folder."""
    return line.split("security.")[0] == other.split("security.")[0] and "security." in line
