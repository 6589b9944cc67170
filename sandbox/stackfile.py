"""The configuration of a stack: the project file's schema and the stack file's values, as the CLI has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from .values import Keyring, UserError, walk

if TYPE_CHECKING:
    from pathlib import Path

PROJECT_KEYS = {"name", "description", "author", "website", "license", "runtime", "config"}
STACK_KEYS = {"config", "encryptionsalt"}
TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}


class Config(NamedTuple):
    """A project's name, its stack's values, all of them text as the SDK wants them, and which are secret."""

    project: str
    values: dict[str, str]
    secrets: set[str]


class StackFile:
    """``Pulumi.<stack>.yaml``; made with a new salt if it isn't there."""

    def __init__(self, path: Path, passphrase: str) -> None:
        self._path = path
        settings = _read(path, STACK_KEYS) if path.exists() else {}
        self.keyring = Keyring(passphrase, settings.get("encryptionsalt"))
        if "encryptionsalt" not in settings:
            self._write({"encryptionsalt": self.keyring.salt, **settings})

    def set(self, key: str, value: Any, *, secret: bool) -> None:
        """Set a value; with ``secret`` it is encrypted, and of a list or a mapping every text in it."""
        if secret:
            value = value if isinstance(value, dict | list) else str(value)
            value = walk(value, lambda it: {"secure": self.keyring.encrypt(it)} if isinstance(it, str) else it)
        settings = _read(self._path, STACK_KEYS)
        self._write(settings | {"config": (settings.get("config") or {}) | {key: value}})

    def load(self, program: Path, stack: str) -> Config:
        """The values, checked against the project's schema and with its defaults filled in."""
        project = _read(program / "Pulumi.yaml", PROJECT_KEYS)
        given = _read(self._path, STACK_KEYS).get("config") or {}
        found = json.loads(json.dumps(given, default=str), object_hook=self._opened)
        secrets = {key for key in found if found[key] != given[key]}
        schema = {
            key if ":" in key else f"{project['name']}:{key}": entry
            if isinstance(entry, dict)
            else {"value": entry}
            for key, entry in (project.get("config") or {}).items()
        }
        for key, entry in schema.items():
            for default in entry.keys() & {"default", "value"}:
                found.setdefault(key, entry[default])
        wrong = f"validating stack config: Stack '{stack}'"
        if missing := [f"'{key.partition(':')[2]}'" for key in sorted(schema.keys() - found.keys())]:
            raise UserError(f"{wrong} is missing configuration value{'s'[: len(missing) - 1]} {_listed(missing)}")
        for key, entry in sorted(schema.items()):
            must = f"{wrong} with configuration key '{key.partition(':')[2]}' must be"
            if entry.get("secret") and key not in secrets:
                raise UserError(f"{must} encrypted as it's secret")
            if "type" in entry and not _fits(entry, found[key]):
                raise UserError(f"{must} of type '{_named(entry)}'")
        return Config(project["name"], {key: _text(value) for key, value in found.items()}, secrets)

    def _opened(self, entry: dict[str, Any]) -> Any:
        return self.keyring.decrypt(entry["secure"]) if entry.keys() == {"secure"} else entry

    def _write(self, settings: dict[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(yaml.safe_dump(settings, sort_keys=False))
        fresh.replace(self._path)


def _read(path: Path, known: set[str]) -> dict[str, Any]:
    """A YAML file that may hold these keys and no other, because any other has an effect."""
    found: dict[str, Any] = yaml.safe_load(path.read_text()) or {}
    if unknown := found.keys() - known:
        raise UserError(f"{path.name}: {', '.join(sorted(unknown))} is not known to the sandbox engine")
    return found


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _named(entry: dict[str, Any]) -> str:
    return f"array<{_named(entry['items'])}>" if entry["type"] == "array" else str(entry["type"])


def _fits(entry: dict[str, Any], value: Any) -> bool:
    """Whether it has the type; a number or a switch may be written as text, and text may look like one."""
    if not isinstance(value, dict | list):
        value = _text(value) if entry["type"] == "string" else yaml.safe_load(_text(value))
    inside = value if entry["type"] == "array" and isinstance(value, list) else []
    return type(value) is TYPES[entry["type"]] and all(_fits(entry["items"], item) for item in inside)
