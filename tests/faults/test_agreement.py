"""One sequence of commands on both engines: the same calls, results and states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ..lifecycle.conftest import NO_CLI, TinyStack, thing
from ..lifecycle.conftest import forks as forks

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path


KEYS = ("type", "urn", "id", "custom", "parent", "protect", "inputs", "outputs")


class Recording:
    """The results of each command that both engines must agree on."""

    def __init__(self, lab: TinyStack) -> None:
        self.lab, self.records = lab, list[Any]()

    def run(self, what: str, *things: dict[str, Any], **options: Any) -> None:
        """Run a command; with ``things``, after the program has changed."""
        lab = self.lab
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
        said = [what, result.ok, result.changes, result.steps, result.error]
        self.records.append([*said, calls, requests, resources])


def changing_values(lab: TinyStack) -> list[Any]:
    """A sequence in which values change; each thing depends on the one before, so there is one order."""
    recording = Recording(lab)
    run = recording.run

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

    run("preview", *chain(kind="x"))
    run("up")
    run("preview")
    run("up", expect_no_changes=True)
    run("refresh")
    run("preview", *chain(kind="x", size=1))
    run("up")
    run("preview", *chain(kind="y", size=1))
    run("up")
    run("up", *chain(kind="z", size=1, first=True))
    run("up", replace=[lab.urn("b")])
    lab.edit(failures={"update b": "no", "create a": "no"})
    run("up", *chain(kind="w", size=1, first=True))
    lab.edit(failures={})
    run("up")
    objects = lab.server["objects"]
    lab.edit(objects={key: one | {"color": "faded"} for key, one in objects.items() if one["label"] != "d"})
    run("preview", refresh=True)
    run("refresh")
    run("up", *chain(kind="w", size=2)[:4])
    run("destroy")
    return recording.records


def be_renamed(lab: TinyStack) -> list[Any]:
    """A sequence in which names and parents change, with and without an alias."""
    recording = Recording(lab)
    run = recording.run

    def chain(
        a: str,
        g: str,
        *,
        aliases: dict[str, list[dict[str, Any]]],
        after: tuple[str, ...] = (),
        **inputs: Any,
    ) -> list[dict[str, Any]]:
        def options(key: str, **more: Any) -> dict[str, Any]:
            return more | ({"aliases": aliases[key]} if key in aliases else {})

        return [
            thing(a, options=options("a", depends_on=list(after)), label="a", **inputs),
            {"name": g, "group": True, "options": options("g", depends_on=[a])},
            thing(f"{g}-b", label="b", color=f"${a}.stamp", options=options("b", parent=g)),
            thing("c", kind=f"${a}.stamp", options=options("c", depends_on=[f"{g}-b"])),
            thing("d", color="$c.stamp"),
        ]

    run("up", *chain("a", "g", aliases={}))
    run("preview", *chain("a2", "g", aliases={"a": [{"name": "a"}]}))
    run("up")
    run("up", *chain("a2", "h", aliases={"g": [{"name": "g"}]}))
    run("refresh")
    run("up", *chain("a3", "h", aliases={"a": [{"name": "a2"}]}, kind="x"))  # by a new one first
    run("up", *chain("a4", "h", aliases={"a": [{"name": "a3"}]}, kind="y", first=True))  # deleted first
    lab.edit(failures={"create a": "no"})
    run("up", *chain("a5", "h", aliases={"a": [{"name": "a4"}]}, kind="z", first=True))
    lab.edit(failures={})
    run("up")
    last = {"depends_on": ["d"]}
    moved = thing("e", options={"parent": "c", "aliases": [{"parent": None}], **last})
    run("up", *chain("a5", "h", aliases={}, kind="z"), thing("e", options=last))
    run("up", *chain("a5", "h", aliases={}, kind="z"), moved)
    run("up", *chain("a6", "h", aliases={}, kind="z"), moved)  # another one, the old one goes
    was_a6 = [{"name": "a6"}]
    run("up", *chain("a7", "h", aliases={"a": was_a6}, kind="z"), thing("a6", options=last))  # both claim it
    run("up", thing("a6"), *chain("a7", "h", aliases={"a": was_a6}, after=("a6",), kind="z"))
    run("up", *chain("a7", "h", aliases={"a": was_a6, "c": was_a6}, kind="z"))
    run("up", *chain("a7", "h", aliases={"a": was_a6}, kind="z"), replace=[lab.urn("a7")])
    run("destroy")
    return recording.records


def be_targeted(lab: TinyStack) -> list[Any]:
    """A sequence of commands with targets."""
    recording = Recording(lab)
    run = recording.run
    first = thing("a", options={"depends_on": ["g"]})
    run("up", {"name": "g", "group": True}, first, thing("b", color="$a.stamp"), thing("c", color="$b.stamp"))
    a, b, c = (lab.urn(name) for name in "abc")
    d, e = a[:-1] + "d", a[:-1] + "e"
    red = [thing("a", color="red"), thing("b", color="$a.stamp", size=1), thing("c", color="$b.stamp", size=1)]
    more = [thing("d", color="$a.stamp", options={"depends_on": ["c"]}), thing("e", color="$d.stamp")]
    run("preview", *red, target=[b])
    run("up", target=[b])
    run("up", *red, *more, target=[e])  # d is lacking
    run("up", target=[d])
    run("up", target=[d, e])
    run("up", *red, more[0], target=[d])  # e would have to go
    run("up", *red, target=[d])  # so d can't go
    run("up", *red, thing("f", options={"depends_on": ["c"]}), target=[d, e])
    run("up", target=[a], replace=[c])
    run("up", target=[c], replace=[c])
    renamed = [red[0], thing("b2", color="$a.stamp", label="b", size=2, options={"aliases": [{"name": "b"}]})]
    run("up", *renamed, target=[a])
    run("up", target=[b[:-1] + "b2"])
    run("up", target=[b])
    run("up", target=[c])
    run("up", refresh=True, target=[a])
    run("destroy", target=[a])
    run("destroy", target=[b[:-1] + "b2"])
    return recording.records


@pytest.mark.full_faults
@pytest.mark.pulumi
@NO_CLI
@pytest.mark.parametrize("life", [changing_values, be_renamed, be_targeted])
def test_both_engines_do_same(
    tmp_path: Path, forks: subprocess.Popen[str], life: Callable[[TinyStack], list[Any]]
) -> None:
    records = {}
    for engine in ("sandbox", "pulumi"):
        (tmp_path / engine).mkdir()
        records[engine] = life(TinyStack(engine, tmp_path / engine, forks))
    for ours, theirs in zip(records["sandbox"], records["pulumi"], strict=True):
        assert ours == theirs


def test_one_stack_file_serves_both_engines(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    lab, other = TinyStack("pulumi", tmp_path / "one"), TinyStack("sandbox", tmp_path / "other")
    text = lab.stack.config_file.read_text()
    other.stack.config_file.write_text(text)
    assert lab.stack.preview().changes == other.stack.preview().changes
    assert lab.stack.up().ok
    assert other.stack.up().ok
    assert lab.stack.outputs(show_secrets=True) == other.stack.outputs(show_secrets=True)
