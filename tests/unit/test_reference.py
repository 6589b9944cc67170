"""The generated reference: every declaration has its texts, every example runs, docs/coverage.md is up to date."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import nexus_registry.components as component_package
import pulumi
import pytest
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.declaration import declaration
from nexus_registry.providers.declare import DeclaredResource
from nexus_registry.providers.run import Run
from pulumi.runtime.rpc import unwrap_rpc_secret
from pulumi.runtime.settings import reset_options

from docs.examples import CONNECTION, configured, example
from docs.generate import COMPONENTS, COVERAGE, components, coverage, data_sources, documented, page
from tests.tested import kinds

KINDS = kinds()
every_kind = pytest.mark.parametrize("cls", KINDS.values(), ids=KINDS)


class Registered(pulumi.runtime.Mocks):
    """Keeps the inputs of each resource by its type."""

    def __init__(self) -> None:
        self.inputs: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.inputs[args.typ] = {key: unwrap_rpc_secret(value) for key, value in args.inputs.items()}
        return args.name, args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


@pytest.fixture(scope="module")
def registered() -> Iterator[dict[str, dict[str, Any]]]:
    """What the examples register, all run as one program."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    mocks = Registered()
    pulumi.runtime.set_mocks(mocks, project="example", preview=True)

    def program() -> None:
        for cls in KINDS.values():
            pulumi.runtime.set_all_config({f"example:{key}": value for key, value in configured(cls).items()}, [])
            exec(compile(example(cls), cls.__name__, "exec"), {})  # noqa: S102 - the examples themselves

    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    yield mocks.inputs
    reset_options()
    loop.close()
    asyncio.set_event_loop(None)


@every_kind
def test_example_registers_accepted_inputs(
    cls: type[DeclaredResource], registered: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NexusProvider, "run", Run())
    inputs = registered[declaration(cls)["type"]]
    given = {"connection": CONNECTION} if "connection" in cls.declared_properties else {}
    result = cls.provider_class().check({}, {**inputs, **given})
    assert not [(one.property, one.reason) for one in result.failures]


@every_kind
def test_declaration_has_its_texts(cls: type[DeclaredResource]) -> None:
    declared = declaration(cls)
    assert declared["text"]
    assert not [name for name, facts in declared["properties"].items() if not facts["text"]]


@every_kind
def test_page_names_every_property_and_gate(cls: type[DeclaredResource]) -> None:
    text, declared = page(cls), declaration(cls)
    assert declared["type"] in text
    for name, facts in declared["properties"].items():
        (row,) = (line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
        expected = {
            "required": facts["required"],
            "ecret": facts["secret"],
            "a change replaces the resource": facts["replaces"],
            f"in {facts['unit']}": facts["unit"],
            f"Nexus {facts['since']}": facts["since"],
            f"up to {facts['until']}": facts["until"],
            "edition Pro": facts["edition"] == "pro",
            f"`{facts['output' if facts['computed'] else 'input']}`".replace("|", r"\|"): True,
            str(facts["default"]): facts["default"] is not None and not facts["required"],
        }
        assert [said for said, holds in expected.items() if holds and said not in row] == []


@pytest.mark.parametrize("name", COMPONENTS)
def test_component_documents_every_argument_and_output(name: str) -> None:
    cls, args = getattr(component_package, name), getattr(component_package, f"{name}Args")
    assert documented(args)[1].keys() == {one.name for one in dataclasses.fields(args)}
    assert documented(cls)[1].keys() == {key for key in cls.__annotations__ if not key.startswith("_")}


@pytest.mark.parametrize("write", [components, data_sources])
def test_page_contains_no_other_markup(write: Callable[[], str]) -> None:
    assert not re.search(r":class:|``[^`]|::$", re.sub(r"```.*?```", "", write(), flags=re.DOTALL), re.MULTILINE)


def test_coverage_page_is_up_to_date() -> None:
    assert COVERAGE.read_text() == coverage(), "run `make docs-coverage` and commit docs/coverage.md"


def code_lines(cls: type) -> int:
    """Lines of the class statement without docstrings, comments and blank lines."""
    source = textwrap.dedent(inspect.getsource(cls))
    texts = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in texts
        for number, line in enumerate(source.splitlines(), start=1)
    )


def test_kind_takes_few_lines() -> None:
    lines = [code_lines(cls) for cls in KINDS.values()]
    assert sum(lines) / len(lines) < 6, sorted(zip(lines, KINDS, strict=True))[-10:]
