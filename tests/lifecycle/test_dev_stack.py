"""The whole program on each engine: a bare host becomes a registry, is changed in every way, and goes again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from sandbox import demo
from sandbox.dev import Dev, passing_dev_stack
from sandbox.docker import DockerClient
from sandbox.shell import CommandFailed, free_port
from sandbox.stack import Result

from .conftest import ENGINES


@pytest.fixture(params=ENGINES)
def dev(request: pytest.FixtureRequest) -> Iterator[Dev]:
    with passing_dev_stack(f"stack-{request.param}", engine=request.param) as made:
        yield made


@pytest.fixture
def docker(dev: Dev) -> Iterator[DockerClient]:
    with dev.docker() as client:
        yield client


def urns(dev: Dev, *names: str) -> list[str]:
    found = {one["urn"].rpartition("::")[2]: one["urn"] for one in dev.stack.export()["resources"]}
    return [found[name] for name in names]


def touched(result: Result) -> set[str]:
    """Names of the resources that an operation changed."""
    return {urn.rpartition("::")[2] for operation, urn in result.steps if operation not in ("same", "read")}


def main_pid(dev: Dev) -> str:
    return dev.host.ssh("systemctl show --property=MainPID --value nexus").stdout.strip()


def served_fingerprint(dev: Dev, port: int) -> str:
    handshake = subprocess.run(
        ["openssl", "s_client", "-connect", f"localhost:{port}"],
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
        input=handshake.stdout, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return shown.stdout.strip().rpartition("=")[2].replace(":", "").lower()


def bare_host_becomes_registry_for_docker(dev: Dev, docker: DockerClient) -> None:
    """A bare host becomes a registry that docker pushes to and pulls from."""
    created = dev.stack.up().changed()
    assert created == {"create": len(dev.stack.export()["resources"])}
    demo.prove(dev, docker, say=lambda _line: None)


def nothing_changes_and_nothing_is_called(dev: Dev) -> None:
    """A second up changes nothing and sends no request."""
    requests = (dev.host.root / "var/lib/nexus/log/request.log").read_text()
    writes, sessions = demo.api_writes(dev), demo.ssh_sessions(dev)
    assert dev.stack.preview(expect_no_changes=True).changed() == {}
    assert (dev.host.root / "var/lib/nexus/log/request.log").read_text() == requests
    assert dev.stack.up(expect_no_changes=True).changed() == {}
    assert dev.stack.refresh(expect_no_changes=True).changed() == {}
    assert dev.stack.preview(expect_no_changes=True).changed() == {}
    assert demo.api_writes(dev) == writes
    assert demo.ssh_sessions(dev) == sessions


def older_version_is_refused_in_preview(dev: Dev) -> None:
    dev.stack.set_config("version", "3.62.0-01")
    refused = dev.stack.preview()
    dev.stack.set_config("version", "3.71.0-06")
    assert not refused.ok
    assert "version" in refused.error
    assert "can't read its database" in refused.error


def no_secret_is_readable_in_state_or_stack_file(dev: Dev) -> None:
    kept = dev.stack.state_file.read_text() + (dev.folder / "config" / "Pulumi.dev.yaml").read_text()
    for key in ("admin_password", "keystore_password", "ci_password"):
        assert dev.facts[key] not in kept, key
    assert "PRIVATE KEY" not in kept
    assert dev.stack.outputs()["docker_config_json"] == "[secret]"
    login = json.loads(dev.stack.outputs(show_secrets=True)["docker_config_json"])
    assert login["auths"][dev.login_server]["password"] == dev.facts["ci_password"]


def new_certificate_is_served_without_restart(dev: Dev) -> None:
    pid, before = main_pid(dev), served_fingerprint(dev, dev.facts["https_port"])
    dev.certify(key="ec", days=30)
    result = dev.stack.up()
    assert result.changed() == {"update": 4}
    assert touched(result) == {"nexus-keystore", "nexus-keystore-file", "nexus-service", "registry-proof"}
    ports = ("https_port", "registry_https_port")
    after = {served_fingerprint(dev, dev.facts[port]) for port in ports}
    assert (len(after), before in after, main_pid(dev)) == (1, False, pid)


def new_port_changes_registry_only(dev: Dev, docker: DockerClient) -> None:
    """A new port moves the registry and touches nothing else."""
    pid = main_pid(dev)
    dev.facts["registry_https_port"] = free_port()
    dev.stack.set_config("registry_https_port", dev.facts["registry_https_port"])
    result = dev.stack.up()
    assert touched(result) == {"registry-port", "registry-repository", "registry-proof"}
    assert result.changed() == {"update": 3}
    assert main_pid(dev) == pid
    docker.trust(dev.login_server, dev.authority.certificate_pem)
    demo.prove(dev, docker, say=lambda _line: None)


def more_heap_restarts_once(dev: Dev) -> None:
    pid = main_pid(dev)
    dev.stack.set_config("heap_mb", 1100)
    result = dev.stack.up()
    assert touched(result) == {"nexus-prepare", "nexus-service", "registry-proof"}
    assert main_pid(dev) != pid
    assert "-Xmx1100m" in dev.host.ssh("systemctl cat nexus").stdout


def new_admin_password_replaces_old_one(dev: Dev) -> None:
    """The new admin password is valid and the old one is not."""
    pid = main_pid(dev)
    dev.stack.set_config("admin_password", "another-admin-password", secret=True)
    result = dev.stack.up()
    assert result.changed() == {"update": 7}
    assert main_pid(dev) == pid
    refreshed = dev.stack.refresh(expect_no_changes=True)
    assert refreshed.changed() == {}


def new_role_user_and_password(dev: Dev, docker: DockerClient) -> None:
    """A new role and user are added and a users password is changed."""
    dev.stack.set_config("pullers", ["reader"])
    dev.facts["ci_password"] = "another-ci-password"
    dev.stack.set_config("user_passwords", {"ci": "another-ci-password", "reader": "reader-password"}, secret=True)
    result = dev.stack.up()
    assert result.changed() == {"create": 2, "update": 2}
    assert touched(result) == {"registry-pull", "registry:reader", "registry:ci", "registry-proof"}
    reader = docker.login(dev.login_server, "reader", "reader-password")
    docker.make_image(f"{dev.login_server}/hello-world:3")
    refused = docker.docker("push", f"{dev.login_server}/hello-world:3", config=reader, check=False)
    assert refused.returncode != 0
    docker.docker("pull", f"{dev.login_server}/hello-world:1", config=reader)


def repository_with_images_needs_force_destroy_first(dev: Dev, docker: DockerClient) -> None:
    """A repository with images is not replaced until an up of its own allowed it."""
    (repository,) = urns(dev, "registry-repository")
    refused = dev.stack.up(replace=[repository])
    assert not refused.ok
    assert "force_destroy=True" in refused.error
    docker.pull_anew(f"{dev.login_server}/hello-world:1")
    assert dev.stack.up(expect_no_changes=True).changed() == {}

    dev.stack.set_config("force_destroy", True)
    assert dev.stack.up().changed() == {"update": 1}
    result = dev.stack.up(replace=[repository])
    # The roles get the new repository's privileges written again, and the proof looks again.
    assert result.changed() == {"replace": 1, "update": 3}
    assert touched(result) == {"registry-repository", "registry-push", "registry-pull", "registry-proof"}
    demo.prove(dev, docker, say=lambda _line: None)


def every_kind_survives_forced_replacement(dev: Dev) -> None:
    """Every kind inside Nexus can be replaced by force, and exists afterwards."""
    kinds = (
        "registry-repository", "registry-push", "registry:ci", "nexus-docker-realm", "nexus-anonymous",
        "nexus-admin-password", "registry-proof", "nexus-keystore",
    )  # fmt: skip
    result = dev.stack.up(replace=urns(dev, *kinds))
    assert result.changed()["replace"] == len(kinds)
    assert dev.stack.refresh(expect_no_changes=True).changed() == {}
    assert dev.stack.up(expect_no_changes=True).changed() == {}


def destroy_leaves_nothing_but_data_dir(dev: Dev) -> None:
    assert set(dev.stack.destroy().changed()) == {"delete"}
    root = dev.host.root
    for gone in ("etc/systemd/system/nexus.service", "opt/nexus", "var/lib/nexus-registry"):
        assert not (root / gone).exists(), gone
    assert dev.host.ssh("id nexus", check=False).returncode != 0
    assert (root / "var/lib/nexus/db").is_dir()
    assert dev.stack.export()["resources"] == []


def existing_data_dir_is_adopted_with_its_password_only(dev: Dev) -> None:
    """A data directory that exists is used, and another admin password is refused."""
    dev.stack.set_config("admin_password", "not-the-one-in-the-database", secret=True)
    before = demo.refused_logins(dev)
    result = dev.stack.up()
    assert not result.ok
    assert "current_admin_password" in result.error
    assert demo.refused_logins(dev) == before + 1
    dev.stack.set_config("admin_password", "another-admin-password", secret=True)
    dev.stack.up().changed()
    owner = dev.host.ssh("stat --format=%U /var/lib/nexus/db").stdout.strip()
    assert owner == "nexus"
    dev.stack.destroy().changed()


def test_stack_through_its_life(dev: Dev, docker: DockerClient) -> None:
    """The steps of one stack, in order: each continues where the one before ended."""
    bare_host_becomes_registry_for_docker(dev, docker)
    nothing_changes_and_nothing_is_called(dev)
    older_version_is_refused_in_preview(dev)
    no_secret_is_readable_in_state_or_stack_file(dev)
    new_certificate_is_served_without_restart(dev)
    new_port_changes_registry_only(dev, docker)
    more_heap_restarts_once(dev)
    new_admin_password_replaces_old_one(dev)
    new_role_user_and_password(dev, docker)
    repository_with_images_needs_force_destroy_first(dev, docker)
    every_kind_survives_forced_replacement(dev)
    destroy_leaves_nothing_but_data_dir(dev)
    existing_data_dir_is_adopted_with_its_password_only(dev)


def test_failing_step_names_property_and_remedy() -> None:
    """An error of a host step, through SSH and the engine to the last line."""
    with passing_dev_stack("refusals") as dev:
        dev.stack.set_config("archive_sha256", "0" * 64)
        result = dev.stack.up()
        assert not result.ok
        assert "archive_sha256" in result.error
        assert not (dev.host.root / "opt/nexus/nexus-3.71.0-06").exists()
        dev.stack.destroy()
    with pytest.raises(CommandFailed):
        dev.host.ssh("true")
