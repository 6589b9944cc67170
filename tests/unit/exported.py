"""Objects as a server has them, and what runs a written program without an engine."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import nexus_registry.providers as providers
from nexus_registry.cli.objects import Object, Snapshot, provider_of
from nexus_registry.cli.program import program
from nexus_registry.cli.project import files_of
from pulumi.runtime.rpc import UNKNOWN

SERVER = {"url": "https://nexus.example.com", "username": "admin", "password": "x"}


def checked(kind: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """The inputs as the provider keeps them; None when it refuses them."""
    result = getattr(providers, kind).provider_class().check({}, {"connection": SERVER, **inputs})
    kept = {key: value for key, value in result.inputs.items() if key not in ("connection", "incarnation")}
    return None if result.failures else kept


def found(kind: str, body: Mapping[str, Any] | None = None, /, **inputs: Any) -> Object:
    """The object that a server has after these inputs; ``body`` is what else it returns."""
    cls = getattr(providers, kind)
    provider = provider_of(cls)
    kept = checked(kind, inputs)
    assert kept is not None
    whole = {**provider.to_body(kept), **(body or {})}
    properties = provider.from_body(whole)
    return Object(cls, provider.identity(properties), properties, whole)


def user(user_id: str, *roles: str, **more: Any) -> Object:
    return found("User", user_id=user_id, roles=list(roles) or ["nx-admin"], **more)


def texts(*objects: Object, built_in: list[Object] | None = None, **facts: Any) -> dict[str, str]:
    snapshot = Snapshot(SERVER["url"], objects=list(objects), built_in=built_in or [], **facts)
    return files_of(program(snapshot), snapshot, "some")


class Played:
    """Runs a program with stand-ins for the classes, which keep what they are given."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.made: dict[tuple[str, str], dict[str, Any]] = {}
        self.asked: set[str] = set()
        self.modules: dict[str, Any] = {}
        self._import("__main__")

    def _import(self, name: str, *_: Any) -> Any:
        if name == "pulumi":
            config = SimpleNamespace(require_secret=self._secret, get_secret=self._secret)
            output = SimpleNamespace(format=lambda text, *parts: text.format(*parts))
            return SimpleNamespace(Config=lambda: config, Output=output)
        if name == "nexus_registry.providers":
            return SimpleNamespace(**{kind: self._class(kind) for kind in providers.__all__})
        if name not in self.modules:
            space = {"__builtins__": {**vars(builtins), "__import__": self._import}, "__name__": name}
            exec(compile(self.files[f"{name}.py"], name, "exec"), space)  # noqa: S102
            self.modules[name] = SimpleNamespace(**space)
        return self.modules[name]

    def _secret(self, key: str) -> str:
        self.asked.add(key)
        return f"secret {key}"

    def _class(self, kind: str) -> Any:
        def make(name: str, /, **inputs: Any) -> Any:
            assert (kind, name) not in self.made, "two resources with one name"
            self.made[kind, name] = inputs
            return SimpleNamespace(**inputs)

        return make


def agrees(played: Played, one: Object) -> None:
    """The program declares the object with the properties that the server has."""
    kind = one.kind.__name__
    (made,) = [it for (made_kind, _), it in played.made.items() if made_kind == kind and _is(one, it)]
    secrets = {name for name, it in one.kind.declared_properties.items() if it.secret}
    plain = {name: value for name, value in made.items() if name not in secrets}
    needed = dict.fromkeys(secrets & set(made), UNKNOWN)
    kept = checked(kind, {**plain, **needed})
    assert kept is not None, made
    provider: Any = provider_of(one.kind)
    assert provider.mismatches(kept, provider.actual(one.body)) == []


def _is(one: Object, made: Mapping[str, Any]) -> bool:
    return provider_of(one.kind).identity(made) == one.identity
