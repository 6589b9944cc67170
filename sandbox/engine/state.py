"""What the engine remembers of a stack: a JSON file in the form of ``pulumi stack export``, secrets encrypted."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .crypto import Keyring
from .values import EngineError, Props

CAMEL = {
    "property_dependencies": "propertyDependencies",
    "additional_secret_outputs": "additionalSecretOutputs",
    "ignore_changes": "ignoreChanges",
    "pending_replacement": "pendingReplacement",
}
SNAKE = {camel: snake for snake, camel in CAMEL.items()}
PROVIDER = "pulumi:providers:pulumi-python"


@dataclass(eq=False)
class Resource:
    """One resource as the state has it."""

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
    pending_replacement: bool = False

    @property
    def name(self) -> str:
        """The name that the program gave it."""
        return self.urn.rpartition("::")[2]

    @property
    def needs(self) -> set[str]:
        """The URNs that it depends on, its parent aside."""
        return {urn for urns in self.property_dependencies.values() for urn in urns} | set(self.dependencies)

    def to_json(self) -> dict[str, Any]:
        """The export's form, without what is empty."""
        kept = ("urn", "custom", "inputs", "outputs")
        return {CAMEL.get(key, key): value for key, value in vars(self).items() if value or key in kept}


class State:
    """The resources of a stack, ``done`` in this run and ``olds`` that it has not come to yet, in that order."""

    def __init__(self, path: Path, keyring: Keyring, *, dry: bool) -> None:
        self._path, self._keyring, self._dry = path, keyring, dry
        self.done: list[Resource] = []
        self.olds: list[Resource] = []
        self.config: Props | None = None
        """The configuration that the dynamic providers had last; destroy and refresh know no other."""
        self.pending: dict[str, str] = {}
        """Operations that were begun and of which nobody knows the end, by URN."""
        if path.exists():
            deployment = json.loads(path.read_text())["deployment"]
            self.pending = {entry["resource"]["urn"]: entry["type"] for entry in deployment["pending_operations"]}
            for entry in deployment["resources"]:
                fields = keyring.unseal({SNAKE.get(key, key): value for key, value in entry.items()})
                if entry["type"] == PROVIDER:
                    self.config = fields["inputs"]
                else:
                    self.olds.append(Resource(**fields))

    @staticmethod
    def salt(path: Path) -> str | None:
        """The salt of the key that a state file was written with."""
        if not path.exists():
            return None
        return str(json.loads(path.read_text())["deployment"]["secrets_providers"]["state"]["salt"])

    def export(self, *, sealed: bool = True) -> dict[str, Any]:
        """The whole state, with the secrets encrypted or marked and in the clear."""
        found = [entry.to_json() for entry in self.done + self.olds]
        if self.config is not None and found:
            urn = found[0]["urn"].split("::")[0:2] + [PROVIDER, "default"]
            provider = Resource("::".join(urn), PROVIDER, True, "default", self.config, self.config)
            found.insert(0, provider.to_json())
        return {
            "version": 3,
            "deployment": {
                "secrets_providers": {"type": "passphrase", "state": {"salt": self._keyring.state}},
                "resources": self._keyring.seal(found) if sealed else found,
                "pending_operations": [
                    {"resource": {"urn": urn}, "type": kind} for urn, kind in self.pending.items()
                ],
            },
        }

    def save(self) -> None:
        """Write the file anew and put it in the old one's place in one step; nobody else may read it."""
        if self._dry:
            return
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(self.export(), file, indent=1)
        fresh.replace(self._path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a stack: one engine at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise EngineError(f"the stack is currently locked by process {file.read()}") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
