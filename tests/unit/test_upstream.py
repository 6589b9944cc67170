"""The check that a proxy of images reaches its remote, against a played Nexus and a played remote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from nexus_registry.providers.client import NexusClient
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.repositories.docker import DockerProxyRepositoryProvider
from nexus_registry.providers.repositories.upstream import check_upstream

from .fake import Asked, Fake, Say, in_turn, serve

MANIFEST = "/v2/library/alpine/manifests/3"
LOGIN = {
    "authentication_type": "username",
    "authentication_username": "ci",
    "authentication_password": "canary-1",
}
UNKNOWN = Say(404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]})
BASIC = Say(401, headers={"WWW-Authenticate": 'Basic realm="x"'})


@pytest.fixture
def fake() -> Iterator[Fake]:
    with serve(in_turn(Say(404))) as server:
        yield server


def checked(fake: Fake, inputs: dict[str, Any], nexus: list[Say], remote: list[Say], token: Say = BASIC) -> None:
    """Run the check; Nexus and the remote, told from each other by the path, answer with these in their turn."""
    scripts = {"nexus": in_turn(*nexus), "remote": in_turn(*remote)}

    def script(asked: Asked) -> Say:
        if asked.path.endswith("/invalidate-cache"):
            return Say(204)
        if asked.path.startswith("/token"):
            return token
        return scripts["nexus" if asked.path.startswith("/repository/") else "remote"](asked)

    fake.script = script
    client = NexusClient({"url": fake.url, "username": "admin", "password": "pw"})
    properties = {"name": "hub", "remote_url": f"{fake.url}/", "probe_image": "library/alpine:3", **inputs}
    check_upstream(client, properties)


def test_manifest_that_nexus_serves_is_enough(fake: Fake) -> None:
    checked(fake, LOGIN, [Say(200)], [])
    assert fake.methods() == [f"GET /repository/hub{MANIFEST}"]


def test_remembered_lack_is_forgotten_once(fake: Fake) -> None:
    checked(fake, LOGIN, [UNKNOWN, Say(200)], [])
    assert fake.methods()[1:] == ["POST /v1/repositories/hub/invalidate-cache", f"GET /repository/hub{MANIFEST}"]


@pytest.mark.parametrize(
    ("inputs", "nexus", "remote", "said"),
    [
        (LOGIN, UNKNOWN, [BASIC, BASIC], "^authentication_password: .* refuses the login of 'ci'.*404"),
        ({}, UNKNOWN, [BASIC, BASIC], "^authentication_type: .* asks for a login"),
        (LOGIN, UNKNOWN, [BASIC, UNKNOWN], r"^probe_image: .* does not have library/alpine:3 \(404\)"),
        (LOGIN, UNKNOWN, [BASIC, Say(200)], "^probe_image: .* and Nexus does not get it.*restarted"),
        (LOGIN, UNKNOWN, [Say(drop=True)], "^remote_url: .* can't be asked from here"),
        (LOGIN, Say(403, {"errors": [{"message": "the End User License Agreement (EULA)"}]}), [], "licence"),
        (LOGIN, Say(403), [], "the user 'admin' may not pull"),
    ],
    ids=["wrong login", "no login", "no image", "stale login", "no remote", "licence", "privilege"],
)
def test_reason_is_named_by_property(
    fake: Fake, inputs: dict[str, Any], nexus: Say, remote: list[Say], said: str
) -> None:
    with pytest.raises(Refused) as caught:
        checked(fake, inputs, [nexus], remote)
    assert re.search(said, str(caught.value))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (Say(401), "authentication_password"),
        (Say(200, {"token": "t"}), "and Nexus does not get it"),
    ],
    ids=["refused", "granted"],
)
def test_login_is_tried_by_token(fake: Fake, token: Say, said: str) -> None:
    bearer = f'Bearer realm="{fake.url}/token",service="s",scope="repository:library/alpine:pull"'
    with pytest.raises(Refused, match=said):
        checked(fake, LOGIN, [UNKNOWN], [Say(401, headers={"WWW-Authenticate": bearer}), Say(200)], token)
    asked = next(one for one in fake.asked if one.path.startswith("/token"))
    assert asked.headers["Authorization"].startswith("Basic ")
    assert "scope=repository%3Alibrary%2Falpine%3Apull" in asked.path


@pytest.mark.parametrize("image", ["alpine", "library/alpine:", "Alpine:3", "http://a/b:1", "a@sha256:12"])
def test_bad_name_of_an_image_is_refused_by_check(image: str) -> None:
    server = {"url": "https://nexus.example.com", "username": "admin", "password": "pw"}
    inputs = {"connection": server, "name": "hub", "remote_url": "https://example.com", "probe_image": image}
    failures = DockerProxyRepositoryProvider().check({}, inputs).failures
    assert [one.property for one in failures] == ["probe_image"]
