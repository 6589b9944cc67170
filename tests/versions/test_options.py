"""Pulumi's options on a component reach what is in it, on each engine; Nexus is one that keeps what it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.stack import PulumiStack, Result, Stack
from tests.lifecycle.conftest import ENGINES, fake_server_stack
from tests.unit.fake import FakeServer, serve
from tests.unit.stored import Stored

PROGRAM = """
import json
from typing import Any

import pulumi
from nexus_registry.components import DockerRegistry, DockerRegistryArgs

given = pulumi.Config().require_object("registry")


class Platform(pulumi.ComponentResource):
    def __init__(self) -> None:
        super().__init__("example:index:Platform", "platform")


def transform(args: Any) -> Any:
    if not args.type_.endswith(":Role"):
        return None
    opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(ignore_changes=given.get("ignore", [])))
    return Result({**args.props, "description": given["description"]}, opts)


Result = pulumi.ResourceTransformResult if given["hook"] == "transforms" else pulumi.ResourceTransformationResult
options: dict[str, Any] = {"protect": given.get("protect")}
if "description" in given:
    options[given["hook"]] = [transform]
if given.get("moved"):
    options["parent"] = Platform()
    options["aliases"] = [pulumi.Alias(name="images", parent=pulumi.ROOT_STACK_RESOURCE)]
registry = DockerRegistry(
    given["name"],
    DockerRegistryArgs(
        hostname="registry.example.com", login_server="registry.example.com", http_port=5000, create_roles=True
    ),
    pulumi.ResourceOptions(**options),
)
pulumi.export("push_role", registry.push_role)
"""
CHILDREN = ("repository", "push", "pull")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serve(Stored()) as fake:
        yield fake


@pytest.fixture(params=ENGINES)
def stack(request: pytest.FixtureRequest, server: FakeServer, tmp_path: Path) -> Stack:
    program = tmp_path / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text(
        "name: options\nruntime: {name: python, options: {toolchain: pip, virtualenv: .venv}}\n"
    )
    (program / "__main__.py").write_text(PROGRAM)
    return fake_server_stack(request.param, program, tmp_path / "work", server.url)


def changes(result: Result) -> dict[str, int]:
    """What became of the resources, without the stack, which one engine counts."""
    assert result.ok, f"{result.error}\n{result.stdout[-3000:]}"
    done: dict[str, int] = {}
    for operation, urn in result.steps:
        if operation != "same" and "pulumi:pulumi:Stack::" not in urn:
            done[operation] = done.get(operation, 0) + 1
    return done


def test_options_of_component_reach_its_children(stack: Stack, server: FakeServer) -> None:
    hook = "transforms" if isinstance(stack, PulumiStack) else "transformations"

    def settle(name: str = "images", **given: object) -> None:
        stack.set_config("registry", {"name": name, "hook": hook, **given})

    settle(protect=True)
    assert changes(stack.up()) == {"create": 1 + len(CHILDREN)}
    found = {one["urn"].rpartition("::")[2]: one for one in stack.export()["resources"]}
    for child in CHILDREN:
        assert found[f"images-{child}"]["parent"] == found["images"]["urn"]
        assert found[f"images-{child}"]["protect"], child
    refused = stack.destroy()
    assert not refused.ok
    assert "protect" in refused.stdout + refused.error
    assert not [one for one in server.requests if one.method == "DELETE"]

    settle(description="by a transform")
    assert changes(stack.up()) == {"update": 2}, "the two roles; and nothing is protected any more"

    settle("pictures", description="not written", ignore=["description"], moved=True)
    server.requests.clear()
    assert changes(stack.up()) == {"create": 1}, "the new parent; what was moved and renamed is the same"
    assert not [one for one in server.requests if one.method != "GET"]
    names = {one["urn"].rpartition("::")[2] for one in stack.export()["resources"]}
    assert names == {"options-dev", "platform", "pictures", *(f"pictures-{child}" for child in CHILDREN)}
    assert changes(stack.preview(expect_no_changes=True)) == {}
    assert stack.destroy().ok
