"""The check that a proxy of images reaches its remote, against a played Nexus and a played remote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from nexus_registry.providers.client import NexusClient
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.repositories.docker import DockerProxyRepository
from nexus_registry.providers.repositories.upstream import check_upstream

from .fake import FakeServer, Request, Response, sequence, serve

MANIFEST = "/v2/library/alpine/manifests/3"
LOGIN = {
    "authentication_type": "username",
    "authentication_username": "ci",
    "authentication_password": "canary-1",
}
UNKNOWN = Response(404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]})
BASIC = Response(401, headers={"WWW-Authenticate": 'Basic realm="x"'})


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with serve(sequence(Response(404))) as server:
        yield server


def checked(
    fake: FakeServer,
    inputs: dict[str, Any],
    nexus: list[Response],
    remote: list[Response],
    token: Response = BASIC,
) -> None:
    """Run the check; Nexus and the remote, which have different paths, return these in order."""
    scripts = {"nexus": sequence(*nexus), "remote": sequence(*remote)}

    def script(request: Request) -> Response:
        if request.path.endswith("/invalidate-cache"):
            return Response(204)
        if request.path.startswith("/token"):
            return token
        return scripts["nexus" if request.path.startswith("/repository/") else "remote"](request)

    fake.script = script
    client = NexusClient({"url": fake.url, "username": "admin", "password": "pw"})
    properties = {"name": "hub", "remote_url": f"{fake.url}/", "probe_image": "library/alpine:3", **inputs}
    check_upstream(client, properties)


def test_served_manifest_passes_check(fake: FakeServer) -> None:
    checked(fake, LOGIN, [Response(200)], [])
    assert fake.methods() == [f"GET /repository/hub{MANIFEST}"]


def test_negative_cache_is_cleared_once(fake: FakeServer) -> None:
    checked(fake, LOGIN, [UNKNOWN, Response(200)], [])
    assert fake.methods()[1:] == ["POST /v1/repositories/hub/invalidate-cache", f"GET /repository/hub{MANIFEST}"]


@pytest.mark.parametrize(
    ("inputs", "nexus", "remote", "said"),
    [
        (LOGIN, UNKNOWN, [BASIC, BASIC], "^authentication_password: .* refuses the login of 'ci'.*404"),
        ({}, UNKNOWN, [BASIC, BASIC], "^authentication_type: .* asks for a login"),
        (LOGIN, UNKNOWN, [BASIC, UNKNOWN], r"^probe_image: .* does not have library/alpine:3 \(404\)"),
        (LOGIN, UNKNOWN, [BASIC, Response(200)], "^probe_image: .* and Nexus does not get it.*restarted"),
        (LOGIN, UNKNOWN, [Response(drop=True)], "^remote_url: .* can't be asked from here"),
        (LOGIN, Response(403, {"errors": [{"message": "the End User License Agreement (EULA)"}]}), [], "licence"),
        (LOGIN, Response(403), [], "the user 'admin' may not pull"),
    ],
    ids=["wrong login", "no login", "no image", "stale login", "no remote", "licence", "privilege"],
)
def test_reason_is_named_by_property(
    fake: FakeServer, inputs: dict[str, Any], nexus: Response, remote: list[Response], said: str
) -> None:
    with pytest.raises(Refused) as caught:
        checked(fake, inputs, [nexus], remote)
    assert re.search(said, str(caught.value))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (Response(401), "authentication_password"),
        (Response(200, {"token": "t"}), "and Nexus does not get it"),
    ],
    ids=["refused", "granted"],
)
def test_login_is_tried_by_token(fake: FakeServer, token: Response, said: str) -> None:
    bearer = f'Bearer realm="{fake.url}/token",service="s",scope="repository:library/alpine:pull"'
    with pytest.raises(Refused, match=said):
        checked(
            fake, LOGIN, [UNKNOWN], [Response(401, headers={"WWW-Authenticate": bearer}), Response(200)], token
        )
    request = next(one for one in fake.requests if one.path.startswith("/token"))
    assert request.headers["Authorization"].startswith("Basic ")
    assert "scope=repository%3Alibrary%2Falpine%3Apull" in request.path


@pytest.mark.parametrize("header", ["Basic realm", "Basic realm=", 'Bearer realm="https://[x"', "{token}"])
@pytest.mark.parametrize("token", [Response(200, "<html>Sign in</html>"), Response(200, ["x"])])
def test_login_that_remote_asks_for_otherwise_is_named(fake: FakeServer, header: str, token: Response) -> None:
    asked = header.replace("{token}", f'Bearer realm="{fake.url}/token"')
    remote = [Response(401, headers={"WWW-Authenticate": asked})]
    with pytest.raises(Refused, match=r"^remote_url: .* can't be asked from here \(it asks for a login"):
        checked(fake, LOGIN, [UNKNOWN], remote, token)


@pytest.mark.parametrize("image", ["alpine", "library/alpine:", "Alpine:3", "http://a/b:1", "a@sha256:12"])
def test_bad_name_of_an_image_is_refused_by_check(image: str) -> None:
    server = {"url": "https://nexus.example.com", "username": "admin", "password": "pw"}
    inputs = {"connection": server, "name": "hub", "remote_url": "https://example.com", "probe_image": image}
    failures = DockerProxyRepository.provider_class().check({}, inputs).failures
    assert [one.property for one in failures] == ["probe_image"]
