"""Docker proxies and groups of the stand-in in front of a real registry that asks for a login."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nexus_registry.providers.client import Connection, client_for
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.repositories.docker import (
    DockerGroupRepository,
    DockerHostedRepositoryProvider,
    DockerProxyRepository,
)

from sandbox.docker import DockerClient
from sandbox.shell import CommandFailed

from .docker_api import Registry, digest, named
from .every_version import refusal
from .server import Nexus
from .tracked import Tracked
from .upstream import HTPASSWD, registry

PROXY: Any = DockerProxyRepository.provider_class
GROUP: Any = DockerGroupRepository.provider_class
RIGHT = {
    "authentication_type": "username",
    "authentication_username": "ann",
    "authentication_password": "correct horse",
}


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that has ``team/app:1``, for those who log in."""
    folder: Path = tmp_path_factory.mktemp("remote")
    with registry(folder, logins=HTPASSWD) as address:
        found = Registry(f"http://{address}", ("ann", "correct horse"))
        assert found.push("team/app", "1").status_code == 201
        yield found


@pytest.fixture
def made(connection: Connection) -> Iterator[list[Tracked]]:
    """What a test makes, removed in the opposite order."""
    some: list[Tracked] = []
    yield some
    for one in reversed(some):
        one.destroy()


def reached(nexus: Nexus, name: str) -> Registry:
    """The registry API of a repository, as its administrator."""
    return Registry(f"{nexus.url}/repository/{name}", (nexus.username, nexus.password))


def pulled(one: Registry, image: str, tag: str) -> str:
    """Pull an image whole; its digest, empty when it is not there."""
    accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
    manifest = one.call("GET", f"/v2/{image}/manifests/{tag}", headers=accept)
    if manifest.status_code == 404:
        return ""
    assert manifest.ok, manifest.text
    assert one.call("HEAD", f"/v2/{image}/manifests/{tag}", headers=accept).status_code == 200
    for blob in (manifest.json()["config"], *manifest.json()["layers"]):
        content = one.call("GET", f"/v2/{image}/blobs/{blob['digest']}").content
        assert digest(content) == blob["digest"]
    return digest(manifest.content)


def test_proxy_and_group_pull_through(
    nexus: Nexus, connection: Connection, remote: Registry, made: list[Tracked]
) -> None:
    names = {one: named(one) for one in ("proxy", "hosted", "group")}
    proxy, hosted, group = made[:] = [
        Tracked(provider(), connection) for provider in (PROXY, DockerHostedRepositoryProvider, GROUP)
    ]
    proxy.up(name=names["proxy"], remote_url=remote.url, probe_image="team/app:1", **RIGHT)
    port = nexus.connector_port()
    hosted.up(name=names["hosted"], http_port=port, force_destroy=True)
    own = Registry(f"http://127.0.0.1:{port}", (nexus.username, nexus.password))
    for image in ("team/app", "team/own"):
        assert own.push(image, "1").status_code == 201
    of_remote, of_hosted = (pulled(one, "team/app", "1") for one in (remote, own))
    assert of_remote != of_hosted
    assert pulled(reached(nexus, names["proxy"]), "team/app", "1") == of_remote
    assert pulled(reached(nexus, names["proxy"]), "team/own", "1") == ""

    for order, first in ((("proxy", "hosted"), of_remote), (("hosted", "proxy"), of_hosted)):
        group.up(name=names["group"], member_names=[names[one] for one in order])
        assert pulled(reached(nexus, names["group"]), "team/app", "1") == first
        assert pulled(reached(nexus, names["group"]), "team/own", "1") == pulled(own, "team/own", "1")
    assert reached(nexus, names["group"]).push("team/new", "1").status_code == 405


def test_docker_client_pulls_through_a_proxy(
    nexus: Nexus, connection: Connection, remote: Registry, made: list[Tracked], tmp_path: Path
) -> None:
    """A real client gets the image that it pushed to the remote, without a login there."""
    there, here = (
        remote.url.removeprefix("http://").replace("localhost", "127.0.0.1"),
        f"127.0.0.1:{nexus.connector_port()}",
    )
    made[:] = [Tracked(PROXY(), connection)]
    client = DockerClient(tmp_path / "docker").start()
    try:
        image = client.make_image(f"{there}/team/real:1")
        client.docker("push", f"{there}/team/real:1", config=client.login(there, "ann", "correct horse"))
        client.empty_cache()
        made[0].up(
            name=named("proxy"),
            remote_url=remote.url,
            http_port=int(here.partition(":")[2]),
            probe_image="team/real:1",
            **RIGHT,
        )
        login = client.login(here, nexus.username, nexus.password)
        client.docker("pull", f"{here}/team/real:1", config=login)
        pulled_image = client.docker("image", "inspect", "--format", "{{.Id}}", f"{here}/team/real:1").stdout
        assert pulled_image.strip() == image
        with pytest.raises(CommandFailed, match=r"manifest unknown|not found"):
            client.docker("pull", f"{here}/team/none:1", config=login)
    finally:
        client.stop()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"authentication_password": "canary-1"}, "authentication_password: .* refuses the login of 'ann'"),
        ({"probe_image": "team/none:1"}, "probe_image: .* does not have team/none:1"),
        ({"remote_url": "http://127.0.0.1:1"}, "remote_url: .* can't be asked from here"),
    ],
    ids=["wrong login", "no image", "no remote"],
)
def test_proxy_that_can_not_pull_is_refused_and_removed(
    connection: Connection, remote: Registry, inputs: dict[str, Any], said: str
) -> None:
    name = named("proxy")
    desired = {"name": name, "remote_url": remote.url, "probe_image": "team/app:1", **RIGHT, **inputs}
    found = refusal(PROXY, connection, **desired)
    assert re.search(f"{said}.*it was removed again", found)
    assert "canary" not in found
    assert name not in [one["name"] for one in client_for(connection).get_list("/v1/repositories")]


def test_changed_login_that_is_wrong_is_noticed(
    connection: Connection, remote: Registry, made: list[Tracked]
) -> None:
    made.append(proxy := Tracked(PROXY(), connection))
    desired = {"name": named("proxy"), "remote_url": remote.url, "probe_image": "team/app:1", **RIGHT}
    assert proxy.up(**desired) == "create"
    with pytest.raises(Refused, match=r"authentication_password: .* refuses the login of 'ann'"):
        proxy.up(**{**desired, "authentication_password": "stale-1"})
    assert proxy.up(**{**desired, "content_max_age": 5}) == "update"
