"""What the engine remembers of a stack: a JSON file that only its owner may read, with the secrets encrypted."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .values import Keyring, Props


@dataclass(eq=False)
class Resource:
    """One resource: the program's goal for it, and what came of that."""

    urn: str
    type: str
    custom: bool
    id: str = ""
    inputs: Props = field(default_factory=dict)
    outputs: Props = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    additional_secret_outputs: list[str] = field(default_factory=list)
    ignore_changes: list[str] = field(default_factory=list)
    delete: bool = False
    """Replaced; what is left to do is its deletion."""
    pending_replacement: bool = False
    """Deleted; what is left to do is the creation of its successor."""

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]

    @property
    def needs(self) -> set[str]:
        """The URNs that must be there before it."""
        return {
            self.parent,
            *self.dependencies,
            *(urn for urns in self.property_dependencies.values() for urn in urns),
        }


class State:
    """The resources of a stack, in the order of their dependencies: those that this run is done with, then the others."""

    def __init__(self, path: Path, keyring: Keyring, *, dry: bool) -> None:
        self._path, self._keyring, self._dry = path, keyring, dry
        stored = keyring.unseal(json.loads(path.read_text())) if path.exists() else {}
        self.done: list[Resource] = []
        self.olds = [Resource(**entry) for entry in stored.get("resources", [])]
        self.pending: dict[str, str] = stored.get("pending", {})
        """The operations that were begun and of which nobody knows the end, by URN."""
        self.config: Props = stored.get("config", {})
        """The configuration that the dynamic providers had last: destroy and refresh know no other."""

    def export(self) -> dict[str, Any]:
        resources = [{key: value for key, value in vars(one).items() if value} for one in self.done + self.olds]
        for entry in resources:
            entry.setdefault("custom", False)
        return {"salt": self._keyring.salt, "config": self.config, "pending": self.pending, "resources": resources}

    def save(self) -> None:
        """Write the file anew and put it in the old one's place in one step."""
        if self._dry:
            return
        fresh = self._path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._keyring.seal(self.export()), file, indent=1)
        fresh.replace(self._path)
