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
from nexus_registry.providers.schema import Invalid, limits

from docs.examples import OPENPGP_KEY
from sandbox.pki import Authority

FOLDER = Path(__file__).parents[1] / "data/openapi"
REPOSITORIES = "POST /v1/repositories/"
VERSIONS = ("3.74", "3.82", "3.94")
VALID = {
    "remote_url": "https://example.com/a",
    "index_url": "https://example.com/i",
    "symbol_server_url": "https://example.com/s",
    "url": "https://example.com/u",
    "override_url": "https://example.com/o",
    "path": "some/path",
    "index_path": "/simple",
    "name": "some-name",
    "recurring_days": [1, 5],
}
"""Values for properties whose check does not tell all of what it takes."""
RSA_KEY = "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----"


@dataclass(frozen=True)
class Api:
    """The bodies that a version of Nexus takes: by operation, by path of the property, its facts."""

    version: str
    bodies: Mapping[str, Mapping[str, Mapping[str, Any]]]
    writes: frozenset[str]
    """Every POST and PUT."""

    @classmethod
    def of(cls, version: str) -> Api:
        description = json.loads((FOLDER / f"{version}.0.json").read_text())
        rows = description["properties"]
        bodies = {key: dict(rows[one] for one in own) for key, own in description["operations"].items()}
        writes = frozenset(description["writes"])
        of_puts = {
            f"PUT{key.removeprefix('POST')}/{{repositoryName}}": body
            for key, body in bodies.items()
            if key.startswith(REPOSITORIES)
        }
        assert of_puts.keys() <= writes
        return cls(version, {**of_puts, **bodies}, writes)

    @property
    def repositories(self) -> list[str]:
        """What creates a repository."""
        return sorted(key for key in self.bodies if key.startswith(REPOSITORIES))

    def schema(self, operation: str) -> dict[str, Any]:
        """The JSON schema of a body, which takes no other properties than those."""
        root = _object()
        objects = {"": root}
        for path, facts in self.bodies[operation].items():
            before, _, name = path.rpartition(".")
            objects[path] = one = _object() if facts["type"] == "object" else _value(facts)
            if "values" in facts:
                one["additionalProperties"] = {"type": facts["values"]} if facts["values"] else {}
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


def declared(cls: type[NexusResource]) -> dict[str, str]:
    """The properties of the kind by their paths in the body."""
    return {".".join(path): name for name, path in cls.provider_class.paths.items()}  # type: ignore[attr-defined]


def repository_kinds() -> list[type[NexusResource]]:
    """Every kind of repository that the package exports."""
    exported = [getattr(providers, name) for name in providers.__all__]
    return [one for one in exported if isinstance(one, type) and issubclass(one, Repository)]


def inputs_of(cls: type[NexusResource], name: str = "") -> st.SearchStrategy[Any]:
    """Inputs for a kind: the required ones, and any of the others; or values for one property."""
    if name:
        return _values(cls.declared_properties[name])
    known = {name: one for name, one in cls.declared_properties.items() if one.check and one.path}
    required = {name: _values(one) for name, one in known.items() if one.required}
    others = {name: _values(one) for name, one in known.items() if not one.required}
    return st.fixed_dictionaries(required, optional=others)


def _values(one: Prop[Any]) -> st.SearchStrategy[Any]:
    if one.name in VALID:
        return st.just(VALID[one.name])
    assert one.check is not None
    check_limits = limits(one.check)
    if check_limits.get("pattern"):
        return st.sampled_from(_MATCHING).filter(lambda value: _takes(one, value))
    return (
        _taken(check_limits)
        if check_limits
        else st.sampled_from(_MATCHING).filter(lambda value: _takes(one, value))
    )


_MATCHING = (
    "x",
    "X-Header",
    "https://example.com/a",
    "someone@example.com",
    "host.example.com",
    "0 30 2 * * ?",
    "2126-01-31T02:30:00+01:00",
    "+01:00",
    "10.0.0.0/8",
    "<xml/>",
    "bGljZW5jZQ==",
    ["a", "NexusAuthenticatingRealm"],
    ["10.0.0.0/8", "::1"],
    ["audit", "repository"],
    ["asset"],
    {"10.0.0.0/8": "office"},
    ["eu-central-1=some-bucket"],
    "some-bucket",
    "account1",
    True,
    Authority.create("a").certificate_pem,
    OPENPGP_KEY,
    RSA_KEY,
)
"""Values for checks whose limits are not known: those that a check accepts are used."""


def _takes(one: Prop[Any], value: Any) -> bool:
    assert one.check is not None
    try:
        one.check(value)
    except Invalid:
        return False
    return True


def _taken(check_limits: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """What a check with these limits takes."""
    match check_limits["form"]:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.sampled_from([check_limits["low"], check_limits["high"]]) | st.integers(
                check_limits["low"], check_limits["high"]
            )
        case "choice":
            return st.sampled_from(check_limits["values"])
        case "text":
            return st.just(
                "x" * check_limits["max_length"] if check_limits["max_length"] else "some text"
            ) | st.just("x")
        case "set" | "list":
            least, most = check_limits.get("least", 0), check_limits.get("most") or 4
            of_item = limits(check_limits["item"])
            choices = of_item.get("form") in ("choice", "integer")
            items = _taken(of_item) if choices else st.sampled_from("abcdefgh")
            return st.lists(items, min_size=least, max_size=most, unique=True)
        case "map":
            return st.dictionaries(st.sampled_from("abcdefgh"), st.just("x"), max_size=3)
    raise AssertionError(f"no values for {check_limits}")
