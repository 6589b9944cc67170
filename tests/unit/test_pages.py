"""README and the pages in docs name only classes, arguments, configuration keys and files that exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pulumi
import pytest
import yaml
from nexus_registry.cli.main import COMMANDS, main
from nexus_registry.components import DockerRegistry, DockerRegistryArgs
from nexus_registry.components.settings import SECRETS

from docs.examples import CONNECTION
from sandbox.pki import Authority
from tests.tested import kinds

from .components import registered

ROOT = Path(__file__).parents[2]
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
PAGES = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    CONTRIBUTING,
    *sorted((ROOT / "examples").rglob("README.md")),
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if not page.is_relative_to(ROOT / "docs/reference")),
]
"""All but those that are generated."""
KINDS = kinds()
DECLARED = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]


def blocks(language: str, pages: Sequence[Path] = PAGES) -> Iterator[object]:
    for page in pages:
        for number, code in enumerate(re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S), 1):
            yield pytest.param(code, id=f"{page.relative_to(ROOT)}-{number}")


@pytest.mark.usefixtures("sdk")
@pytest.mark.parametrize("code", blocks("python", [page for page in PAGES if page != CONTRIBUTING]))
def test_python_block_registers_inputs_that_are_taken(code: str) -> None:
    """Pages call ``config`` and ``registry`` what the reader's program has of them."""
    issued = Authority.create("pages").issue(["registry.example.com"], key="ec")
    values = {key: f"value of {key}" for key in re.findall(r'config\.require\w*\("(\w+)"\)', code)}
    values |= {
        "certificate": issued.certificate_pem,
        "private_key": issued.private_key_pem,
        "archive_sha256": "a" * 64,
    }

    def program() -> None:
        pulumi.runtime.set_all_config({f"pages:{key}": value for key, value in values.items()}, [])
        args = DockerRegistryArgs(connection=CONNECTION, hostname="a", https_port=5000, pushers={"ci": "pw"})
        known = {"pulumi": pulumi, "config": pulumi.Config(), "registry": DockerRegistry("registry", args)}
        exec(compile(code, "page", "exec"), known)  # noqa: S102 - the pages themselves

    for (kind, name), inputs in registered(program, "pages").items():
        if cls := KINDS.get(kind):
            given = {"connection": CONNECTION} if "connection" in cls.declared_properties else {}
            failures = cls.provider_class().check({}, {**inputs, **given}).failures
            assert not [(name, one.property, one.reason) for one in failures]


@pytest.mark.parametrize("code", blocks("python", [CONTRIBUTING]))
def test_python_block_of_contributing_is_in_source(code: str) -> None:
    source = "".join(module.read_text() for module in (ROOT / "providers").rglob("*.py"))
    assert [line for line in code.splitlines() if line not in source] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_sets_configuration_keys_that_exist(page: Path) -> None:
    keys = re.findall(r"pulumi config set (?:--secret |--path )*'?(\w+)(?![\w-]*:)", page.read_text())
    assert set(keys) <= DECLARED.keys() | SECRETS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_links_to_files_that_exist(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_site_lists_every_page() -> None:
    listed = set(re.findall(r": ([\w/-]+\.md)", (ROOT / "mkdocs.yml").read_text()))
    pages = {str(page.relative_to(ROOT / "docs")) for page in PAGES if page.is_relative_to(ROOT / "docs")}
    assert listed == pages | {"reference/README.md", "reference/components.md", "reference/changelog.md"}


def commands() -> Iterator[str]:
    """Each call of ``nexus-registry`` in a sh block, without comments and what follows in a pipe."""
    for parameters in blocks("sh"):
        code = str(parameters.values[0]).replace("\\\n", " ")  # type: ignore[attr-defined]
        yield from re.findall(r"nexus-registry +([a-z][^|#;&\n]*)", code)


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_command_in_sh_block_is_accepted(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in COMMANDS.values():
        monkeypatch.setattr(module, "run", lambda _: 0)
    assert main(shlex.split(command)) == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_names_make_targets_that_exist(page: Path) -> None:
    named = re.findall(r"(?:^|`|&& |=\S+ )make ([a-z][\w-]*)", page.read_text(), re.M)
    makefiles = [ROOT / "Makefile", ROOT / "examples/pipelines/Makefile"]
    targets = {
        name
        for file in makefiles
        for line in re.findall(r"^([\w -]+):", file.read_text(), re.M)
        for name in line.split()
    }
    assert set(named) <= targets


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_links_to_anchors_that_exist(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", page.read_text())
    local = [(link, anchor) for link, anchor in links if "://" not in link]
    assert [
        f"{link}#{anchor}" for link, anchor in local if anchor not in anchors(page.parent / link if link else page)
    ] == []
