"""What a provider concludes from answers that are lost, incomplete or not the server's."""

from __future__ import annotations

import base64
import json
import uuid
from contextlib import nullcontext
from typing import Any

import pytest
from nexus_registry.providers import errors
from nexus_registry.providers.declare import NexusResource
from nexus_registry.providers.registry_check import RegistryCheckProvider
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.security.admin_password import AdminPasswordProvider
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.user import UserProvider
from nexus_registry.providers.system.capability import Capability
from nexus_registry.providers.system.cleanup_policy import CleanupPolicy
from nexus_registry.providers.system.eula import EulaProvider
from nexus_registry.providers.system.license import License
from nexus_registry.providers.system.task import Task

from .fake import FakeServer, Request, Response, serve

ROLE = {"id": "push", "name": "push", "description": "", "privileges": ["a"], "roles": []}


pytestmark = pytest.mark.usefixtures("quick")


def connected(fake: FakeServer, **inputs: Any) -> dict[str, Any]:
    return {**inputs, "connection": {"url": fake.url, "username": uuid.uuid4().hex, "password": "pw"}}


def password_of(request: Request) -> str:
    return base64.b64decode(request.headers["Authorization"].split()[1]).decode().partition(":")[2]


def test_delete_ignores_404_of_proxy() -> None:
    def script(request: Request) -> Response:
        return (
            Response(404, "<html><title>No such site</title></html>")
            if request.method == "DELETE"
            else Response(200, ROLE)
        )

    with serve(script) as fake, pytest.raises(errors.NotFound, match=r"role 'push': .*No such site"):
        RoleProvider().delete("push", connected(fake, **ROLE))


def test_object_that_is_stored_between_two_requests_is_found() -> None:
    """A create whose response was lost finds the object that the server stores after a 404 and before the list."""
    stored: list[dict[str, Any]] = []

    def script(request: Request) -> Response:
        if request.method == "POST":
            return Response(drop=True)
        if request.path.endswith("/v1/security/roles?source=default"):
            stored.append(ROLE)
            return Response(200, stored)
        return Response(200, ROLE) if stored else Response(404)

    with serve(script) as fake:
        created = RoleProvider().create(RoleProvider().check({}, connected(fake, **ROLE)).inputs)
    assert created.id == "push"
    assert [request.method for request in fake.requests].count("POST") == 1


@pytest.mark.parametrize(
    ("kind", "properties", "body"),
    [
        (Capability, {"type": "scheduler"}, {"id": "1", "type": "scheduler"}),
        (Task, {"type": "t", "name": "n"}, {"id": "1", "type": "t", "name": "n"}),
        (CleanupPolicy, {"name": "n", "format": "*", "criteria_last_downloaded": 3}, {"name": "n", "format": "*"}),
        (License, {"license": "eA=="}, {"fingerprint": "f"}),
    ],
)
def test_delete_whose_response_was_lost_succeeds(
    kind: type[NexusResource], properties: dict[str, Any], body: dict[str, Any]
) -> None:
    stored = [body]

    def script(request: Request) -> Response:
        path = request.path.removeprefix("/service/rest").partition("?")[0]
        if request.method == "DELETE" and stored:
            stored.clear()
            return Response(drop=True)
        if request.method == "DELETE" or (path == "/v1/system/license" and not stored):
            return Response(404)
        if path == "/v1/tasks":
            return Response(200, {"items": stored})
        return Response(200, body if path == "/v1/system/license" else stored)

    provider: Any = kind.provider_class()
    with serve(script) as fake:
        provider.delete("id", provider.check({}, connected(fake, **properties)).inputs)
    assert [request.method for request in fake.requests].count("DELETE") == 2


@pytest.mark.parametrize("stored", [True, False])
def test_delete_confirms_404_of_repository(stored: bool) -> None:
    """A repository that the list has is not taken for deleted."""
    listed = [{"name": "images", "format": "docker", "type": "hosted"}] if stored else []

    def script(request: Request) -> Response:
        if request.path.endswith("/v1/repositories"):
            return Response(200, listed)
        return Response(404, "<title>No site</title>")

    with serve(script) as fake:
        state = DockerHostedRepositoryProvider().check({}, connected(fake, name="images")).inputs
        with pytest.raises(errors.NotFound) if stored else nullcontext():
            DockerHostedRepositoryProvider().delete("images", state)
    assert all(request.method == "GET" for request in fake.requests)


@pytest.mark.parametrize(
    ("format_", "kind", "said"),
    [("docker", errors.NotFound, "No such site"), ("raw", errors.Refused, "the server has no docker format")],
)
def test_create_404_names_missing_docker_format(format_: str, kind: type[errors.NexusError], said: str) -> None:
    def script(request: Request) -> Response:
        if request.path.endswith("/v1/security/privileges"):
            return Response(200, [{"name": f"nx-repository-view-{format_}-*-read"}])
        if request.path.endswith("/v1/repositories"):
            return Response(200, [])
        return Response(404, "<html><title>No such site</title></html>")

    with serve(script) as fake:
        desired = DockerHostedRepositoryProvider().check({}, connected(fake, name="images")).inputs
        with pytest.raises(kind, match=rf"^docker repository 'images': .*{said}"):
            DockerHostedRepositoryProvider().create(desired)


@pytest.mark.parametrize("done", ["create", "update"])
@pytest.mark.parametrize("stale", [0, 3, 99])
def test_read_of_former_object_is_repeated(stale: int, done: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another node of a cluster, or a cache, returns for a moment what was there before the write."""
    pauses: list[float] = []
    monkeypatch.setattr("nexus_registry.providers.crud.time.sleep", pauses.append)
    roles: list[Any] = [ROLE if done == "update" else None]
    former: list[Any] = []

    def script(request: Request) -> Response:
        if request.method != "GET":
            former.extend([roles[-1]] * stale)
            roles.append(json.loads(request.body) if request.body else None)
        if "/roles/" not in request.path:
            return Response(200, [])
        role = former.pop() if former and request.method == "GET" else roles[-1]
        return Response(200, role) if role else Response(404)

    with serve(script) as fake:
        olds = connected(fake, **{**ROLE, "role_id": "push"})
        inputs = RoleProvider().check({}, {**olds, "privileges": ["b"]}).inputs
        with pytest.raises(errors.Refused, match="accepted by Nexus") if stale == 99 else nullcontext():
            RoleProvider().create(inputs) if done == "create" else RoleProvider().update("push", olds, inputs)
    if stale == 99:
        assert 5 < sum(pauses) < 15
        return
    assert len(pauses) == stale
    writes = [request.method for request in fake.requests if request.method != "GET"]
    assert writes == ["POST" if done == "create" else "PUT"]
    assert roles[-1]["privileges"] == ["b"]


def test_update_writes_field_that_server_hides() -> None:
    partial = {key: value for key, value in ROLE.items() if key != "privileges"}
    with serve(lambda _asked: Response(200, partial)) as fake:
        olds = connected(fake, **ROLE)
        RoleProvider().update("push", olds, {**olds, "privileges": ["a", "b"]})
    (written,) = [json.loads(request.body) for request in fake.requests if request.method == "PUT"]
    assert written["privileges"] == ["a", "b"]


def test_user_without_id_is_not_missing() -> None:
    with (
        serve(lambda _asked: Response(200, [{"status": "active"}])) as fake,
        pytest.raises(errors.UnexpectedResponse),
    ):
        UserProvider().read("ci", connected(fake, user_id="ci", password="pw", roles=["x"]))


def test_lost_response_of_password_change_is_resolved() -> None:
    in_force = ["former-pw"]

    def script(request: Request) -> Response:
        if password_of(request) != in_force[0]:
            return Response(401)
        if request.method == "PUT":
            in_force[0] = request.body
            return Response(drop=True)
        return Response(200)

    with serve(script) as fake:
        desired = connected(fake, username="admin", password="desired-pw", current_password="former-pw")
        AdminPasswordProvider().create(desired)
    assert in_force == ["desired-pw"]


def test_password_drift_is_corrected_with_current_password() -> None:
    in_force = ["by-hand"]

    def script(request: Request) -> Response:
        if password_of(request) != in_force[0]:
            return Response(401)
        in_force[0] = request.body or in_force[0]
        return Response(200)

    provider = AdminPasswordProvider()
    with serve(script) as fake:
        state = connected(fake, username="admin", password="desired-pw", current_password="first-pw")
        shown = provider.read("admin", state).outs
        assert shown is not None
        assert "password" not in shown
        news = {**state, "current_password": "by-hand"}
        assert provider.diff("admin", shown, news).changes
        provider.update("admin", shown, news)
    assert in_force == ["desired-pw"]


def test_lost_licence_acceptance_is_repeated() -> None:
    posts = []

    def script(request: Request) -> Response:
        if request.method == "POST":
            posts.append(request)
            return Response(502) if len(posts) == 1 else Response(204)
        return Response(200, {"accepted": len(posts) > 1, "disclaimer": "d"})

    with serve(script) as fake:
        EulaProvider().create(connected(fake, accepted=True))
    assert len(posts) == 2


def test_licence_is_accepted_after_upgrade() -> None:
    """A server up to 3.76 has no licence. The connection of a NexusServer has the version, which then changes."""
    licence: dict[str, Any] = {}

    def script(request: Request) -> Response:
        if request.method == "POST":
            licence.update(json.loads(request.body))
        return Response(200 if licence or request.path.endswith("/status") else 404, licence)

    with serve(script) as fake:
        provider, given = EulaProvider(), connected(fake, accepted=True)
        old = {**given, "connection": {**given["connection"], "version": "3.76.1-01"}}
        new = {**given, "connection": {**given["connection"], "version": "3.96.3-01"}}
        state = provider.create(old).outs or {}
        licence.update(accepted=False, disclaimer="d")
        assert provider.diff("eula", state, new).changes
        provider.update("eula", state, new)
    assert licence["accepted"]


def check_registry(login_server: str) -> None:
    desired = {"login_server": login_server, "scheme": "http", "username": "u", "password": "p"}
    RegistryCheckProvider().create(desired)


def test_page_instead_of_docker_token_fails() -> None:
    def script(request: Request) -> Response:
        if request.path.startswith("/v2/token"):
            return Response(200, "<html><title>Sign in</title></html>")
        return Response(401, headers={"WWW-Authenticate": f'Bearer realm="{fake.url}/v2/token",service="x"'})

    with (
        serve(script) as fake,
        pytest.raises(errors.Refused, match="a request for a token with something else"),
    ):
        check_registry(fake.url.removeprefix("http://"))


@pytest.mark.parametrize("header", ["Basic realm", "Basic realm=", "Bearer x", 'Bearer realm="https://[x"'])
def test_challenge_that_cannot_be_read_is_refused(header: str) -> None:
    with (
        serve(lambda _asked: Response(401, headers={"WWW-Authenticate": header})) as fake,
        pytest.raises(errors.Refused, match="WWW-Authenticate that can't be read"),
    ):
        check_registry(fake.url.removeprefix("http://"))


def test_registry_is_checked_by_name_in_any_case() -> None:
    def script(request: Request) -> Response:
        if request.path.startswith("/v2/token"):
            return Response(200, {"token": "t"})
        if request.path == "/v2/" and "Authorization" in request.headers:
            return Response(200)
        realm = f"http://{request.headers['Host']}/v2/token"
        return Response(401, headers={"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'})

    with serve(script) as fake:
        check_registry(fake.url.removeprefix("http://").replace("127.0.0.1", "LocalHost"))


@pytest.mark.parametrize("login_server", ["[::1]", "[::1]:5000", "registry", "registry:5000"])
def test_login_server_is_host_with_optional_port(login_server: str) -> None:
    desired = {"login_server": login_server, "username": "u", "password": "p"}
    assert not RegistryCheckProvider().check({}, desired).failures


def test_password_is_not_sent_to_host_before_login_in_realm() -> None:
    """``requests`` ends a host at a backslash, where other parsers read a login."""
    with serve(lambda _asked: Response(200, {"token": "t"})) as other:
        realm = f"{other.url}\\@{{host}}/v2/token"

        def script(request: Request) -> Response:
            quoted = realm.format(host=request.headers["Host"]).replace("\\", "\\\\")
            return Response(401, headers={"WWW-Authenticate": f'Bearer realm="{quoted}",service="x"'})

        with serve(script) as fake, pytest.raises(errors.Refused, match="No password was sent there"):
            check_registry(fake.url.removeprefix("http://"))
    assert not other.requests
