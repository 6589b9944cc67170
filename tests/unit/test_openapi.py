"""The declared kinds against Nexus's own description of its API."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

import jsonschema
import nexus_registry.providers as providers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nexus_registry.providers.compat import Availability
from nexus_registry.providers.declare import NexusResource
from nexus_registry.providers.repositories import base

from .openapi import VALID, VERSIONS, Api, inputs_of, operation, repository_kinds

API = {version: Api.of(version) for version in VERSIONS}
LATEST = API[VERSIONS[-1]]
KINDS = repository_kinds()
every_kind = pytest.mark.parametrize("cls", KINDS, ids=lambda one: one.__name__)
SERVER = {"url": "https://nexus.example.com", "username": "admin", "password": "x"}

PUT_IN = {"authentication_type": "ntlm", **VALID}
"""Values for what another property requires."""

NOT_DECLARED = {
    "storage.writePolicy": "proxies and groups take no uploads; of theirs the server only returns a value",
    "routingRule": "the name of routingRuleName up to 3.93; both are sent",
    "format": "read-only, and described only for terraform",
    "type": "read-only, and described only for terraform",
    "url": "read-only, and described only for terraform",
    "maven": "of a group, described from 3.88 on only; a group has no policies",
}
"""Properties of the API that no property stands for, and why."""
NOT_DESCRIBED = {
    "npm.removeQuarantined": "gone with 3.94",
    "pypi.removeQuarantined": "gone with 3.94",
}
"""Declared properties that 3.94 does not have, and why."""
MISDESCRIBED = {
    ("POST /v1/repositories/oci/proxy", "ociProxy.indexType"): "its values are one string with commas",
}
"""Where the description of 3.94 is wrong, and how."""
SCHEMAS = {key: LATEST.schema(key) for key in LATEST.repositories}
for _key, _path in MISDESCRIBED:
    _before, _, _name = _path.rpartition(".")
    del SCHEMAS[_key]["properties"][_before]["properties"][_name]["enum"]


def leaves(api: Api, key: str) -> set[str]:
    """The properties of a body that hold no others."""
    return {path for path, facts in api.bodies[key].items() if facts["type"] != "object"}


def declared(cls: type[NexusResource]) -> dict[str, str]:
    """The properties of the kind by their paths in the body."""
    return {".".join(path): name for name, path in cls.provider_class.paths.items()}  # type: ignore[attr-defined]


def test_kinds_are_those_of_api() -> None:
    assert sorted(map(operation, KINDS)) == LATEST.repositories
    assert len(KINDS) == 67


@every_kind
def test_properties_are_those_of_api(cls: type[NexusResource]) -> None:
    of_api, own = leaves(LATEST, operation(cls)), set(declared(cls))
    assert of_api - own <= set(NOT_DECLARED), "missing"
    assert own - of_api <= set(NOT_DESCRIBED), "invented"


def test_exceptions_are_needed() -> None:
    described = {path for key in LATEST.repositories for path in leaves(LATEST, key)}
    missing = {path for cls in KINDS for path in leaves(LATEST, operation(cls)) - set(declared(cls))}
    assert missing == set(NOT_DECLARED) - {"maven"}
    assert not set(NOT_DESCRIBED) & described


@every_kind
@pytest.mark.parametrize("version", VERSIONS)
def test_availability_agrees_with_api(cls: type[NexusResource], version: str) -> None:
    provider: Any = cls.provider_class
    has = operation(cls) in API[version].bodies
    assert (not provider.availability.refusal(f"{version}.0", "PRO")) is has
    if not has:
        return
    of_version = leaves(API[version], operation(cls)) | {"routingRuleName"} & set(declared(cls))
    wrong = {
        path
        for path, name in declared(cls).items()
        if (not provider.field_availability.get(name, Availability()).refusal(f"{version}.0", "PRO"))
        is not (path in of_version)
    }
    assert not wrong


@every_kind
@pytest.mark.kinds(on="schema")
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
@given(data=st.data())
def test_bodies_are_valid(cls: type[NexusResource], data: st.DataObject) -> None:
    provider: Any = cls.provider_class()
    news = {"connection": SERVER, **data.draw(inputs_of(cls))}
    for _ in range(4):  # what contradicts another property is taken out, and what another one requires put in
        result = provider.check({}, news)
        for failure in result.failures:
            news[failure.property] = PUT_IN.get(failure.property, "x") if failure.property not in news else None
    assert not [(one.property, one.reason) for one in result.failures]
    body = provider.to_body(result.inputs)
    body.pop("routingRule", None)
    for path in NOT_DESCRIBED:
        if path in declared(cls):
            _drop(body, path)
    jsonschema.validate(without_none(body), SCHEMAS[operation(cls)])


def _drop(body: dict[str, Any], path: str) -> None:
    before, _, name = path.rpartition(".")
    rest = body.get(before, {})
    rest.pop(name, None)
    if not rest:
        body.pop(before, None)


def without_none(value: Any) -> Any:
    """The value without members that are null, which the description does not tell from missing ones."""
    if isinstance(value, dict):
        return {key: without_none(one) for key, one in value.items() if one is not None}
    return value


@every_kind
def test_smallest_inputs_are_accepted(cls: type[NexusResource]) -> None:
    """Smallest inputs are taken."""
    samples = {
        "name": "some-name",
        "remote_url": "https://example.com",
        "member_names": ["a"],
        "distribution": "bookworm",
        "signing_keypair": VALID["signing_keypair"],
    }
    needed = {name: samples[name] for name, one in cls.declared_properties.items() if one.required}
    result = cls.provider_class().check({}, {"connection": SERVER, **needed})
    assert not [(one.property, one.reason) for one in result.failures]


def test_exports_for_type_checkers_and_programs_agree() -> None:
    tree = ast.parse(Path(inspect.getfile(providers)).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    for_checkers = {
        (node.module, name.name) for node in block.body if isinstance(node, ast.ImportFrom) for name in node.names
    }
    assert for_checkers == {(module, name) for module, names in providers.MODULES.items() for name in names}
    assert [name for name in providers.__all__ if not hasattr(providers, name)] == []


def test_every_module_of_repositories_is_exported() -> None:
    folder = Path(inspect.getfile(base)).parent
    modules = {f"repositories.{one.stem}" for one in folder.glob("*.py")}
    others = {"repositories.__init__", "repositories.base", "repositories.connectors", "repositories.upstream"}
    assert modules - others == {one for one in providers.MODULES if one.startswith("repositories.")}
