"""What the stand-in keeps across restarts: one JSON file in the data dir, written whole or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .config import Settings


@dataclass
class State:
    """What Core does not keep of the repositories of closed formats; the rest is in Core, under the same name."""

    path: Path
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By name: docker attributes as the API has them, and of all but docker hosted ones ``kind`` and ``body``."""
    making: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The same of those that Core is being asked for: a process that is killed meanwhile may have made them."""
    active_realms: list[str] = field(default_factory=list)
    """The order in which the realms were activated, when ``DockerToken`` was among them; else empty."""
    tokens: dict[str, str] = field(default_factory=dict)
    """The docker token of each user."""
    docker_wildcards: list[str] = field(default_factory=list)
    """What was written with ``docker`` for all repositories, and is kept in Core with ``raw``."""
    account: list[str] = field(default_factory=list)
    """User name and password of the stand-in's own account in Core."""
    eula_accepted: bool = False
    directories: list[dict[str, Any]] = field(default_factory=list)
    """The LDAP servers in their order, each as the API was given it, with an ``id``."""

    @classmethod
    def load(cls, settings: Settings) -> State:
        """Read the state of a data dir, or begin an empty one."""
        path = settings.data / "etc/docker-standin.json"
        return cls(path, **json.loads(path.read_text())) if path.exists() else cls(path)

    def save(self) -> None:
        """Write the state: readable by the service's user alone, since it holds tokens."""
        content = {key: value for key, value in asdict(self).items() if key != "path"}
        partial = self.path.with_suffix(".tmp")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self.path)

    def name(self, wanted: str) -> str | None:
        """The repository of this name, ignoring case as Core does when it looks one up."""
        if wanted in self.repositories:
            return wanted
        return next((name for name in self.repositories if name.lower() == wanted.lower()), None)

    def kind(self, name: str) -> str:
        """What a repository is: ``docker/hosted``, ``npm/proxy``."""
        return str(self.repositories[name].get("kind", "docker/hosted"))

    def docker(self, wanted: str) -> str | None:
        """The docker repository of this name."""
        name = self.name(wanted)
        return name if name and self.kind(name).startswith("docker/") else None

    @property
    def formats(self) -> dict[str, str]:
        """The format of each repository, by its name."""
        return {name: self.kind(name).partition("/")[0] for name in self.repositories}

    @property
    def by_path(self) -> list[str]:
        """The repositories that are reached by their names in the path."""
        return [name for name, attributes in self.repositories.items() if attributes.get("pathEnabled")]

    @property
    def docker_token_active(self) -> bool:
        """Whether the Docker Bearer Token Realm is active."""
        return "DockerToken" in self.active_realms
