"""Writes the reference pages and docs/coverage.md from the declarations: ``python -m docs.generate``.

``reference`` writes docs/reference, one page for each kind, which git ignores. ``coverage`` writes
docs/coverage.md, which is committed and which tests/unit/test_reference.py compares.
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import json
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nexus_registry.components as component_package
import nexus_registry.providers as providers
from nexus_registry.providers.coverage import NOT_RESOURCES
from nexus_registry.providers.declaration import declaration
from nexus_registry.providers.declare import DeclaredResource, NexusResource
from nexus_registry.providers.schema import limits

from docs.examples import example
from tests.tested import kinds, tested

DOCS = Path(__file__).parent
COVERAGE = DOCS / "coverage.md"
REST_SINCE = "3.26"
"""Servers before it have no REST API for what the kinds are."""
LEVELS = ("real", "stand-in", "fake", "schema")
COMPONENTS = ("NexusServer", "DockerRegistry", "DockerUser")
"""Each has a class of arguments, ``<name>Args``."""
_ENTRY = re.compile(r"^    (\w+(?:, \w+)*): (.*(?:\n {8}.*)*)", re.MULTILINE)
"""An entry in the section Args or Outputs of a docstring."""
_CODE_BLOCK = re.compile(r"::\n\n((?: {4}.*\n|\n)+)")
_ROLE = re.compile(r":(?:class|func|meth|mod):`(?:~[\w.]*\.|\.*)([^`]+)`")


def group_of(cls: type[DeclaredResource]) -> str:
    """``repositories``, ``security`` or ``system``; ``server`` for what is in none of these packages."""
    parts = cls.__module__.split(".")
    return parts[-2] if parts[-2] != "providers" else "server"


def by_group() -> dict[str, list[type[DeclaredResource]]]:
    """Every kind, by group and name."""
    found: dict[str, list[type[DeclaredResource]]] = {}
    for _, cls in sorted(kinds().items()):
        found.setdefault(group_of(cls), []).append(cls)
    return dict(sorted(found.items()))


def servers(facts: Mapping[str, Any], cls: type[DeclaredResource] | None = None) -> str:
    """From which version to which; of a kind within the REST API, if it says nothing else."""
    default = REST_SINCE if cls and issubclass(cls, NexusResource) else ""
    since, until = facts["since"] or default, facts["until"]
    if since and until:
        return f"{since} to {until}"
    return f"{since} and newer" if since else f"up to {until}" if until else ""


def markdown(text: str) -> str:
    """A docstring's text as Markdown, in one line for each paragraph."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in _plain(text).split("\n\n"))


def _plain(text: str) -> str:
    """A docstring's text with Markdown's code in the place of reStructuredText's."""
    return _ROLE.sub(r"`\1`", text).replace("``", "`")


def limit(check: Mapping[str, Any]) -> str:
    """The limits of a check, if known."""
    form = check.get("form")
    if form == "choice":
        return "one of " + ", ".join(f"`{one}`" for one in check["values"])
    if form == "integer":
        return f"{check['low']} to {check['high']}"
    if form == "text":
        parts = [f"at most {check['max_length']} characters"] if check["max_length"] else []
        parts += ["may be empty"] if check["empty"] else []
        return ", ".join([*parts, *(["several lines"] if check["multiline"] else [])])
    if form in ("set", "list"):
        least, most, item = check.get("least"), check.get("most"), limit(limits(check["item"]))
        parts = [f"at least {least}"] if least else []
        parts += [f"at most {most}"] if most else []
        parts += ["the order counts"] if form == "list" else ["the order does not count"]
        return "; ".join([", ".join(parts), *([f"each {item}"] if item else [])])
    return ""


def remarks(facts: Mapping[str, Any], check: Mapping[str, Any]) -> Iterator[str]:
    """What there is to know of a property besides its text."""
    text, said = _plain(facts["text"]), limit(check)
    values = check.get("values")
    if not (all(f"`{one}`" in text for one in values) if values else said in text):
        yield said
    if facts["unit"]:
        yield f"in {facts['unit']}"
    if facts["replaces"]:
        yield "a change replaces the resource"
    if facts["secret"]:
        yield "secret"
    if facts["local"]:
        yield "not sent to the server"
    if said := servers(facts):
        yield f"Nexus {said}"
    if facts["edition"]:
        yield f"edition {facts['edition'].capitalize()}"
    if facts["renamed_from"]:
        yield f"formerly `{facts['renamed_from']}`"


def page(cls: type[DeclaredResource]) -> str:
    """The reference page of a kind."""
    declared = declaration(cls)
    properties = {
        name: {**facts, "limits": limits(check) if (check := cls.declared_properties[name].check) else {}}
        for name, facts in declared["properties"].items()
    }
    arguments = {name: facts for name, facts in properties.items() if not facts["computed"]}
    rows = []
    for name, facts in sorted(arguments.items(), key=lambda one: not one[1]["required"]):
        default = "required" if facts["required"] else _value(facts["default"])
        text = _cell(f"{markdown(facts['text'])} {_sentence(remarks(facts, facts['limits']))}")
        rows.append(f"| `{name}` | {_code(facts['input'])} | {_cell(default)} | {text} |")
    outputs = [
        f"| `{name}` | {_code(facts['output'])} | {_cell(markdown(facts['text']))}"
        f"{' Secret.' if facts['secret'] else ''} |"
        for name, facts in properties.items()
        if facts["computed"]
    ]
    groups = [
        f"- `{'`, `'.join(group['properties'])}` go together"
        + (f": with one of them, `{'`, `'.join(group['requires'])}` is required." if group["requires"] else ".")
        for group in declared["groups"]
    ]
    nexus = f"Nexus {servers(declared, cls) or 'of any version'}" + (
        ", edition Pro" if declared["edition"] else ""
    )
    parts = [
        f"# {cls.__name__}",
        markdown(declared["text"]),
        f"- Type token: `{declared['type']}`\n- Servers: {nexus}",
        f"## Example\n\n```python\n{example(cls)}```",
        "## Arguments\n\n| argument | type | default | |\n|---|---|---|---|\n" + "\n".join(rows),
        "\n".join(groups),
        "## Outputs\n\nEach argument, as it is in force, and `id`."
        + ("\n\n| output | type | |\n|---|---|---|\n" + "\n".join(outputs) if outputs else ""),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def data_sources() -> str:
    """The page of the functions that read."""
    from nexus_registry.providers import data_sources as module

    text = _CODE_BLOCK.sub(
        lambda code: f":\n\n```python\n{textwrap.dedent(code[1]).strip()}\n```\n\n",
        _plain(inspect.cleandoc(module.__doc__ or "")),
    )
    parts = ["# Data sources", text]
    for name in (one for one in providers.__all__ if one.startswith("get_") and not one.endswith("_output")):
        function = getattr(providers, name)
        returns = str(function.__annotations__["return"])
        result = getattr(providers, re.sub(r"list\[(\w+)\]", r"\1", returns))
        parts.append(f"## {name}\n\n`{name}{inspect.signature(function)}`\n\n{markdown(function.__doc__ or '')}")
        parts.append(f"`{result.__name__}`:\n\n```text\n{inspect.cleandoc(result.__doc__ or '')}\n```")
    return "\n\n".join(parts) + "\n"


def components() -> str:
    """The page of the components."""
    parts = ["# Components", "`nexus_registry.components` contains these classes."]
    for name in COMPONENTS:
        cls, args = getattr(component_package, name), getattr(component_package, f"{name}Args")
        text, outputs = documented(cls)
        meanings = documented(args)[1]
        rows = [
            _row([field for field, _ in group], said)
            for said, group in itertools.groupby(
                [(field, meanings.get(field.name, "")) for field in dataclasses.fields(args)], lambda one: one[1]
            )
        ]
        parts += [
            f"## {name}",
            text,
            f"Arguments, as `{name}Args`:",
            "| argument | type | default | |\n|---|---|---|---|\n" + "\n".join(rows),
            "Outputs:",
            "| output | |\n|---|---|\n" + "\n".join(f"| `{one}` | {_cell(outputs[one])} |" for one in outputs),
        ]
    return "\n\n".join(parts) + "\n"


def documented(cls: type) -> tuple[str, dict[str, str]]:
    """The paragraphs of a docstring, and the entries of its section Args or Outputs by name."""
    paragraphs, entries = list[str](), dict[str, str]()
    for block in inspect.cleandoc(cls.__doc__ or "").split("\n\n"):
        head, _, rest = block.partition("\n")
        if head in ("Args:", "Outputs:"):
            for names, text in _ENTRY.findall(rest):
                entries |= dict.fromkeys(names.split(", "), markdown(text[0].upper() + text[1:]))
        else:
            paragraphs.append(markdown(block))
    return "\n\n".join(paragraphs), entries


def _row(arguments: list[dataclasses.Field[Any]], text: str) -> str:
    """The row of arguments that are described together."""
    names = ", ".join(f"`{one.name}`" for one in arguments)
    type_ = str(arguments[0].type).replace("RoleRef", "Role | pulumi.Input[str]")
    return f"| {names} | {_code(type_)} | {', '.join(filter(None, map(_default, arguments)))} | {_cell(text)} |"


def _default(argument: dataclasses.Field[Any]) -> str:
    if argument.default_factory is not dataclasses.MISSING:
        return _value(argument.default_factory())
    if argument.default is dataclasses.MISSING:
        return "required"
    return _value(list(argument.default) if isinstance(argument.default, tuple) else argument.default)


def coverage() -> str:
    """The text of docs/coverage.md."""
    found, lines = tested(), list[str]()
    counts = dict.fromkeys((*LEVELS, "none"), 0)
    for group, classes in by_group().items():
        lines += [f"## {group.capitalize()}", ""]
        lines += ["| kind | Nexus | edition | tested on |", "|---|---|---|---|"]
        for cls in classes:
            declared, by = declaration(cls), found.get(cls.__name__, {})
            counts[next((level for level in LEVELS if level in by), "none")] += 1
            on = "; ".join(_tested_on(level, by[level]) for level in LEVELS if level in by) or "no server"
            edition = declared["edition"].capitalize()
            lines.append(f"| `{cls.__name__}` | {servers(declared, cls) or 'any'} | {edition} | {on} |")
        lines.append("")
    summary = (
        f"{sum(counts.values())} kinds: {counts['real']} on a real server, {counts['stand-in']} on the stand-in, "
        f"{counts['fake']} on a fake server, {counts['schema']} by schema only, {counts['none']} on no server."
    )
    lines += ["## No resource", "", "| request | why |", "|---|---|"]
    lines += [f"| `{operation}` | {why} |" for operation, why in NOT_RESOURCES.items()]
    lines += [
        "",
        "OAuth2 and OpenID Connect have no resource: the API of Nexus 3.94 has no request that configures them.",
    ]
    return f"{_HEAD}\n{summary}\n\n" + "\n".join(lines).rstrip() + "\n"


_HEAD = """# Coverage

Made by `make docs-coverage` from the declarations, and from the tests that pytest collects; a test compares it.

- **real**: tests create, read, update and delete it on a real Nexus Core of these versions.
- **stand-in**: the same on the stand-in that plays what Core lacks; it was not compared with the vendor's server.
- **fake**: the same on a fake server that follows the vendor's descriptions of the API and nothing else.
- **schema**: the bodies that it sends are valid by the vendor's descriptions of the API (3.74, 3.82, 3.94).
- **no server**: only what it checks before anything is sent is tested.
"""


def _tested_on(level: str, versions: list[str]) -> str:
    shown = ", ".join(sorted({one.partition("-")[0] for one in versions}))
    return f"{level} {shown}".strip() if level == "real" else level


def _sentence(parts: Iterator[str]) -> str:
    said = "; ".join(parts)
    return f"({said})" if said else ""


def _value(value: Any) -> str:
    return "" if value is None else f"`{json.dumps(value) if not isinstance(value, bool) else value}`"


def _code(text: str) -> str:
    return _cell(f"`{text}`")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").strip()


def changelog() -> str:
    """CHANGELOG.md as a page in docs/reference."""
    return (DOCS.parent / "CHANGELOG.md").read_text().replace("](docs/", "](../")


def write_reference(folder: Path) -> None:
    """Write every page anew."""
    shutil.rmtree(folder, ignore_errors=True)
    index = ["# Reference", "", "- [Components](components.md)", "- [Data sources](data-sources.md)"]
    for group, classes in by_group().items():
        (folder / group).mkdir(parents=True)
        index += ["", f"## {group.capitalize()}", ""]
        for cls in classes:
            (folder / group / f"{cls.__name__}.md").write_text(page(cls))
            first = markdown(inspect.cleandoc(cls.__doc__ or "")).split("\n")[0]
            index.append(f"- [{cls.__name__}]({group}/{cls.__name__}.md): {first}")
    (folder / "components.md").write_text(components())
    (folder / "data-sources.md").write_text(data_sources())
    (folder / "changelog.md").write_text(changelog())
    (folder / "README.md").write_text("\n".join(index) + "\n")


def main(what: str) -> None:
    """Write what is named."""
    if what == "coverage":
        COVERAGE.write_text(coverage())
    elif what == "reference":
        write_reference(DOCS / "reference")
    else:
        sys.exit(f"{what!r}: give reference or coverage")


if __name__ == "__main__":
    main(*sys.argv[1:2] or [""])
