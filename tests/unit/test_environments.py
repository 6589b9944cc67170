"""The stack files in this repository: right as far as a file can be, with placeholders for what is secret."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from nexus_registry.components.settings import SECRETS

from sandbox.paths import PROJECT
from sandbox.stackfile import StackFile

from .certs import good
from .components import Recorder
from .test_settings import configure, mistakes, read

pytestmark = pytest.mark.usefixtures("sdk")
STACKS = ("staging", "prod")
PROMOTE = PROJECT / "examples/pipelines/ci/promote.sh"


def stated(stack: str) -> dict[str, Any]:
    """What the file of a stack says, and placeholders for the secrets that its comments tell to set."""
    text = (PROJECT / f"Pulumi.{stack}.yaml").read_text()
    values: dict[str, Any] = {
        key.removeprefix("nexus-registry:"): value for key, value in yaml.safe_load(text)["config"].items()
    }
    passwords = {user: "placeholder" for key in ("pushers", "pullers") for user in values.get(key, [])}
    values |= {"ssh_private_key": "placeholder", "admin_password": "placeholder"}
    values |= {"keystore_password": "placeholder", "user_passwords": passwords}
    if "certificate_path" not in values:
        values |= {"hostname": "nexus.example.com"}
        values |= {key: good()[key] for key in ("certificate", "private_key")}
    return values


@pytest.mark.parametrize("stack", STACKS)
def test_stack_file_is_right_once_its_secrets_are_set(stack: str) -> None:
    settings = read(stated(stack))
    assert settings.server.ssh.host_key, "the host's identity is checked"


def test_getting_started_page_works_on_production_file() -> None:
    """Its commands set single keys; whatever else the file says must go with them."""
    passwords = {"ci": "placeholder", "cluster": "placeholder"}
    settings = read({**stated("prod"), "pullers": ["cluster"], "user_passwords": passwords})
    assert settings.registry.https_port == 5000
    assert settings.server.heap_mb == 2703


@pytest.mark.parametrize("stack", STACKS)
def test_stack_file_holds_no_secret(stack: str) -> None:
    values = yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text())["config"]
    assert not {key.removeprefix("nexus-registry:") for key in values} & SECRETS


@pytest.mark.parametrize("stack", STACKS)
def test_every_mistake_of_stack_file_is_in_one_list(stack: str) -> None:
    wrong = {
        "version": "3.76",
        "admin_password": None,
        "heap_mb": "much",
        "data_dir": "/",
        "registry_https_port": 0,
    }
    assert set(mistakes({**stated(stack), **wrong})) == set(wrong)


def test_production_keeps_its_data() -> None:
    settings = read(stated("prod"))
    assert (settings.registry.force_destroy, settings.server.purge_data, settings.protect) == (False, False, True)


@pytest.mark.parametrize("protect", [True, False])
def test_protect_covers_resources_with_data_only(protect: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, bool] = {}
    register: Any = pulumi.runtime.mocks.MockMonitor.RegisterResource

    def note(self: Any, request: Any) -> Any:
        found[request.name] = request.protect
        return register(self, request)

    monkeypatch.setattr(pulumi.runtime.mocks.MockMonitor, "RegisterResource", note)
    pulumi.runtime.set_mocks(Recorder(), project="nexus-registry", preview=False)
    configure({**stated("staging"), "protect": protect})
    program = str(PROJECT / "__main__.py")
    pulumi.runtime.test(lambda: (runpy.run_path(program), None)[1])()  # type: ignore[no-untyped-call]
    assert {"nexus-service", "registry:ci"} < set(found)
    protected = {name for name, is_protected in found.items() if is_protected}
    assert protected == ({"nexus-account", "registry-repository"} if protect else set())


def test_review_opens_with_public_passphrase() -> None:
    file = PROJECT / "Pulumi.review.yaml"
    config = StackFile(file, "review").load(PROJECT, "review")
    secret = {key.removeprefix("nexus-registry:") for key in config.secrets}
    assert secret == {"ssh_private_key", "admin_password", "keystore_password", "user_passwords"}
    for key in config.secrets:
        assert set(config.values[key].split('"')[3::4] or [config.values[key]]) == {"placeholder"}
    assert "PULUMI_CONFIG_PASSPHRASE=review" in file.read_text()


def test_promotion_copies_version_and_nothing_else(tmp_path: Path) -> None:
    for stack in STACKS:
        (tmp_path / f"Pulumi.{stack}.yaml").write_text((PROJECT / f"Pulumi.{stack}.yaml").read_text())
    staging, prod = (tmp_path / f"Pulumi.{stack}.yaml" for stack in STACKS)
    staging.write_text(staging.read_text().replace("3.76.1-01", "3.77.0-08").replace('"0000', '"1111'))
    before = prod.read_text()
    done = subprocess.run(["sh", PROMOTE, "staging", "prod"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert prod.read_text() == before.replace("3.76.1-01", "3.77.0-08").replace('"0000', '"1111')


def test_promotion_refuses_stack_without_version(tmp_path: Path) -> None:
    for stack in STACKS:
        (tmp_path / f"Pulumi.{stack}.yaml").write_text("config: {}\n")
    done = subprocess.run(["sh", PROMOTE, *STACKS], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Pulumi.staging.yaml has no line nexus-registry:version" in done.stderr
