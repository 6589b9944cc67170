"""The generator of histories and its model of the server, without a server."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..faults.histories import Entry, ExpectedState, Program, Run
from ..faults.history_edits import EDITS, history
from ..faults.history_runs import is_message
from ..faults.history_smaller import shorter

SEEDS = st.integers(0, 10**6)
at_leisure = settings(deadline=None, max_examples=50)


@at_leisure
@given(SEEDS)
def test_every_program_of_history_can_be_registered(seed: int) -> None:
    made = history(seed)
    assert 2 <= len(made.runs) <= 5
    for run in made.runs:
        assert not run.program.problems(), str(made)
        names = [one.name for one in run.program.ordered()]
        for one in run.program.entries:
            assert all(names.index(used) < names.index(one.name) for used in (one.uses,) if used)
        assert set(run.target) == run.program.closure(run.target)
    assert not made.runs[-1].kill or made.runs[-1].again


@at_leisure
@given(SEEDS)
def test_history_is_same_for_seed(seed: int) -> None:
    assert history(seed) == history(seed)
    assert str(history(seed)) == str(history(seed))


@at_leisure
@given(SEEDS)
def test_smaller_history_can_be_registered_too(seed: int) -> None:
    for less in shorter(history(seed)):
        assert not any(run.program.problems() for run in less.runs)
        assert less != history(seed)


def test_histories_have_every_edit_and_every_way_to_run() -> None:
    counted: Counter[str] = Counter()
    for seed in range(300):
        for run in history(seed).runs:
            counted.update(
                line.split()[0] for line in run.edits if line.split()[0] in ("add", "remove", "move", "swap")
            )
            counted["takes"] += any(" takes the " in line for line in run.edits)
            counted["with an alias"] += any(line.endswith("with an alias") for line in run.edits)
            counted["without an alias"] += any(line.endswith("without an alias") for line in run.edits)
            counted["elsewhere"] += run.program.host == "localhost"
            for what in ("kill", "replace", "target", "foreign", "push"):
                counted[what] += bool(getattr(run, what))
    assert len(counted) == len(EDITS)
    assert min(counted.values()) > 10, counted


ROLE = Entry("a", "role", "r", "1")
IMAGES = Entry("d", "repository", "d", "2", port=True)


def test_urns_follow_parents() -> None:
    program = Program({"g": ()}, (replace(ROLE, parent="g"), Entry("b", "user", "u", "1", parent="a", uses="a")))
    role, user = "pulumi-python:dynamic/nexus:Role", "pulumi-python:dynamic/nexus:User"
    assert program.urn("b") == f"urn:pulumi:dev::history::history:index:Group${role}${user}::b"


def test_world_matches_last_program() -> None:
    expected = ExpectedState("p-").after(Run(Program(entries=(ROLE, IMAGES)), push=("d",)))
    assert expected.objects.keys() == {("role", "r"), ("repository", "d")}
    changed = Program(entries=(replace(ROLE, value="9", key="s"), IMAGES))
    assert expected.after(Run(changed)).objects.keys() == {("role", "s"), ("repository", "d")}
    only = expected.after(Run(changed, target=("d",)))
    assert only.objects == expected.objects


def test_images_are_kept_without_force_destroy() -> None:
    expected = ExpectedState("p-").after(Run(Program(entries=(IMAGES,)), push=("d",)))
    assert expected.refuses(Run(Program())) == {"d"}
    assert expected.refuses(Run(Program(entries=(replace(IMAGES, name="e"),)))) == set()
    assert expected.after(Run(Program(entries=(replace(IMAGES, name="e"),)))).images == {"d"}
    assert expected.may_refuse(Run(Program(entries=(IMAGES,)), replace=("d",))) == {"d"}
    allowed = expected.after(Run(Program(entries=(replace(IMAGES, force=True),))))
    assert allowed.images == {"d"}
    assert allowed.refuses(Run(Program())) == set()
    assert allowed.after(Run(Program())).images == set()


def test_killed_create_may_report_existing_value() -> None:
    """A create that was killed after its write finds an object that exists already."""
    realm = Entry("x", "realm", "x", "1")
    assert ExpectedState("p-").killed(Run(Program(entries=(realm,)))).loose == {"realm"}
    there = ExpectedState("p-").after(Run(Program(entries=(realm,))))
    assert there.killed(Run(Program(entries=(realm,)))).loose == set()


def test_object_of_dependent_is_taken_with_adopt() -> None:
    """A repository of a dependent, which may hold images, is not taken at all."""
    expected = ExpectedState("p-").after(
        Run(Program(entries=(ROLE, replace(ROLE, name="b", key="s", parent="a"))))
    )
    taken = Program(entries=(replace(ROLE, key="s"), replace(ROLE, name="b", parent="a")))
    assert expected.entangled(taken) == {("role", "s")}
    assert not expected.entangles(taken)
    assert [one.adopt for one in expected.adopting(Run(taken)).program.entries] == [True, False]
    assert not expected.entangled(Program(entries=(taken.entries[0], replace(taken.entries[1], parent=""))))
    images = ExpectedState("p-").after(
        Run(Program(entries=(ROLE, IMAGES, replace(IMAGES, name="e", key="e", parent="d"))))
    )
    assert images.entangles(Program(entries=(replace(IMAGES, key="e"), replace(IMAGES, name="e", parent="d"))))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("nexus_registry.providers.errors.Refused: role 'r': exists already. Set adopt=True", True),
        ("role_id: 'a/b' has a '/'. Choose another", True),
        ("KeyError: 'url'", False),
        ("requests.exceptions.JSONDecodeError: Expecting value", False),
        ("AssertionError", False),
        ("", False),
    ],
)
def test_error_of_a_run_must_be_a_message(error: str, expected: bool) -> None:
    assert is_message(error) is expected
