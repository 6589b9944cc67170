"""docs/architecture.md, the sh files and ``STEPS`` agree on what each host step takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nexus_registry.components.host.steps import EVERY_STEP, STEPS

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs/architecture.md").read_text()
CELLS = [re.split(r"(?<!\\)\|", line)[1:-1] for line in DOCS.splitlines() if line.startswith("| `")]
ROWS = {cells[0].strip(" `"): cells for cells in CELLS if len(cells) == 5}
"""The table of host steps: step, flags, secrets, create and update, delete."""


def flags(text: str) -> set[str]:
    """The flags in a text, by their argument names."""
    return {name.replace("-", "_") for name in re.findall(r"--([a-z0-9-]+)", text)}


def parsed(step: str) -> list[set[str]]:
    """The required, optional and repeated flags in the step's call of parse."""
    text = (ROOT / f"components/host/{step}.sh").read_text()
    call = re.search(r"^ +parse ((?:[^\n]|\\\n)*?)\"\$@\"", text, re.MULTILINE)
    assert call
    words = re.findall(r'"([^"]*)"|(\w+)', call[1])
    return [{name.replace("-", "_") for name in (quoted or bare).split()} for quoted, bare in words]


@pytest.mark.parametrize("step", STEPS)
def test_step_table_agrees_with_parse(step: str) -> None:
    """Argument names use _ where the shell's flags use -."""
    table = STEPS[step]
    assert parsed(step) == [set(table.required), set(table.optional), set(table.repeated)]


def test_every_step_takes_common_flags() -> None:
    common = re.search(r'parse_optional="\$2 ([a-z -]+)"', (ROOT / "components/host/lib.sh").read_text())
    assert common
    assert common[1].replace("-", "_").split() == list(EVERY_STEP)


def test_docs_list_every_step() -> None:
    assert ROWS.keys() == STEPS.keys()


@pytest.mark.parametrize("step", STEPS)
def test_docs_agree_with_step_table(step: str) -> None:
    """Optional flags stand in brackets, alternatives in parentheses."""
    _, documented, secrets, *_ = ROWS[step]
    table = STEPS[step]
    optional = "".join(re.findall(r"\[[^\]]*\]|\([^)]*\)", documented))
    assert flags(optional) == {*table.optional, *table.repeated}
    assert flags(documented) - flags(optional) == set(table.required)
    assert set(re.findall(r"`([A-Z0-9_]+)`", secrets)) == set(table.secrets)


@pytest.mark.parametrize("step", STEPS)
def test_step_uses_every_secret(step: str) -> None:
    """Each declared secret is read by the step's own files."""
    script = "".join((ROOT / f"components/host/{part}.sh").read_text() for part in STEPS[step].files)
    unused = [name for name in STEPS[step].secrets if not re.search(rf"\$\{{?{name}\b", script)]
    assert unused == []


def test_docs_name_every_provider_module() -> None:
    modules = {path.stem for path in (ROOT / "providers").glob("*.py")} - {"__init__"}
    shims = {path.stem for path in (ROOT / "providers").glob("*.py") if path.read_text().startswith('"""Where ')}
    assert modules - shims - set(re.findall(r"`(\w+)(?:\.py)?`", DOCS)) == set()


def test_docs_link_every_decision() -> None:
    names = {path.name for path in (ROOT / "docs/decisions").glob("*.md")}
    assert names == set(re.findall(r"decisions/([\w-]+\.md)", DOCS))


@pytest.mark.parametrize(
    "page", ["README.md", "CHANGELOG.md", "docs/adopting.md", "docs/architecture.md", "docs/performance.md"]
)
def test_links_have_targets(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []
