"""What a provider concludes from answers that are lost, incomplete or not the server's."""

from __future__ import annotations

import base64
import json
import uuid
from contextlib import nullcontext
from typing import Any

import pytest
from nexus_registry.providers import errors
from nexus_registry.providers.registry_check import RegistryCheckProvider
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.security.admin_password import AdminPasswordProvider
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.user import UserProvider
from nexus_registry.providers.system.eula import EulaProvider

from .fake import Asked, Fake, Say, serve

ROLE = {"id": "push", "name": "push", "description": "", "privileges": ["a"], "roles": []}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nexus_registry.providers.client.time.sleep", lambda _seconds: None)


def connected(fake: Fake, **inputs: Any) -> dict[str, Any]:
    return {**inputs, "connection": {"url": fake.url, "username": uuid.uuid4().hex, "password": "pw"}}


def password_of(asked: Asked) -> str:
    return base64.b64decode(asked.headers["Authorization"].split()[1]).decode().partition(":")[2]


def test_a_delete_that_a_proxy_answers_404_is_not_taken_for_done() -> None:
    def script(asked: Asked) -> Say:
        return Say(404, "<html><title>No such site</title></html>") if asked.method == "DELETE" else Say(200, ROLE)

    with serve(script) as fake, pytest.raises(errors.NotFound, match=r"role 'push': .*No such site"):
        RoleProvider().delete("push", connected(fake, **ROLE))


@pytest.mark.parametrize(("stored", "deleted"), [(True, False), (False, True)])
def test_a_404_for_the_components_of_a_repository_is_confirmed_before_it_is_deleted(
    stored: bool, deleted: bool
) -> None:
    listed = [{"name": "images", "format": "docker", "type": "hosted"}] if stored else []

    def script(asked: Asked) -> Say:
        if asked.method == "DELETE":
            return Say(404)
        return Say(200, listed) if asked.path.endswith("/v1/repositories") else Say(404, "<title>No site</title>")

    with serve(script) as fake:
        state = DockerHostedRepositoryProvider().check({}, connected(fake, name="images")).inputs
        with nullcontext() if deleted else pytest.raises(errors.NotFound):
            DockerHostedRepositoryProvider().delete("images", state)
    assert any(asked.method == "DELETE" for asked in fake.asked) is deleted


@pytest.mark.parametrize(
    ("format_", "kind", "said"),
    [("docker", errors.NotFound, "No such site"), ("raw", errors.Refused, "the server has no docker format")],
)
def test_a_create_that_is_answered_404_blames_the_docker_format_only_where_it_is_missing(
    format_: str, kind: type[errors.NexusError], said: str
) -> None:
    def script(asked: Asked) -> Say:
        if asked.path.endswith("/v1/security/privileges"):
            return Say(200, [{"name": f"nx-repository-view-{format_}-*-read"}])
        if asked.path.endswith("/v1/repositories"):
            return Say(200, [])
        return Say(404, "<html><title>No such site</title></html>")

    with serve(script) as fake:
        wish = DockerHostedRepositoryProvider().check({}, connected(fake, name="images")).inputs
        with pytest.raises(kind, match=rf"^docker repository 'images': .*{said}"):
            DockerHostedRepositoryProvider().create(wish)


def test_an_update_of_what_the_server_does_not_tell_is_written_all_the_same() -> None:
    untold = {key: value for key, value in ROLE.items() if key != "privileges"}
    with serve(lambda _asked: Say(200, untold)) as fake:
        olds = connected(fake, **ROLE)
        RoleProvider().update("push", olds, {**olds, "privileges": ["a", "b"]})
    (written,) = [json.loads(asked.body) for asked in fake.asked if asked.method == "PUT"]
    assert written["privileges"] == ["a", "b"]


def test_a_user_whose_id_is_not_told_is_not_taken_for_gone() -> None:
    with serve(lambda _asked: Say(200, [{"status": "active"}])) as fake, pytest.raises(errors.UnexpectedResponse):
        UserProvider().read("ci", connected(fake, user_id="ci", password="pw", roles=["x"]))


def test_an_admin_password_whose_change_was_taken_and_not_answered_is_in_force() -> None:
    in_force = ["former-pw"]

    def script(asked: Asked) -> Say:
        if password_of(asked) != in_force[0]:
            return Say(401)
        if asked.method == "PUT":
            in_force[0] = asked.body
            return Say(drop=True)
        return Say(200)

    with serve(script) as fake:
        wish = connected(fake, username="admin", password="wished-pw", current_password="former-pw")
        AdminPasswordProvider().create(wish)
    assert in_force == ["wished-pw"]


def test_a_password_changed_by_hand_is_shown_and_mended_when_the_one_in_force_is_given() -> None:
    in_force = ["by-hand"]

    def script(asked: Asked) -> Say:
        if password_of(asked) != in_force[0]:
            return Say(401)
        in_force[0] = asked.body or in_force[0]
        return Say(200)

    provider = AdminPasswordProvider()
    with serve(script) as fake:
        state = connected(fake, username="admin", password="wished-pw", current_password="first-pw")
        shown = provider.read("admin", state).outs
        assert shown is not None
        assert "password" not in shown
        news = {**state, "current_password": "by-hand"}
        assert provider.diff("admin", shown, news).changes
        provider.update("admin", shown, news)
    assert in_force == ["wished-pw"]


def test_a_licence_whose_acceptance_was_lost_is_accepted_again() -> None:
    posts = []

    def script(asked: Asked) -> Say:
        if asked.method == "POST":
            posts.append(asked)
            return Say(502) if len(posts) == 1 else Say(204)
        return Say(200, {"accepted": len(posts) > 1, "disclaimer": "d"})

    with serve(script) as fake:
        EulaProvider().create(connected(fake, accepted=True))
    assert len(posts) == 2


def test_a_page_instead_of_a_docker_token_is_named() -> None:
    def script(asked: Asked) -> Say:
        if asked.path.startswith("/v2/token"):
            return Say(200, "<html><title>Sign in</title></html>")
        return Say(401, headers={"WWW-Authenticate": f'Bearer realm="{fake.url}/v2/token",service="x"'})

    with serve(script) as fake:
        wish = {
            "login_server": fake.url.removeprefix("http://"),
            "scheme": "http",
            "username": "u",
            "password": "p",
        }
        with pytest.raises(errors.Refused, match="a request for a token with something else"):
            RegistryCheckProvider().create(wish)
