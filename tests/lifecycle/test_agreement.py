"""One long life on both engines: the same calls with the same arguments, the same results, the same state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .conftest import NO_CLI, Lab, thing

if TYPE_CHECKING:
    from pathlib import Path


KEYS = ("type", "urn", "id", "custom", "parent", "protect", "inputs", "outputs")


def live(lab: Lab) -> list[Any]:
    """What both engines must agree on, step by step; each thing depends on the one before: there is one order."""
    told: list[Any] = []

    def tell(what: str, *things: dict[str, Any], **options: Any) -> None:
        if things:
            lab.things(*things)
        result = getattr(lab.stack, what)(**options)
        resources: dict[str, dict[str, Any]] = {}
        for name, one in ({} if what == "preview" else lab.resources()).items():
            resources[name] = {key: one.get(key) for key in KEYS}
            for side in ("inputs", "outputs"):
                resources[name][side].pop("server", None)  # the one input that must differ
        calls, requests = lab.calls(), lab.requests()
        if what == "refresh" or "refresh" in options:  # which asks for all of them at once
            calls.sort(key=repr)
            requests.sort(key=repr)
        told.append([what, result.ok, result.changes, result.steps, result.error, calls, requests, resources])

    def chain(**first: Any) -> list[dict[str, Any]]:
        return [
            {"name": "g", "group": True},
            thing("a", options={"parent": "g"}, **first),
            thing("b", secret="$password", color="$a.stamp", tags=["$a.stamp", 1, None]),
            thing("c", kind="$b.stamp", nested={"deep": ["$password"]}, options={"depends_on": ["a"]}),
            thing(
                "d",
                color="$c.color",
                options={"ignore_changes": ["color"], "additional_secret_outputs": ["stamp"]},
            ),
        ]

    tell("preview", *chain(kind="x"))
    tell("up")
    tell("preview")
    tell("up", expect_no_changes=True)
    tell("refresh")
    tell("preview", *chain(kind="x", size=1))
    tell("up")
    tell("preview", *chain(kind="y", size=1))
    tell("up")
    tell("up", *chain(kind="z", size=1, first=True))
    tell("up", replace=[lab.urn("b")])
    lab.edit(failures={"update b": "no", "create a": "no"})
    tell("up", *chain(kind="w", size=1, first=True))
    lab.edit(failures={})
    tell("up")
    objects = lab.server["objects"]
    lab.edit(objects={key: one | {"color": "faded"} for key, one in objects.items() if one["label"] != "d"})
    tell("preview", refresh=True)
    tell("refresh")
    tell("up", *chain(kind="w", size=2)[:4])
    tell("destroy")
    return told


@pytest.mark.pulumi
@NO_CLI
def test_both_engines_do_the_same(tmp_path: Path) -> None:
    told = {}
    for engine in ("sandbox", "pulumi"):
        (tmp_path / engine).mkdir()
        told[engine] = live(Lab(engine, tmp_path / engine))
    for ours, theirs in zip(told["sandbox"], told["pulumi"], strict=True):
        assert ours == theirs


@pytest.mark.pulumi
@NO_CLI
def test_one_stack_file_serves_both_engines(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    lab, other = Lab("pulumi", tmp_path / "one"), Lab("sandbox", tmp_path / "other")
    text = lab.stack.config_file.read_text()
    other.stack.config_file.write_text(text)
    assert lab.stack.preview().changes == other.stack.preview().changes
    assert lab.stack.up().ok
    assert other.stack.up().ok
    assert lab.stack.outputs(show_secrets=True) == other.stack.outputs(show_secrets=True)
