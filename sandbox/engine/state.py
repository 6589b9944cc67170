"""The state of a stack: a JSON file that only its owner may read, with the secrets encrypted."""

import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..values import Keyring, Props, walk
from .urn import STACK, qualified, start, urn_of


@dataclass(eq=False)
class Resource:
    """One resource: its inputs and options in the program, and its outputs."""

    urn: str
    type: str
    custom: bool = False
    id: str = ""
    inputs: Props = field(default_factory=dict)
    outputs: Props = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    additional_secret_outputs: list[str] = field(default_factory=list)
    ignore_changes: list[str] = field(default_factory=list)
    delete: bool = False  # replaced; to be deleted
    pending_replacement: bool = False  # deleted for a replacement; to be created
    alias: str = ""  # the URN that the state had for it before this run; never stored

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]

    @property
    def needs(self) -> set[str]:
        """What it depends on, by URN; its parent is not among it."""
        return set(self.dependencies).union(*self.property_dependencies.values())


class State:
    """The resources in the order of their dependencies: those that this run is done with, then the others."""

    def __init__(self, path: Path, keyring: Keyring, *, dry: bool) -> None:
        self._path, self._keyring, self._dry, self._lock = path, keyring, dry, threading.RLock()
        stored = walk(json.loads(path.read_text()), keyring.unseal) if path.exists() else {}
        self.done, self.olds = list[Resource](), [Resource(**entry) for entry in stored.get("resources", [])]
        self.pending: dict[str, str] = stored.get("pending", {})  # pending operations, by URN
        self.config: Props = stored.get("config", {})  # the last configuration of the dynamic providers

    def commit(self, op: str, old: Resource, goal: Resource) -> None:
        """Record the result of an operation; one without a change is written with the next."""
        with self._lock:
            if op in ("create", "create-replacement", "update", "same"):
                self.done.append(goal)
            if op == "create-replacement" and not old.pending_replacement:
                old.delete = True
            elif op == "delete-replaced" and not old.delete:
                old.pending_replacement = True
            elif op not in ("create", "replace"):
                self.olds.remove(old)
            if op not in ("replace", "same"):
                self.save()

    def export(self, *, show_secrets: bool = False) -> Any:
        every = self.done + self.olds
        now = _now(every)
        resources = [{key: value for key, value in vars(_renamed(one, now)).items() if value} for one in every]
        content = {"config": self.config, "pending": dict(self.pending), "resources": resources}
        return content if show_secrets else walk(content, self._keyring.seal)

    def save(self) -> None:
        """Write the file and replace the old one atomically."""
        fresh = self._path.with_suffix(".new")
        with self._lock:
            if not self._dry:
                with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                    json.dump(self.export(), file, indent=1)
                fresh.replace(self._path)


def _now(resources: Iterable[Resource]) -> dict[str, str]:
    """The current URN of each resource that has had another one."""
    found = dict[str, str]()
    for one in resources:
        if one.alias:
            found[one.alias] = one.urn
        if (parent := found.get(one.parent)) and qualified(parent) != STACK:
            found[one.urn] = urn_of(start(one.urn), parent, one.type, one.name)
    return found


def _renamed(one: Resource, now: Mapping[str, str]) -> Resource:
    """The resource as it is stored, with current URNs."""
    return replace(
        one,
        urn=now.get(one.urn, one.urn),
        parent=now.get(one.parent, one.parent),
        dependencies=sorted(now.get(urn, urn) for urn in one.dependencies),
        property_dependencies={
            key: sorted(now.get(urn, urn) for urn in urns) for key, urns in one.property_dependencies.items()
        },
        alias="",
    )
