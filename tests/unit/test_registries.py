"""What a registry, and a user of several registries, creates: names, roles, addresses, logins."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nexus_registry.components import (
    DockerRegistry,
    DockerRegistryArgs,
    DockerUser,
    DockerUserArgs,
    InvalidArguments,
    NexusServer,
)
from nexus_registry.components.registry import former_names, user_resource_name
from nexus_registry.providers.security.role import Role
from nexus_registry.providers.system.cleanup_policy import CleanupPolicy

from .components import Made, registered, registry, server


@pytest.fixture
def created(sdk: None) -> Callable[[Callable[[], Any]], Made]:
    """Runs a program, and returns what it registered."""
    return registered


def value(output: pulumi.Output[Any]) -> list[Any]:
    """A list that holds the output's value once the program has ended."""
    kept: list[Any] = []
    output.apply(kept.append)
    return kept


user_ids = st.text("a-:x.", min_size=1, max_size=5).filter(lambda text: ":" not in text)
components = st.text("a-:x.", min_size=1, max_size=5)


@given(st.tuples(components, user_ids), st.tuples(components, user_ids))
def test_names_of_user_resources_are_injective(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (user_resource_name(*one) == user_resource_name(*other)) == (one == other)


def test_users_of_similar_names_do_not_collide(created: Callable[..., Made]) -> None:
    def program() -> None:
        nexus = server()
        registry("team", server=nexus, repository="one", https_port=5001, pushers={"a-x": "pw"})
        registry("team-a", server=nexus, repository="two", https_port=5002, pushers={"x": "pw"})

    users = {name: made["user_id"] for (kind, name), made in created(program).items() if kind == "User"}
    assert users == {"team:a-x": "a-x", "team-a:x": "x"}


def test_former_name_is_given_to_one_resource(created: Callable[..., Made]) -> None:
    given: list[Any] = []
    created(lambda: given.extend([former_names("team", "a-x"), former_names("team-a", "x")]))
    assert [[alias.name for alias in names] for names in given] == [["team-a-x"], []]


@pytest.mark.parametrize(
    ("changes", "address", "scheme"),
    [
        ({"https_port": 5000}, "registry.example.com:5000", "https"),
        ({"https_port": 443}, "registry.example.com", "https"),
        ({"https_port": None, "http_port": 5000}, "registry.example.com:5000", "http"),
        (
            {"https_port": None, "http_port": 5000, "login_server": "images.example.com"},
            "images.example.com",
            "https",
        ),
        ({"login_server": "images.example.com:8443"}, "images.example.com:8443", "https"),
    ],
)
def test_clients_and_verification_use_login_server(
    created: Callable[..., Made], changes: dict[str, Any], address: str, scheme: str
) -> None:
    kept: list[list[Any]] = []

    def program() -> None:
        images = registry(server=server(privileged_ports=changes.get("https_port") == 443), **changes)
        kept.append(value(pulumi.Output.all(images.login_server, images.docker_config_json)))

    made = created(program)
    ((login_server, config),) = kept[0]
    assert login_server == address
    assert [*json.loads(config)["auths"]] == [address]
    proof = made["RegistryProof", "registry-proof"]
    assert (proof["login_server"], proof["scheme"]) == (address, scheme)
    probed = made["DockerHostedRepository", "registry-repository"].get("probe_connectors")
    assert probed is ("login_server" not in changes), "a connector behind a proxy can't be reached"


def test_verification_trusts_authority_of_login_server(created: Callable[..., Made]) -> None:
    made = created(lambda: registry(server=server(ca="of nexus"), login_server="h", ca="of the proxy"))
    assert made["RegistryProof", "registry-proof"]["ca"] == "of the proxy"
    made = created(lambda: registry(server=server(ca="of nexus"), login_server="h"))
    assert made["RegistryProof", "registry-proof"]["ca"] == "of nexus"


def test_existing_roles_are_granted_and_not_created(created: Callable[..., Made]) -> None:
    def program() -> None:
        nexus = server()
        audit = Role("audit", role_id="auditors", connection=nexus.connection)
        registry(
            server=nexus,
            push_role="developers",
            pull_role=pulumi.Output.from_input("readers"),
            pullers={"al": "pw"},
            extra_roles={"ci": [audit, "nx-metrics"]},
        )

    made = created(program)
    assert [name for kind, name in made if kind == "Role"] == ["audit"]
    assert made["User", "registry:ci"]["roles"] == ["developers", "auditors", "nx-metrics"]
    assert made["User", "registry:ci"]["incarnations"] == ["token of audit"]
    assert made["User", "registry:al"]["roles"] == ["readers"]


def test_repository_has_cleanup_policies(created: Callable[..., Made]) -> None:
    def program() -> None:
        nexus = server()
        old = CleanupPolicy(
            "old", connection=nexus.connection, name="old-images", format="docker", criteria_last_downloaded=30
        )
        registry(server=nexus, cleanup_policy_names=[old.name, "by-hand"])

    made = created(program)
    assert made["DockerHostedRepository", "registry-repository"]["cleanup_policy_names"] == [
        "old-images",
        "by-hand",
    ]


def test_existing_users_are_verified_and_not_created(created: Callable[..., Made]) -> None:
    kept: list[list[Any]] = []

    def program() -> None:
        images = registry(server=server(), pushers={}, existing_users={"shared": "pw"})
        kept.append(value(pulumi.Output.all(images.docker_config_json, images.push_role)))

    made = created(program)
    assert not [name for kind, name in made if kind in ("User", "Role")]
    assert made["RegistryProof", "registry-proof"]["username"] == "shared"
    ((config, push_role),) = kept[0]
    assert json.loads(config)["auths"]["registry.example.com:5000"]["username"] == "shared"
    assert push_role == ""


def test_role_ids_and_incarnations_are_outputs(created: Callable[..., Made]) -> None:
    kept: list[list[Any]] = []

    def program() -> None:
        images = registry(server=server(), repository="images")
        kept.append(
            value(
                pulumi.Output.all(
                    images.push_role,
                    images.push_role_incarnation,
                    images.repository_incarnation,
                    images.pull_role,
                    images.pull_role_incarnation,
                )
            )
        )

    created(program)
    assert kept[0] == [["images-push", "token of registry-push", "token of registry-repository", "", ""]]


def two(nexus: NexusServer) -> tuple[DockerRegistry, DockerRegistry]:
    """Two registries without users of their own."""

    def one(name: str, port: int) -> DockerRegistry:
        args = DockerRegistryArgs(server=nexus, repository=name, https_port=port, create_roles=True)
        return DockerRegistry(name, args)

    return one("one", 5001), one("two", 5002)


def test_one_user_pushes_to_two_registries(created: Callable[..., Made]) -> None:
    kept: list[list[Any]] = []

    def program() -> None:
        one, other = two(server())
        args = DockerUserArgs(user_id="ci", password="pw", push_to=[one], pull_from=[other], extra_roles=["x"])
        kept.append(value(DockerUser("ci", args).docker_config_json))

    made = created(program)
    assert made["User", "ci-user"]["roles"] == ["one-push", "two-pull", "x"]
    assert made["User", "ci-user"]["incarnations"] == ["token of one-push", "token of two-pull"]
    proofs = {name: proof for (kind, name), proof in made.items() if kind == "RegistryProof"}
    assert {name: proof["login_server"] for name, proof in proofs.items()} == {
        "ci:one": "registry.example.com:5001",
        "ci:two": "registry.example.com:5002",
    }
    assert [*json.loads(kept[0][0])["auths"]] == ["registry.example.com:5001", "registry.example.com:5002"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"push_to": ()}, r"push_to: names no registry"),
        ({"extra_roles": "auditors"}, r"extra_roles: must be a list, not of the type str"),
        ({"user_id": "admin"}, r"user_id: the id of 'admin' is built into Nexus"),
        ({"user_id": "other"}, r"user_id: 'other' is a user of three already"),
        ({"pull_from": "push_to"}, r"pull_from: one is in push_to"),
        ({"push_to": "twice"}, r"push_to: one is named twice\. Name each registry once\.$"),
        ({"pull_from": "three"}, r"pull_from: three has no pull role\. Set create_roles=True"),
        ({"pull_from": "far"}, r"pull_from: far and one are on different servers"),
        ({"push_to": "far", "pull_from": "else"}, r"pull_from: else and far are on different servers"),
    ],
)
def test_docker_user_refuses_invalid_argument(
    created: Callable[..., Made], changes: dict[str, Any], said: str
) -> None:
    def program() -> None:
        nexus = server()
        one, _ = two(nexus)
        three = registry("three", server=nexus, repository="three", https_port=5003, pushers={"other": "pw"})
        far, elsewhere = (
            registry(name, hostname="h", repository=name, create_roles=True, connection={"url": f"https://{name}"})
            for name in ("far", "else")
        )
        named = {"push_to": [one], "twice": [one, one], "three": [three], "far": [far], "else": [elsewhere]}
        wanted = {key: named.get(given, given) for key, given in changes.items()}
        DockerUser("ci", DockerUserArgs(**{"user_id": "ci", "password": "pw", "push_to": [one], **wanted}))

    with pytest.raises(InvalidArguments, match=said):
        created(program)


def test_user_of_two_registries_is_refused(created: Callable[..., Made]) -> None:
    def program() -> None:
        nexus = server()
        registry("one", server=nexus, repository="one", https_port=5001)
        registry("two", server=nexus, repository="two", https_port=5002)

    with pytest.raises(InvalidArguments, match=r"pushers: 'ci' is a user of one already.*DockerUser"):
        created(program)
