"""The declared kinds against Nexus's own description of its API."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import nexus_registry.providers as providers
import pytest
from nexus_registry.providers.compat import Availability
from nexus_registry.providers.declare import NexusResource
from nexus_registry.providers.repositories import base

from .openapi import VERSIONS, Api, declared, operation, repository_kinds

API = {version: Api.of(version) for version in VERSIONS}
LATEST = API[VERSIONS[-1]]
KINDS = repository_kinds()
every_kind = pytest.mark.parametrize("cls", KINDS, ids=lambda one: one.__name__)

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


def leaves(api: Api, key: str) -> set[str]:
    """The properties of a body that hold no others."""
    return {path for path, facts in api.bodies[key].items() if facts["type"] != "object"}


def test_kinds_are_those_of_api() -> None:
    assert sorted(map(operation, KINDS)) == LATEST.repositories


@every_kind
def test_properties_are_those_of_api(cls: type[NexusResource]) -> None:
    of_api, own = leaves(LATEST, operation(cls)), set(declared(cls))
    assert of_api - own <= set(NOT_DECLARED), "add a property, or an entry in NOT_DECLARED"
    assert own - of_api <= set(NOT_DESCRIBED), "correct the path, or add an entry to NOT_DESCRIBED"


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


def test_package_is_imported_without_its_kinds() -> None:
    """The import takes no time; that of a kind takes what this kind needs."""
    program = "import sys, pulumi, nexus_registry.providers as kinds{}; print(*sys.modules)"

    def loaded(use: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-c", program.format(use)], capture_output=True, text=True, check=True
        )
        prefix = "nexus_registry.providers."
        return {one.removeprefix(prefix) for one in done.stdout.split() if one.startswith(prefix)}

    assert loaded("") == set()
    assert loaded("; kinds.Role") & set(providers.MODULES) == {"client", "security.role"}


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
    names = ("__init__", "base", "cleanup", "connectors", "images", "lifecycle", "signing", "upstream")
    others = {f"repositories.{name}" for name in names}
    assert modules - others == {one for one in providers.MODULES if one.startswith("repositories.")}
