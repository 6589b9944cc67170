"""A stack's file ``Pulumi.<stack>.yaml``, as it is before a command changes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from .command import CommandError


class StackFile:
    """The file of a stack in this folder, which may be missing.

    Args:
        stack: name of the stack, with or without its organisation and project.
        project: name of the project.

    Attributes:
        path: where the file is.
        values: the project's values by key without the project; a number or the like is text, as in a program.

    Raises:
        CommandError: the file can't be read.
    """

    def __init__(self, stack: str, project: str) -> None:
        self.path = Path(f"Pulumi.{stack.rpartition('/')[2]}.yaml")
        try:
            self._content = self.path.read_bytes() if self.path.exists() else None
            parsed = yaml.safe_load((self._content or b"").decode()) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no YAML"
            raise CommandError(f"{self.path}: {reason}. Correct or remove the file.") from None
        found = (parsed.get("config") or {}) if isinstance(parsed, dict) else None
        if not isinstance(found, dict):
            raise CommandError(f"{self.path}: config must be a mapping. Correct or remove the file.")
        named = {(key if ":" in str(key) else f"{project}:{key}"): value for key, value in found.items()}
        self.values: dict[str, Any] = {
            key.partition(":")[2]: as_text(value)
            for key, value in named.items()
            if key.startswith(f"{project}:") and value is not None
        }

    @property
    def encrypted(self) -> list[str]:
        """The keys with a value that is encrypted, or contains such a value."""
        return sorted(key for key, value in self.values.items() if _is_encrypted(value))

    def names(self, key: str) -> list[str]:
        """A list of texts; empty where the value is none."""
        value = self.values.get(key)
        return (
            [as_text(one) for one in value if not isinstance(one, (list, dict))] if isinstance(value, list) else []
        )

    def text(self, key: str) -> str:
        """A text; empty where the value is none."""
        value = self.values.get(key)
        return value if isinstance(value, str) else ""

    def restore(self) -> None:
        """Give the file the content that it had; remove it if there was none."""
        if self._content is None:
            self.path.unlink(missing_ok=True)
        elif not self.path.exists() or self.path.read_bytes() != self._content:
            self.path.write_bytes(self._content)


def as_text(value: Any) -> Any:
    """The value as a program gets it: a number or the like is text."""
    if isinstance(value, (list, dict)):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return str(value)  # YAML reads 2026-01-01 as a date


def _is_encrypted(value: Any) -> bool:
    if isinstance(value, dict):
        return value.keys() == {"secure"} or any(map(_is_encrypted, value.values()))
    return isinstance(value, list) and any(map(_is_encrypted, value))
