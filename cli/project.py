"""The texts of the files of a program: its modules, project file and instructions. Plain data in, texts out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .objects import Snapshot
from .program import Entry, Program, Reference, Secret, section_of
from .source import Call, Code, imports, statement

NAMESPACE = "nexus-registry"
REQUIREMENTS = "# As installed for the export. Elsewhere: a clone (-e ../nexus-registry) or its address."


def files_of(made: Program, found: Snapshot, name: str, requirement: str = "nexus-registry") -> dict[str, str]:
    """Every file of the program, by name; the requirement is the line by which pip installs this package."""
    return {
        "Pulumi.yaml": _project_text(made, found, name),
        "README.md": _readme_text(made, found),
        "__main__.py": _main_text(made),
        "requirements.txt": f"{REQUIREMENTS}\n{requirement}\n",
        **{f"{module}.py": _module_text(made, module) for module in made.modules},
    }


def _main_text(made: Program) -> str:
    lines = [f'"""What {_docstring(made.url)} is configured with: each module declares a part of it."""']
    if made.modules:
        lines += ["", *(f"import {module}  # noqa: F401" for module in sorted(made.modules))]
    return "\n".join(lines) + "\n"


def _docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _module_text(made: Program, module: str) -> str:
    entries = [one for one in made.entries if one.module == module]
    referred = [reference.entry for one in made.entries for reference in one.refers.values()]
    used = {id(one) for one in referred}
    parts, section = list[str](), ""
    for one in entries:
        if section_of(one) != section:
            section = section_of(one)
            parts.append(f"\n# {section}" if parts else f"# {section}")
        call = Call(one.object.kind.__name__, (one.name,), _arguments(one))
        parts.append(statement(one.variable if id(one) in used else "", call))
    body = "\n".join(parts)
    title = f'"""{module.capitalize()} of {_docstring(made.url)}."""'
    return "\n".join([title, "", *_imports(module, entries, body), "", body]) + "\n"


def _imports(module: str, entries: list[Entry], body: str) -> list[str]:
    kinds = {one.object.kind.__name__ for one in entries}
    lines = ["import pulumi"] if "pulumi." in body or "config." in body else []
    lines.append(imports("nexus_registry.providers", sorted(kinds)))
    others: dict[str, set[str]] = {}
    for one in entries:
        for reference in one.refers.values():
            if reference.entry.module != module:
                others.setdefault(reference.entry.module, set()).add(reference.entry.variable)
    if others:
        lines += ["", *(imports(other, sorted(names)) for other, names in sorted(others.items()))]
    if any(one.secrets for one in entries):
        lines += ["", "config = pulumi.Config()"]
    return lines


def _arguments(one: Entry) -> dict[str, Any]:
    """The arguments in the order of the declaration: the key first, then what else is required."""
    fields = one.object.kind.declared_properties
    values: dict[str, Any] = {name: _value(one, name, value) for name, value in one.inputs.given.items()}
    for secret in one.secrets:
        get = "require_secret" if secret.needed else "get_secret"
        values[secret.argument] = Call(f"config.{get}", (secret.key,))
    key = getattr(one.object.kind.provider_class, "key", "")
    given = [name for name in fields if name in values]
    order = sorted(given, key=lambda name: (name != key, not fields[name].required))
    return {name: values[name] for name in order}


def _value(one: Entry, name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_value(one, name, item) for item in value]
    reference = one.refers.get((name, value)) if isinstance(value, str) else None
    return value if reference is None else _reference(reference)


def _reference(it: Reference) -> Any:
    key = it.entry.object.kind.provider_class.key  # type: ignore[attr-defined]
    attribute = Code(f"{it.entry.variable}.{key}")
    before, after = (part.replace("{", "{{").replace("}", "}}") for part in it.around)
    return Call("pulumi.Output.format", (f"{before}{{}}{after}", attribute)) if before or after else attribute


def _project_text(made: Program, found: Snapshot, name: str) -> str:
    lines = [
        f"name: {_yaml(name)}",
        f"description: {_yaml(f'What {found.url} is configured with')}",
        "runtime:",
        "  name: python",
        "  options:",
        "    toolchain: pip",
        "    virtualenv: .venv",
        "config:",
        f"  {NAMESPACE}:url: {{value: {_yaml(found.url)}}}",
    ]
    if found.username != "admin":
        lines.append(f"  {NAMESPACE}:username: {{value: {_yaml(found.username)}}}")
    if found.ca:
        lines += [
            f"  {NAMESPACE}:ca:",
            "    value: |",
            *(f"      {line}" for line in found.ca.strip().splitlines()),
        ]
    lines += [
        "  # Adopt what exists: an object that is as declared is not written, one that differs is changed. Remove",
        "  # this after the first up, so that a new resource does not change what somebody else created.",
        f"  {NAMESPACE}:adopt: {{value: true}}",
        *(
            f"  {one.key}: {{type: string, secret: true, description: {_yaml(_described(one))}}}"
            for one in made.secrets
            if one.needed
        ),
    ]
    return "\n".join(lines) + "\n"


def _described(one: Secret) -> str:
    return f"{one.argument} of {one.owner}"


def _yaml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _readme_text(made: Program, found: Snapshot) -> str:
    kinds = len({one.object.kind for one in made.entries})
    parts = [
        f"# {found.url}",
        "",
        f"{len(made.entries)} resources of {kinds} kinds, written by `nexus-registry export`. The first"
        " `pulumi up` adopts what exists and writes nothing to the server.",
        "",
        "```sh",
        "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
        "pulumi stack init prod",
        f"pulumi config set --secret {NAMESPACE}:password    # of {found.username} on the server",
        *(f"pulumi config set --secret {one.key}" for one in made.secrets if one.needed),
        "pulumi up",
        "```",
        "",
    ]
    if any(one.needed for one in made.secrets):
        parts += [
            "## Secrets that must be set",
            "",
            "Nexus does not return them. Set each to the value in force: a later change of the resource writes"
            " it.",
            "",
            *(f"- `{one.key}`: {_described(one)}" for one in made.secrets if one.needed),
            "",
        ]
    if any(not one.needed for one in made.secrets):
        parts += [
            "## Secrets that may be set",
            "",
            "Nexus does not return whether they have a value. What is not set stays as it is on the server until"
            " the resource is changed. A user keeps the password in force; one that is set and differs is written"
            " by the next `up`.",
            "",
            *(f"- `{one.key}`: {_described(one)}" for one in made.secrets if not one.needed),
            "",
        ]
    parts += _listed("Not declared", "These objects stay as they are, outside of the program.", made.left_out)
    parts += _listed(
        "Not read", "The account may not read these, or the server's response can't be used.", found.unread
    )
    return "\n".join(parts).rstrip("\n") + "\n"


def _listed(title: str, text: str, lines: Iterable[str]) -> list[str]:
    rows = [f"- {line}" for line in lines]
    return [f"## {title}", "", text, "", *rows, ""] if rows else []
