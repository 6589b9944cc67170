"""What a preview refuses in an argument's text is what the host step refuses, in the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from shlex import quote

from hypothesis import example, given, settings
from hypothesis import strategies as st
from nexus_registry.components.host import arguments
from nexus_registry.components.host.steps import script

from tests.unit.steps_shell import SHELLS, parsed, run

ODD = st.text(st.sampled_from("aZ0._@-+/ %é$'~"), min_size=1, max_size=6)
PATHS = st.one_of(
    ODD,
    st.sampled_from(sorted(arguments.SYSTEM_DIRECTORIES)),
    st.lists(st.sampled_from(["srv", "a", "..", ".", "", "x y", "b+1"]), min_size=1, max_size=3).map(
        lambda parts: "/" + "/".join(parts)
    ),
)
PLACES = st.lists(
    st.sampled_from(["nexus", "nexus-3.71.0-06", "nexus-data", "data"]), min_size=1, max_size=2
).flatmap(
    lambda parts: st.sampled_from(["/opt", "/srv", "/home", "/tmp", "/var/tmp", "/run", "/dev"]).map(
        lambda top: "/".join([top, *parts])
    )
)
EVERY = settings(max_examples=60, deadline=None)


def refusal(check: Callable[..., Iterator[tuple[str, str]]], *values: str) -> str:
    """The first thing that the preview says, as the shell writes it."""
    for argument, problem in check(*values):
        said = f"{argument}: {problem}\n"
        for value in values:
            said = said.replace(repr(value), f"'{value}'")
        return said
    return ""


@given(st.sampled_from(["user", "unit"]), ODD)
@example("unit", "nexus@")
@EVERY
def test_names_are_refused_in_preview_as_on_host(name: str, value: str) -> None:
    said = run(SHELLS["dash"], f"check_word {name} {quote(value)}")
    assert refusal(arguments.word_problems, name, value) == said


@given(PATHS)
@EVERY
def test_paths_are_refused_in_preview_as_on_host(value: str) -> None:
    said = run(SHELLS["dash"], f"check_path data_dir {quote(value)}")
    assert refusal(arguments.path_problems, "data_dir", value) == said


@given(PLACES, PLACES, st.one_of(st.just(""), PLACES))
@EVERY
def test_places_are_refused_in_preview_as_on_host(root: str, data: str, java: str) -> None:
    said = run(SHELLS["dash"], f"arg_install_root={root} arg_data_dir={data} arg_java_home={java}\ncheck_places")
    assert refusal(arguments.place_problems, root, data, *([java] if java else [])) == said


@given(ODD, st.sampled_from(["context_path", "address"]))
@EVERY
def test_preview_and_host_validate_address_alike(value: str, name: str) -> None:
    flag = name.replace("_", "-")
    said = run(SHELLS["dash"], parsed(f"--{flag} {quote(value)}", "check_arguments"))
    assert refusal(getattr(arguments, f"{name}_problems"), value) == said


def test_managed_properties_are_those_of_step() -> None:
    keys = script("service").partition("MANAGED_KEYS='")[2].partition("'")[0]
    assert set(keys.split()) == {*arguments.MANAGED_PROPERTIES}
