"""A stack with one resource of each kind, on each engine."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nexus_registry.providers as providers
import pytest
from nexus_registry.providers.resource import TrackedResource

from docs.examples import OPENPGP_KEY
from docs.generate import COVERAGE
from sandbox.pki import Authority
from sandbox.stack import Stack, open_stack
from tests.contract.docker_api import Api
from tests.contract.server import Nexus
from tests.lifecycle.conftest import ENGINES
from tests.unit.openapi import RSA_KEY

PROGRAM = Path(__file__).parents[1] / "lifecycle/programs/one_of_each"
NOT_IN_IT = {
    "ActiveRealms": "excludes RealmActivation: test_directory.py",
    "Keystore": "is no object of Nexus",
    "LdapServer": "needs a directory: test_directory.py",
    "LdapServerOrder": "needs an LdapServer",
    "S3BlobStore": "needs a bucket: test_s3.py",
}
"""Kinds that a server here has and that the program does not make, and why."""


@pytest.fixture(params=ENGINES)
def stack(request: pytest.FixtureRequest, nexus: Nexus, admin: Api, tmp_path: Path) -> Iterator[Stack]:
    program = tmp_path / "program"
    shutil.copytree(PROGRAM, program)
    (program / ".venv").symlink_to(sys.prefix)
    stack = open_stack(request.param, program=program, name="dev", work=tmp_path / "work", passphrase="right")
    settings: dict[str, Any] = {
        "registry_port": nexus.connector_port(),
        "openpgp_key": OPENPGP_KEY,
        "rsa_key": RSA_KEY,
        "certificate": Authority.create("each").certificate_pem,
        "nexus-registry:url": nexus.url,
        "nexus-registry:version": "3.94.0-01",
    }
    for key, value in settings.items():
        stack.set_config(key, value)
    for key in ("admin_password", "nexus-registry:password"):
        stack.set_config(key, nexus.password, secret=True)
    nexus.play("3.94.0-01")
    licence = admin.ok("GET", "system/eula")
    yield stack
    assert stack.destroy().changed().keys() <= {"delete"}
    admin.ok("POST", "system/eula", licence)
    nexus.play()


pytestmark = pytest.mark.xdist_group("contract")


def test_one_of_each_kind_is_created_unchanged_and_destroyed(stack: Stack, admin: Api) -> None:
    before = [one["name"] for one in admin.ok("GET", "repositories")]
    assert set(stack.up().changed()) == {"create"}
    made = {one["type"].rpartition(":")[2].rpartition("/")[2] for one in stack.export()["resources"]}
    kinds = {
        one.__name__
        for one in (getattr(providers, name) for name in providers.__all__)
        if isinstance(one, type) and issubclass(one, TrackedResource)
    }
    kinds -= set(re.findall(r"^\| `(\w+)` .*\| fake; schema \|$", COVERAGE.read_text(), re.MULTILINE))
    assert kinds - made == {*NOT_IN_IT, "RegistryCheck"}
    assert "RegistryProof" in made, "the type token of RegistryCheck"
    assert stack.preview(expect_no_changes=True).changed() == {}
    assert stack.refresh(expect_no_changes=True).changed() == {}
    assert set(stack.destroy().changed()) == {"delete"}
    assert [one["name"] for one in admin.ok("GET", "repositories")] == before
