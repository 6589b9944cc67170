"""The project file, the stack file and what they make together: the configuration of one stack."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .crypto import Keyring
from .values import EngineError

PROJECT_KEYS = {"name", "description", "author", "website", "license", "runtime", "config"}
STACK_KEYS = {"config", "encryptionsalt"}


@dataclass
class Config:
    """A project's name and the stack's values, all of them text as the SDK wants them."""

    project: str
    values: dict[str, str]
    secrets: set[str]


def read_yaml(path: Path, known: set[str]) -> dict[str, Any]:
    """A YAML file that may hold these keys and no other."""
    found = yaml.safe_load(path.read_text()) or {}
    if unknown := found.keys() - known:
        raise EngineError(f"{path.name}: {', '.join(sorted(unknown))} is not known to the sandbox engine")
    return dict(found)


def load(program: Path, stack: str, stack_file: dict[str, Any], keyring: Keyring) -> Config:
    """Check the stack's values against the project's schema and fill in its defaults."""
    project = read_yaml(program / "Pulumi.yaml", PROJECT_KEYS)
    runtime = project.get("runtime")
    if (runtime.get("name") if isinstance(runtime, dict) else runtime) != "python":
        raise EngineError("the sandbox engine runs only programs with the runtime python")
    config = Config(project["name"], {}, set())
    objects: dict[str, Any] = {}
    for key, value in (stack_file.get("config") or {}).items():
        if key.count(":") != 1:
            raise EngineError(f"could not parse {key} as a configuration key (want <namespace>:<name>)")
        clear = _decrypt(value, keyring)
        if clear != value:
            config.secrets.add(key)
        if isinstance(clear, dict | list):
            objects[key] = clear
        config.values[key] = _text(clear)

    schema = {key: value if isinstance(value, dict) else {"value": value} for key, value in _schema(project)}
    full = {name: name if ":" in name else f"{config.project}:{name}" for name in schema}
    for name, entry in schema.items():
        if full[name] not in config.values and (entry.keys() & {"default", "value"}):
            given = entry.get("default", entry.get("value"))
            config.values[full[name]] = _text(given)
            if isinstance(given, dict | list):
                objects[full[name]] = given
    missing = sorted(name for name in schema if full[name] not in config.values)
    if missing:
        listed = " and ".join(filter(None, [", ".join(f"'{name}'" for name in missing[:-1]), f"'{missing[-1]}'"]))
        raise EngineError(f"Stack '{stack}' is missing configuration value{'s'[: len(missing) > 1]} {listed}")
    for name, entry in sorted(schema.items()):
        if "type" not in entry:
            continue
        if entry.get("secret") and full[name] not in config.secrets:
            raise EngineError(f"Stack '{stack}' with configuration key '{name}' must be encrypted as it's secret")
        if not _fits(entry, objects.get(full[name], config.values[full[name]])):
            raise EngineError(
                f"Stack '{stack}' with configuration key '{name}' must be of type '{_type_name(entry)}'"
            )
    return config


def _schema(project: dict[str, Any]) -> list[tuple[str, Any]]:
    return list((project.get("config") or {}).items())


def _decrypt(value: Any, keyring: Keyring) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"secure"}:
            return keyring.decrypt(value["secure"])
        return {key: _decrypt(item, keyring) for key, item in value.items()}
    return [_decrypt(item, keyring) for item in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _fits(entry: dict[str, Any], value: Any) -> bool:
    match entry["type"]:
        case "string":
            return isinstance(value, str)
        case "integer":
            text = str(value)
            return not isinstance(value, bool) and text[text[:1] in tuple("+-") :].isdecimal()
        case "boolean":
            return str(value).lower() in ("true", "false") if isinstance(value, bool) else value in ("true", "false")
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list) and all(_fits(entry["items"], item) for item in value)
    raise EngineError(f"a configuration value of the unknown type {entry['type']}")


def _type_name(entry: dict[str, Any]) -> str:
    return f"array<{_type_name(entry['items'])}>" if "items" in entry else str(entry["type"])
