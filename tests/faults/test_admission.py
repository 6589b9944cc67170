"""Authentication and authorisation of a whole registry, with a real Docker client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from nexus_registry.providers.client import NexusClient, client_for

from sandbox import tls
from sandbox.dev import Dev
from sandbox.docker import DockerClient
from sandbox.shell import CommandFailed

from ..contract.docker_api import Registry

DATA = "/var/lib/nexus"


def people(dev: Dev, pushers: Mapping[str, str], pullers: Mapping[str, str]) -> None:
    """One ``up`` with these users, each with a password."""
    passwords = {"ci": dev.facts["ci_password"], **pushers, **pullers}
    dev.settle(pushers=["ci", *pushers], pullers=[*pullers], user_passwords=passwords)


@pytest.fixture
def image(registry: Dev, docker: DockerClient) -> str:
    """The name of an image that is in the registry and in the client's cache."""
    name = f"{registry.login_server}/admitted:1"
    docker.make_image(name)
    docker.docker("push", name, config=docker.login(registry.login_server, "ci", registry.facts["ci_password"]))
    return name


def may(docker: DockerClient, verb: str, image: str, config: Path | None) -> bool:
    """Whether this user can log in and pull; the cache of the client is empty."""
    if verb == "pull":
        docker.docker("image", "rm", "--force", image, check=False)
    done = docker.docker(verb, image, config=config, check=False)
    if verb == "pull" and done.returncode:
        docker.make_image(image)
    return done.returncode == 0


def token_of(dev: Dev, user: str, password: str) -> Registry:
    """The registry as someone who kept the token of an earlier login."""
    url, ca = f"https://{dev.login_server}", str(dev.folder / "ca/ca.pem")
    answer = Registry(url, auth=(user, password), verify=ca).call("GET", "/v2/token?service=x")
    kept = Registry(url, token=answer.json()["token"], verify=ca)
    assert kept.call("GET", "/v2/").status_code == 200
    return kept


@pytest.fixture
def dana(registry: Dev, docker: DockerClient) -> tuple[Path, Registry]:
    """A user who may push, as a Docker client and with a token; anonymous pull is off."""
    registry.settle(anonymous_pull=False)
    people(registry, {"dana": "dana-pw-1"}, {})
    login = docker.login(registry.login_server, "dana", "dana-pw-1")
    return login, token_of(registry, "dana", "dana-pw-1")


def administrator(dev: Dev) -> NexusClient:
    connection = {"url": dev.url, "username": "admin", "password": dev.facts["admin_password"]}
    return client_for({**connection, "ca": dev.authority.certificate_pem})  # type: ignore[typeddict-item]


def test_push_and_pull_follow_roles_and_anonymous_access(registry: Dev, docker: DockerClient, image: str) -> None:
    people(registry, {"dana": "dana-pw-1"}, {"reader": "reader-pw-1"})
    passwords = {"ci": registry.facts["ci_password"], "dana": "dana-pw-1", "reader": "reader-pw-1"}
    logins = {user: docker.login(registry.login_server, user, password) for user, password in passwords.items()}
    everybody: dict[str, Path | None] = {**logins, "nobody": None}
    assert {user for user in everybody if may(docker, "push", image, everybody[user])} == {"ci", "dana"}
    assert {user for user in everybody if may(docker, "pull", image, everybody[user])} == {*everybody}
    registry.settle(anonymous_pull=False)
    assert {user for user in everybody if may(docker, "push", image, everybody[user])} == {"ci", "dana"}
    assert {user for user in everybody if may(docker, "pull", image, everybody[user])} == {*logins}


def test_removed_user_loses_password_and_token_at_once(
    registry: Dev, docker: DockerClient, image: str, dana: tuple[Path, Registry]
) -> None:
    login, kept = dana
    people(registry, {}, {})
    assert not may(docker, "push", image, login)
    assert not may(docker, "pull", image, login)
    assert kept.call("GET", "/v2/").status_code == 401
    with pytest.raises(CommandFailed, match="401"):
        docker.login(registry.login_server, "dana", "dana-pw-1")


def test_disabled_account_is_enabled_by_up_with_refresh(
    registry: Dev, docker: DockerClient, image: str, dana: tuple[Path, Registry]
) -> None:
    login, kept = dana
    users = administrator(registry)
    (there,) = (one for one in users.get_list("/v1/security/users", userId="dana") if one["userId"] == "dana")
    users.put("/v1/security/users/dana", {**there, "status": "locked"})
    registry.settle()
    assert not may(docker, "push", image, login)
    assert kept.call("GET", "/v2/").status_code == 401
    corrected = registry.stack.up(refresh=True)
    assert corrected.ok, corrected.error
    assert may(docker, "push", image, login)


@pytest.fixture
def newer(registry: Dev) -> Iterator[None]:
    """The stand-in behaves as a version with a login limiter, its licence accepted."""
    switch = f"{DATA}/etc/standin.json"
    registry.host.ssh(f'echo \'{{"play_version": "3.96.0-01"}}\' >{switch}; chown nexus: {switch}')
    nexus = administrator(registry)
    nexus.post("/v1/system/eula", {**nexus.get_object("/v1/system/eula"), "accepted": True})
    yield
    registry.host.ssh(f"rm {switch}")


@pytest.mark.usefixtures("newer")
def test_locked_account_is_unlocked_by_new_password(registry: Dev, docker: DockerClient, image: str) -> None:
    registry.settle(anonymous_pull=False)
    people(registry, {"dana": "dana-pw-1"}, {})
    for password in ("wrong-1", "wrong-2", "wrong-3", "wrong-4", "dana-pw-1"):
        with pytest.raises(CommandFailed):
            docker.login(registry.login_server, "dana", password)
    assert may(docker, "pull", image, docker.login(registry.login_server, "ci", registry.facts["ci_password"]))
    people(registry, {"dana": "dana-pw-2"}, {})
    assert may(docker, "push", image, docker.login(registry.login_server, "dana", "dana-pw-2"))


@pytest.mark.full_faults
def test_https_and_connector_offer_tls_1_2_and_1_3_only(registry: Dev) -> None:
    for port in ("https_port", "registry_https_port"):
        assert tls.protocols(registry.facts[port]) == {"TLS1_2", "TLS1_3"}, port
