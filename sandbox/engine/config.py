"""The configuration of a stack, out of the project file and the stack file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .values import EngineError, Keyring

PROJECT = {"name", "description", "author", "website", "license", "runtime", "config"}
STACK = {"config", "encryptionsalt"}


def read_yaml(path: Path, known: set[str]) -> dict[str, Any]:
    """A YAML file that may hold these keys and no other; nothing when there is none."""
    found = yaml.safe_load(path.read_text()) or {} if path.exists() else {}
    if unknown := found.keys() - known:
        raise EngineError(f"{path.name}: {', '.join(sorted(unknown))} is not known to the sandbox engine")
    return dict(found)


@dataclass
class Config:
    """A project's name and the stack's values, all of them text as the SDK wants them."""

    project: str
    values: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)


def load(program: Path, stack: str, settings: dict[str, Any], keyring: Keyring) -> Config:
    """Check the stack's values against the project's schema and fill in its defaults."""
    project = read_yaml(program / "Pulumi.yaml", PROJECT)
    runtime = project.get("runtime")
    if (runtime.get("name") if isinstance(runtime, dict) else runtime) != "python":
        raise EngineError("the sandbox engine runs only programs with the runtime python")
    config = Config(project["name"])
    found: dict[str, Any] = {}
    for key, value in (settings.get("config") or {}).items():
        if key.count(":") != 1:
            raise EngineError(f"could not parse {key} as a configuration key, which is namespace:name")
        found[key] = _opened(value, keyring)
        if found[key] != value:
            config.secrets.add(key)

    schema = {
        name if ":" in name else f"{config.project}:{name}": entry if isinstance(entry, dict) else {"value": entry}
        for name, entry in (project.get("config") or {}).items()
    }
    for key, entry in schema.items():
        for given in entry.keys() & {"default", "value"}:
            found.setdefault(key, entry[given])
    if missing := sorted(key for key in schema if key not in found):
        names = [f"'{key.removeprefix(config.project + ':')}'" for key in missing]
        text = f"s {', '.join(names[:-1])} and {names[-1]}" if names[1:] else f" {names[0]}"
        raise EngineError(f"validating stack config: Stack '{stack}' is missing configuration value{text}")
    for key, entry in sorted(schema.items()):
        start = (
            f"validating stack config: Stack '{stack}' with configuration key '{key.partition(':')[2]}' must be"
        )
        if entry.get("secret") and key not in config.secrets:
            raise EngineError(f"{start} encrypted as it's secret")
        if "type" in entry and not _fits(entry, found[key]):
            raise EngineError(f"{start} of type '{_named(entry)}'")
    config.values = {key: _text(value) for key, value in found.items()}
    return config


def _opened(value: Any, keyring: Keyring) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"secure"}:
            return keyring.decrypt(value["secure"])
        return {key: _opened(item, keyring) for key, item in value.items()}
    return [_opened(item, keyring) for item in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _named(entry: dict[str, Any]) -> str:
    return f"array<{_named(entry['items'])}>" if entry["type"] == "array" else str(entry["type"])


def _fits(entry: dict[str, Any], value: Any) -> bool:
    match entry["type"]:
        case "string":
            return not isinstance(value, dict | list)
        case "integer":
            return not isinstance(value, bool) and _text(value).removeprefix("-").isdecimal()
        case "boolean":
            return _text(value) in ("true", "false")
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list) and all(_fits(entry["items"], item) for item in value)
    raise EngineError(f"a configuration value can't have the type {entry['type']}")
