"""Kinds that are made from their declarations, on each engine."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.stack import PulumiStack, Stack
from tests.unit import declared
from tests.unit.fake import FakeServer, Request, Response, serve
from tests.unit.stored import Stored

from .conftest import BOTH_ENGINES, ENGINES, fake_server_stack

KINDS = Path(str(declared.__file__)).read_text()
PROGRAM = Path(__file__).parent / "programs" / "declared"


class Server(Stored):
    """The stored Nexus as the edition Pro, which raw proxies need, with raw proxies."""

    def __init__(self) -> None:
        super().__init__()
        self.raw: dict[str, Any] = {}

    def __call__(self, request: Request) -> Response:
        response = self._respond(request)
        return replace(response, headers={"Server": "Nexus/3.71.0-06 (PRO)", **response.headers})

    def _respond(self, request: Request) -> Response:
        _, found, name = request.path.partition("/repositories/raw/proxy")
        if not found:
            return super().__call__(request)
        if request.method == "DELETE":
            return Response(204 if self.raw.pop(name[1:], None) else 404)
        if request.method in ("POST", "PUT"):
            body = json.loads(request.body)
            self.raw[body["name"]] = body
            return Response(204)
        return Response(200, self.raw[name[1:]]) if name[1:] in self.raw else Response(404, {})


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serve(Server()) as fake:
        yield fake


@pytest.fixture(params=ENGINES)
def stack(request: pytest.FixtureRequest, server: FakeServer, tmp_path: Path) -> Stack:
    program = tmp_path / "program"
    shutil.copytree(PROGRAM, program)
    (program / "kinds.py").write_text(KINDS)
    return fake_server_stack(request.param, program, tmp_path / "work", server.url)


def test_declared_kinds_are_created_updated_and_destroyed(stack: Stack, server: FakeServer) -> None:
    if isinstance(stack, PulumiStack):  # incarnations do not change between a plan and its execution
        plan = stack.work / "plan.json"
        assert stack._run("preview", [f"--save-plan={plan}"], None, None).ok
        first = stack._run("up", [f"--plan={plan}"], None, None)
    else:
        first = stack.up()
    assert first.changed()["create"] in (3, 4)  # one engine counts the stack itself
    assert stack.outputs() == {"roles": ["pull"], "max_age": "age 5"}
    assert "upstream-canary" not in stack.state_file.read_text()
    server.requests.clear()
    assert stack.preview(expect_no_changes=True).changed() == {}
    assert server.requests == []
    stack.set_config("max_age", 6)
    assert stack.up().changed() == {"update": 1}
    assert stack.refresh(expect_no_changes=True).changed() == {}
    assert (
        json.loads([one.body for one in server.requests if one.method == "PUT"][-1])["proxy"]["contentMaxAge"] == 6
    )
    assert stack.destroy().ok


def test_renamed_property_updates_state_without_request(stack: Stack, server: FakeServer) -> None:
    program, kinds = stack.program / "__main__.py", stack.program / "kinds.py"
    now = program.read_text()
    kinds.write_text(KINDS.replace("role_id", "former").replace(', renamed_from="id"', ""))
    program.write_text(now.replace("role_id", "former"))
    assert stack.up().changed()["create"] in (3, 4)
    kinds.write_text(KINDS.replace('renamed_from="id"', 'renamed_from="former"'))
    program.write_text(now)
    server.requests.clear()
    assert stack.preview().changed() == {"update": 2}
    assert stack.up().changed() == {"update": 2}
    assert stack.preview(expect_no_changes=True).changed() == {}
    assert server.requests == []
    assert "former" not in stack.state_file.read_text()


@pytest.mark.parametrize(
    ("said_of", "ci"), [("503", ""), ("has no response yet", ""), ("503", "true")], ids=["503", "late", "CI"]
)
@pytest.mark.parametrize("stack", BOTH_ENGINES[1:], indirect=True)
def test_wait_is_shown_while_it_lasts(stack: Stack, server: FakeServer, said_of: str, ci: str) -> None:
    stack.up().changed()
    respond, until = server.script, time.monotonic() + 300

    def starting(request: Request) -> Response:
        nonlocal until
        until = min(until, time.monotonic() + 8)  # the attempt after 2 s comes after 5 at the latest
        if said_of != "503":
            time.sleep(max(until - time.monotonic() - 4, 0))
            return respond(request)
        return respond(request) if time.monotonic() >= until else Response(503)

    server.script = starting
    refreshed = stack.refresh(env={"CI": ci})
    refreshed.changed()
    events = [json.loads(line) for line in (stack.work / "events.json").read_text().splitlines()]
    said = [one["diagnosticEvent"] for one in events if "diagnosticEvent" in one]
    shown = [one for one in said if one.get("ephemeral") and "waiting for " in one["message"]]
    assert bool(shown) is not bool(ci)
    assert all(said_of in one["message"] and one["urn"] for one in shown), shown
    assert ("waiting for " in refreshed.stdout) is not bool(ci), "without a terminal the CLI prints each"
