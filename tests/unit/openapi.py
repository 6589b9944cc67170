"""The digests in ``tests/data/openapi``: what Nexus's API takes in each version, and inputs for a kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nexus_registry.providers as providers
from hypothesis import strategies as st
from nexus_registry.providers.declare import NexusResource, Prop
from nexus_registry.providers.repositories.base import Repository
from nexus_registry.providers.schema import limits

FOLDER = Path(__file__).parents[1] / "data/openapi"
VERSIONS = ("3.74", "3.82", "3.94")
VALID = {
    "remote_url": "https://example.com/a",
    "index_url": "https://example.com/i",
    "symbol_server_url": "https://example.com/s",
    "index_path": "/simple",
    "name": "some-name",
    "signing_keypair": "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----",
}
"""Values for properties whose check does not tell all of what it takes."""


@dataclass(frozen=True)
class Api:
    """The bodies that a version of Nexus takes: by operation, by path of the property, its facts."""

    version: str
    bodies: Mapping[str, Mapping[str, Mapping[str, Any]]]

    @classmethod
    def of(cls, version: str) -> Api:
        told = json.loads((FOLDER / f"{version}.0.json").read_text())
        rows = told["properties"]
        return cls(version, {key: dict(rows[one] for one in own) for key, own in told["operations"].items()})

    def schema(self, operation: str) -> dict[str, Any]:
        """The JSON schema of a body, which takes no other properties than those."""
        root = _object()
        objects = {"": root}
        for path, facts in self.bodies[operation].items():
            before, _, name = path.rpartition(".")
            objects[path] = one = _object() if facts["type"] == "object" else _value(facts)
            objects[before]["properties"][name] = one
            objects[before]["required"] += [name] if facts["required"] else []
        return root


def _object() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def _value(facts: Mapping[str, Any]) -> dict[str, Any]:
    low, high = {
        "string": ("minLength", "maxLength"),
        "array": ("minItems", "maxItems"),
    }.get(facts["type"], ("minimum", "maximum"))
    named = {"min": low, "max": high}
    made = {named.get(key, key): value for key, value in facts.items() if key in ("enum", "pattern", "min", "max")}
    if "items" in facts:
        made["items"] = {"type": facts["items"]}
    return {"type": facts["type"], **made}


def operation(cls: type[NexusResource]) -> str:
    """What creates an object of the kind."""
    settings: Any = cls.provider_class
    return f"POST /v1/repositories/{settings.format}/{settings.type}"


def repository_kinds() -> list[type[NexusResource]]:
    """Every kind of repository that the package exports."""
    exported = [getattr(providers, name) for name in providers.__all__]
    return [one for one in exported if isinstance(one, type) and issubclass(one, Repository)]


def inputs_of(cls: type[NexusResource]) -> st.SearchStrategy[dict[str, Any]]:
    """Inputs for a kind: the required ones, and any of the others."""
    known = {name: one for name, one in cls.declared_properties.items() if one.check and one.path}
    required = {name: _values(one) for name, one in known.items() if one.required}
    others = {name: _values(one) for name, one in known.items() if not one.required}
    return st.fixed_dictionaries(required, optional=others)


def _values(one: Prop[Any]) -> st.SearchStrategy[Any]:
    if one.name in VALID:
        return st.just(VALID[one.name])
    assert one.check is not None
    return _taken(limits(one.check))


def _taken(told: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """What a check with these limits takes."""
    match told["form"]:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.sampled_from([told["low"], told["high"]]) | st.integers(told["low"], told["high"])
        case "choice":
            return st.sampled_from(told["values"])
        case "text":
            return st.just("x" * told["max_length"] if told["max_length"] else "some text") | st.just("x")
        case "set" | "list":
            least, most = told.get("least", 0), told.get("most") or 4
            return st.lists(st.sampled_from("abcdefgh"), min_size=least, max_size=most, unique=True)
    raise AssertionError(f"no values for {told}")
