"""The example for an existing server, on each engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from nexus_registry.providers.client import client_for

from sandbox.stack import Stack
from tests.lifecycle.conftest import ENGINES

from .conftest import Nexus
from .consumer import another_machine, consumer_stack

KINDS = (
    "team-a-docker-realm",
    "team-a-anonymous",
    "team-a-repository",
    "team-a-push",
    "team-a:team-a-ci",
    "team-a-proof",
    "auditors",
)


@pytest.fixture(params=ENGINES)
def stack(request: pytest.FixtureRequest, nexus: Nexus, tmp_path: Path) -> Iterator[Stack]:
    stack = consumer_stack(nexus, tmp_path, request.param)
    # A realm that was replaced under a docker repository is no longer the stack's to take out.
    client = client_for({"url": nexus.url, "username": nexus.username, "password": nexus.password})
    realms = client.get("/v1/security/realms/active")
    yield stack
    stack.destroy()
    client.put("/v1/security/realms/active", realms)


def urn(stack: Stack, name: str) -> str:
    (found,) = (one["urn"] for one in stack.export()["resources"] if one["urn"].endswith(f"::{name}"))
    return str(found)


@pytest.mark.kinds("RegistryCheck", on="stand-in", engine=True)
def test_consumer_stack_is_created_replaced_and_destroyed(stack: Stack, nexus: Nexus, tmp_path: Path) -> None:
    """A stack is created, replaced kind by kind, and destroyed from another machine."""
    assert stack.up().changed() == {"create": len(KINDS) + 2}
    assert stack.up(expect_no_changes=True).changed() == {}
    state = stack.state_file.read_text()
    assert "::team-a:team-a-ci" in state
    stack.state_file.write_text(state.replace("::team-a:team-a-ci", "::team-a-team-a-ci"))
    assert stack.up(expect_no_changes=True).changed() == {}, "a user under the name of version 0.1 stays the same"
    for kind in KINDS:
        done = stack.up(replace=[urn(stack, kind)]).changed()
        # A new repository is written into its role again, a new role into its user; the proof looks at both.
        stripped = kind in ("team-a-repository", "team-a-push")
        assert done == ({"replace": 1, "update": 2} if stripped else {"replace": 1}), kind
    assert stack.refresh(expect_no_changes=True).changed() == {}, "something is not there after its replacement"
    kept = stack.state_file.read_text()
    assert nexus.password not in kept
    assert "ci-secret-1" not in kept
    (tmp_path / "other").mkdir()
    with another_machine(stack, tmp_path / "other") as (other, env):
        assert other.refresh(expect_no_changes=True, env=env).changed() == {}
        assert other.destroy(env=env).changed() == {"delete": len(KINDS) + 2}
    assert stack.export()["resources"] == []


def test_two_resources_for_one_object_are_refused(stack: Stack) -> None:
    program = stack.program / "__main__.py"
    program.write_text(program.read_text() + '\nRole("again", role_id="auditors")\n')
    result = stack.preview()
    assert not result.ok
    said = result.stdout + result.error
    assert re.search(
        r"role 'auditors' of \S+ is declared twice: by '(auditors|again)' .*and by '(?!\1)(auditors|again)'", said
    )
    assert "Declare it once" in said
