"""The life of resources, the same on both engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .conftest import NO_CLI, PASSWORD, thing

if TYPE_CHECKING:
    from .conftest import TinyStack

ON_PULUMI = pytest.param("pulumi", marks=[pytest.mark.pulumi, pytest.mark.nightly, NO_CLI])
NONE = {"create": 0, "update": 0, "replace": 0, "delete": 0, "same": 0}


@pytest.fixture(params=["sandbox", ON_PULUMI])
def engine(request: pytest.FixtureRequest) -> str:
    """The sandbox's engine, and each night the one that it stands in for."""
    return str(request.param)


def test_create_update_and_nothing_to_do(lab: TinyStack) -> None:
    lab.things(thing("a", color="red"), thing("b", color="$a.stamp"))

    preview = lab.stack.preview()
    assert (preview.ok, preview.changes) == (True, NONE | {"create": 3}), preview
    assert lab.names() == []

    created = lab.stack.up()
    assert (created.ok, created.changes) == (True, NONE | {"create": 3}), created
    assert [op for op, _ in created.steps] == ["create"] * 3
    assert lab.names() == ["create a", "create b"]
    assert lab.stack.outputs() == {"a": "a-1", "b": "b-2", "size": 3, "password": "[secret]"}
    assert lab.stack.outputs(show_secrets=True)["password"] == PASSWORD

    again = lab.stack.up(expect_no_changes=True)
    assert (again.ok, again.changes) == (True, NONE | {"same": 3}), again
    assert lab.names("check", "diff", "create", "update") == ["check a", "diff a", "check b", "diff b"]

    lab.things(thing("a", color="blue"), thing("b", color="$a.stamp"))
    refused = lab.stack.preview(expect_no_changes=True)
    assert not refused.ok
    assert "no changes were expected" in refused.error
    lab.calls()
    updated = lab.stack.up()
    assert updated.changes == NONE | {"update": 1, "same": 2}
    assert lab.names() == ["update a"]
    assert lab.resources()["a"]["outputs"]["color"] == "blue"
    assert lab.resources()["a"]["outputs"]["revision"] == 2


def test_provider_receives_inputs(lab: TinyStack) -> None:
    lab.things(thing("a", size=5, share=0.5, on=True, tags=["x", None, 7], nothing=None, text=""))
    assert lab.stack.up().ok
    inputs: dict[str, Any] = {
        "label": "a",
        "size": "float 5.0",
        "share": "float 0.5",
        "on": "bool True",
        "text": "",
    }
    inputs |= {"tags": ["x", None, "float 7.0"]}
    assert lab.calls() == [["check", "a", {}, inputs], ["create", "a", inputs]]

    lab.things(thing("a", size=6, share=0.5, on=True, tags=["x", None, 7], text=""))
    assert lab.stack.up().ok
    news = inputs | {"size": "float 6.0"}
    outputs = inputs | {"stamp": "a-1", "revision": "float 1.0"}
    assert lab.calls() == [
        ["check", "a", inputs, news],
        ["diff", "a", outputs, news],
        ["update", "a", outputs, news],
    ]


def test_requests_name_resource(lab: TinyStack) -> None:
    """Each request carries URN, name and type; a check has 32 random bytes, the same for both of a replacement."""
    lab.things(thing("a", kind="x"))
    assert lab.stack.up().ok
    lab.things(thing("a", kind="y"))
    assert lab.stack.up().ok
    lab.things(thing("a", kind="y", color="red"))
    assert lab.stack.up().ok
    assert lab.stack.refresh().ok
    assert lab.stack.destroy().ok
    kind = "pulumi-python:dynamic/tiny:Thing"
    requests = lab.requests()
    assert [call for call, _ in requests] == [
        *("check", "create"),
        *("check", "diff", "check", "create", "delete"),
        *("check", "diff", "update"),
        *("read", "diff"),
        "delete",
    ]
    for call, said in requests:
        named = {"urn": f"urn:pulumi:dev::tiny::{kind}::a", "name": "a", "type": kind}
        more = {"old inputs": call in ("diff", "update", "delete"), "seed": 32 if call == "check" else 0}
        assert said == named | more, call


def test_replacement_is_created_before_delete(lab: TinyStack) -> None:
    lab.things(thing("a", kind="x"), thing("b", color="$a.stamp"))
    assert lab.stack.up().ok
    lab.calls()
    lab.things(thing("a", kind="y"), thing("b", color="$a.stamp"))
    replaced = lab.stack.up()
    assert replaced.changes == NONE | {"replace": 1, "update": 1, "same": 1}
    assert lab.names() == ["create a", "update b", "delete a"]
    assert [op for op, _ in replaced.steps] == [
        "same",
        "create-replacement",
        "replace",
        "update",
        "delete-replaced",
    ]
    assert lab.resources()["b"]["outputs"]["color"] == "a-3"


def test_delete_before_replace(lab: TinyStack) -> None:
    """The diff or the option asks for it; a dependent is updated once, or replaced if it must be."""
    for name, options, inputs in (
        ("by the diff", {}, {"first": True}),
        ("by the option", {"delete_before_replace": True}, {}),
    ):
        dependents = [
            thing("b", color="$a.stamp"),
            thing("c", kind="$a.stamp"),
            thing("d", color="$c.stamp"),
            thing("e", options={"depends_on": ["a"]}),
        ]
        lab.things(thing("a", options=options, kind="x", **inputs), *dependents)
        assert lab.stack.up().ok, name
        lab.calls()
        lab.things(thing("a", options=options, kind="y", **inputs), *dependents)
        replaced = lab.stack.up()
        assert replaced.changes == NONE | {"replace": 2, "update": 2, "same": 2}, name
        calls = lab.calls()
        order = [f"{call[0]} {call[1]}" for call in calls if call[0] not in ("check", "diff")]
        assert order[:3] == ["delete c", "delete a", "create a"], name
        assert sorted(order[3:5]) == ["create c", "update b"], name
        assert order[5:] == ["update d"], name
        unknown = [call[3] for call in calls if call[0] == "diff" and "<unknown>" in call[3].values()]
        assert sorted(one["label"] for one in unknown) == ["b", "c", "d"], name
        assert lab.stack.destroy().ok
        lab.calls()


def test_replacement_checks_without_olds(lab: TinyStack) -> None:
    lab.things(thing("a", kind="x"))
    assert lab.stack.up().ok
    lab.calls()
    lab.things(thing("a", kind="y"))
    assert lab.stack.up().ok
    old, new = {"label": "a", "kind": "x"}, {"label": "a", "kind": "y"}
    assert [call[2:] for call in lab.calls("check")] == [[old, new], [{}, new]]


def test_forced_replacement_keeps_order(lab: TinyStack) -> None:
    lab.things(thing("a", first=True), thing("b", options={"delete_before_replace": True}))
    assert lab.stack.up().ok
    lab.calls()
    for name, order in (("a", ["create a", "delete a"]), ("b", ["delete b", "create b"])):
        forced = lab.stack.up(replace=[lab.urn(name)])
        assert forced.changes == NONE | {"replace": 1, "same": 2}
        calls = lab.calls()
        assert [call[:3] for call in calls if call[:2] == ["check", name]] == [["check", name, {}]]
        assert not [call for call in calls if call[:2] == ["diff", name]]
        assert [f"{call[0]} {call[1]}" for call in calls if call[0] in ("create", "delete")] == order
    refused = lab.stack.up(replace=["urn:pulumi:dev::tiny::x::y"])
    assert not refused.ok


def test_preview_passes_unknowns(lab: TinyStack) -> None:
    lab.things(thing("a", color="red"), thing("b", color="$a.stamp", tags=["$a.stamp"]))
    assert lab.stack.preview().ok
    unknown: dict[str, Any] = {"label": "b", "color": "<unknown>", "tags": ["<unknown>"]}
    assert lab.calls() == [["check", "a", {}, {"label": "a", "color": "red"}], ["check", "b", {}, unknown]]

    assert lab.stack.up().ok
    lab.calls()
    lab.things(thing("a", color="blue"), thing("b", color="$a.stamp", tags=["$a.stamp"]))
    preview = lab.stack.preview()
    assert preview.changes == NONE | {"update": 2, "same": 1}  # an update may change any output
    assert [call[3] for call in lab.calls("diff") if call[1] == "b"] == [unknown]
    assert lab.stack.up().changes == NONE | {"update": 1, "same": 2}


def test_engine_compares_when_provider_does_not(lab: TinyStack) -> None:
    lab.things(thing("a", lazy=True, color="red"))
    assert lab.stack.up().ok
    assert lab.stack.up().changes["same"] == 2
    lab.things(thing("a", lazy=True, color="blue"))
    assert lab.stack.up().changes == NONE | {"update": 1, "same": 1}


def test_removed_resources_are_deleted_last_in_reverse(lab: TinyStack) -> None:
    lab.things(thing("a"), thing("b", color="$a.stamp"), thing("c", options={"depends_on": ["b"]}))
    assert lab.stack.up().ok
    lab.calls()
    lab.things(thing("d"))
    assert lab.stack.up().changes == NONE | {"create": 1, "delete": 3, "same": 1}
    assert lab.names() == ["create d", "delete c", "delete b", "delete a"]


def test_destroy_needs_no_program(lab: TinyStack) -> None:
    lab.things(
        {"name": "g", "group": True},
        thing("a", options={"parent": "g"}),
        thing("b", color="$a.stamp", options={"parent": "a"}),
    )
    assert lab.stack.up().ok
    assert lab.stack.up(expect_no_changes=True).ok
    assert lab.resources()["g"]["outputs"] == {"facts": {"title": "G"}}
    assert lab.urn("b").split("::")[2] == "tiny:index:Group$" + "$".join(["pulumi-python:dynamic/tiny:Thing"] * 2)
    lab.calls()
    (lab.program / "__main__.py").write_text("raise RuntimeError('not to be run')")
    destroyed = lab.stack.destroy()
    assert destroyed.changes == NONE | {"delete": 4}
    assert lab.names("check", "diff", "delete") == ["delete b", "delete a"]
    assert [op for op, _ in destroyed.steps] == ["delete"] * 4
    assert lab.stack.export() == {"resources": []}
    assert lab.stack.outputs() == {}
    assert lab.stack.destroy().changes == NONE


def test_refresh_finds_drift_and_missing_objects(lab: TinyStack) -> None:
    lab.things(
        thing("a", color="red"),
        thing("b", color="red", honest=True, options={"depends_on": ["a"]}),
        thing("c", color="red", options={"depends_on": ["b"]}),
        thing("d", color="$c.stamp"),
    )
    assert lab.stack.up().ok
    assert lab.stack.refresh().changes == NONE | {"same": 5}
    lab.calls()
    objects = lab.server["objects"]
    objects["a-1"]["color"] = objects["b-2"]["color"] = "faded"
    del objects["c-3"]
    lab.edit(objects=objects)

    refreshed = lab.stack.refresh()
    assert (refreshed.ok, refreshed.steps) == (True, [])
    assert refreshed.changes == NONE | {"update": 2, "delete": 1, "same": 2}
    calls = lab.calls()
    assert sorted(call[1] for call in calls if call[0] == "read") == ["a", "b", "c", "d"]
    assert {"label": "a", "color": "red", "stamp": "a-1", "revision": "float 1.0"} in [call[2] for call in calls]
    found = lab.resources()
    assert found["a"]["outputs"]["color"] == found["b"]["outputs"]["color"] == "faded"
    assert found["a"]["inputs"]["color"] == "red"
    assert found["b"]["inputs"]["color"] == "faded"
    assert "c" not in found

    assert lab.stack.up().changes == NONE | {"create": 1, "update": 3, "same": 1}
    assert lab.names()[0] in ("update a", "update b")
    assert lab.stack.up(refresh=True, expect_no_changes=True).ok


def test_refresh_before_up(lab: TinyStack) -> None:
    lab.things(thing("a", color="red"))
    assert lab.stack.up().ok
    lab.edit(objects={})
    lab.calls()
    assert lab.stack.preview(refresh=True).changes == NONE | {"create": 1, "same": 1}
    assert lab.stack.up(refresh=True).changes == NONE | {"create": 1, "same": 1}
    assert lab.names() == ["read a", "read a", "create a"]


def test_failure_keeps_rest_and_next_run_continues(lab: TinyStack) -> None:
    lab.things(thing("a"), thing("b", color="$a.stamp"), thing("c", color="$b.stamp"))
    lab.edit(failures={"create b": "no room\nfor b"})
    failed = lab.stack.up()
    assert (failed.ok, failed.error) == (False, "for b")
    assert failed.changes == NONE | {"create": 2}
    assert lab.names() == ["create a", "create b"]
    assert sorted(lab.resources()) == ["a", "tiny-dev"]

    lab.edit(failures={})
    assert lab.stack.up().changes == NONE | {"create": 2, "same": 2}
    assert lab.names() == ["create b", "create c"]

    lab.edit(failures={"update a": "not now"})
    lab.things(thing("a", color="blue"))
    failed = lab.stack.up()
    assert (failed.ok, failed.error) == (False, "RuntimeError: not now")
    assert lab.names() == ["update a"]  # and nothing was deleted
    assert "color" not in lab.resources()["a"]["outputs"]

    lab.edit(failures={"delete b": "not now"})
    assert lab.stack.destroy().error == "RuntimeError: not now"
    assert lab.names() == ["delete c", "delete b"]
    assert sorted(lab.resources()) == ["a", "b", "tiny-dev"]
    lab.edit(failures={})
    assert lab.stack.destroy().ok


def test_replacement_that_fails_halfway(lab: TinyStack) -> None:
    lab.things(thing("a", kind="x", first=True), thing("b", color="$a.stamp"))
    assert lab.stack.up().ok
    lab.calls()
    lab.things(thing("a", kind="y", first=True), thing("b", color="$a.stamp"))
    lab.edit(failures={"create a": "no"})
    assert not lab.stack.up().ok
    assert lab.names() == ["delete a", "create a"]
    lab.edit(failures={})
    assert lab.stack.up().changes == NONE | {"replace": 1, "update": 1, "same": 1}
    assert lab.names() == ["create a", "update b"]  # it is not deleted twice

    lab.things(thing("a", kind="z"), thing("b", color="$a.stamp"))
    lab.edit(failures={"delete a": "no"})
    assert not lab.stack.up().ok
    assert lab.names() == ["create a", "update b", "delete a"]
    lab.edit(failures={})
    assert lab.stack.up().changes == NONE | {"same": 3}
    assert lab.names() == ["delete a"]


def test_check_failure_ends_run(lab: TinyStack) -> None:
    lab.things(thing("a"), thing("b", color="transparent", options={"depends_on": ["a"]}))
    refused = lab.stack.preview()
    assert not refused.ok
    assert refused.error.endswith("property color value {transparent} has a problem: nobody would see it")
    assert not lab.stack.up().ok
    assert lab.names() == ["create a"]


def test_failing_program_ends_run(lab: TinyStack) -> None:
    (lab.program / "__main__.py").write_text("raise ValueError('wrong day')")
    failed = lab.stack.up()
    assert (failed.ok, failed.error) == (False, "ValueError: wrong day")


def test_protected_resource_is_not_deleted(lab: TinyStack) -> None:
    lab.things(thing("a"), thing("b", kind="$a.stamp", options={"protect": True}), thing("c"))
    assert lab.stack.up().ok
    lab.calls()
    assert not lab.stack.destroy().ok
    assert lab.names() == ["delete c"]
    lab.things(thing("a"), thing("b", kind="other", options={"protect": True}))
    assert not lab.stack.up().ok
    lab.things(thing("a"), thing("b", kind="$a.stamp", options={"protect": False}))
    assert lab.stack.up().ok
    assert lab.stack.destroy().ok


def test_group_protects_its_members(lab: TinyStack) -> None:
    lab.things({"name": "g", "group": True, "options": {"protect": True}}, thing("a", options={"parent": "g"}))
    assert lab.stack.up().ok
    assert lab.resources()["a"]["protect"]
    assert not lab.stack.destroy().ok


def test_ignored_changes_are_not_updated(lab: TinyStack) -> None:
    ignoring = {"ignore_changes": ["color"]}
    lab.things(
        thing("a", color="red", size=1, options=ignoring), thing("b", lazy=True, color="red", options=ignoring)
    )
    assert lab.stack.up().ok
    lab.things(
        thing("a", color="blue", size=1, options=ignoring), thing("b", lazy=True, color="blue", options=ignoring)
    )
    assert lab.stack.up().changes == NONE | {"same": 3}
    lab.things(
        thing("a", color="blue", size=2, options=ignoring), thing("b", lazy=True, color="blue", options=ignoring)
    )
    assert lab.stack.up().changes == NONE | {"update": 1, "same": 2}
    assert lab.resources()["a"]["outputs"]["color"] == "red"


def test_resource_renamed_with_alias_is_same_one(lab: TinyStack) -> None:
    lab.things(thing("a"), thing("other"))
    assert lab.stack.up().ok
    former = lab.urn("a")
    lab.things(thing("b", options={"aliases": [former]}), thing("other"))
    assert lab.stack.preview().changes == NONE | {"update": 1, "same": 2}
    renamed = lab.stack.up()
    assert (renamed.ok, renamed.changes) == (True, NONE | {"update": 1, "same": 2}), renamed
    assert sorted(set(lab.resources()) & {"a", "b", "other"}) == ["b", "other"]
    assert lab.stack.up(expect_no_changes=True).ok
    lab.things(thing("c", options={"aliases": [lab.urn("b")]}), thing("b"), thing("other"))
    assert not lab.stack.up().ok, "the former name can't be given away in the same run"


def test_duplicate_urn_is_refused(lab: TinyStack) -> None:
    lab.things(thing("a"), thing("a"))
    failed = lab.stack.up()
    assert "Duplicate resource URN" in failed.error


def test_configuration_reaches_provider(lab: TinyStack) -> None:
    lab.stack.set_config("size", 4)
    lab.stack.set_config("x:y", "z")
    lab.things(thing("a"))
    assert lab.stack.up().ok
    lab.stack.set_config("size", 5)
    assert lab.stack.refresh().ok  # which knows the configuration of the last up
    assert lab.stack.up().ok
    assert lab.stack.destroy().ok
    assert lab.server["configured"] == [[PASSWORD, size, "z"] for size in ("4", "4", "5", "5")]
