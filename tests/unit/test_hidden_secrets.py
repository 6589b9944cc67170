"""What the server does not return, and what it removes by itself, is written again."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from nexus_registry.providers.client import client_for
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.repositories.connectors import port_holders
from nexus_registry.providers.repositories.docker import DockerGroupRepository, DockerProxyRepository
from nexus_registry.providers.security.external_user import ExternalUser
from nexus_registry.providers.system.email import Email
from nexus_registry.providers.system.task import DockerUploadPurgeTask

from .fake import Request, Response, serve

LOGIN = {"authentication_type": "username", "authentication_username": "ci"}


class Proxy:
    """A server with one proxy of images. It returns no password, as Nexus does, and refuses what the test says."""

    def __init__(self) -> None:
        self.body: dict[str, Any] = {}
        self.upstream = 200

    def __call__(self, request: Request) -> Response:
        path = request.path.removeprefix("/service/rest").partition("?")[0]
        if request.method == "POST" and self.body:
            return Response(400, [{"id": "name", "message": "Name is already used"}])
        if request.method in ("PUT", "POST"):
            self.body = json.loads(request.body)
            return Response(204)
        if path.startswith("/v1/repositories/docker/proxy/"):
            shown = json.loads(json.dumps({**self.body, "format": "docker", "type": "proxy"}))
            shown["httpClient"]["authentication"].pop("password", None)
            return Response(200, shown)
        if path == "/v1/repositories":
            return Response(200, [{"name": "px", "format": "docker", "type": "proxy"}])
        return Response(self.upstream, {"errors": [{"code": "UNAUTHORIZED"}]} if self.upstream != 200 else {})

    @property
    def password(self) -> str:
        return str(self.body["httpClient"]["authentication"]["password"])


def connected(url: str, **inputs: Any) -> dict[str, Any]:
    return {**inputs, "connection": {"url": url, "username": uuid.uuid4().hex, "password": "pw"}}


def test_refused_update_restores_secret() -> None:
    provider = DockerProxyRepository.provider_class()
    with serve(Proxy()) as fake:
        server: Any = fake.script
        given = connected(fake.url, name="px", remote_url="https://registry.example.com", **LOGIN)
        olds = provider.check({}, {**given, "authentication_password": "good"}).inputs
        state = provider.create(olds).outs or {}
        assert server.password == "good"
        news = provider.check(olds, {**given, "authentication_password": "bad", "probe_image": "a/b:1"}).inputs
        server.upstream = 401
        with pytest.raises(Refused, match="the former object was restored"):
            provider.update("px", state, news)
        assert server.password == "good"


@pytest.mark.parametrize(("adopt", "password"), [(False, "two"), (True, "one")])
def test_create_writes_secret_of_identical_object(adopt: bool, password: str) -> None:
    """A create that was killed may have written another one. An adoption writes nothing to an identical object."""
    provider = DockerProxyRepository.provider_class()
    with serve(Proxy()) as fake:
        server: Any = fake.script
        given = connected(fake.url, name="px", remote_url="https://registry.example.com", **LOGIN)
        provider.create(provider.check({}, {**given, "authentication_password": "one"}).inputs)
        again = provider.check({}, {**given, "authentication_password": "two", "adopt": adopt}).inputs
        provider.create(again)
        assert server.password == password


@pytest.mark.parametrize(("adopt", "hour"), [(False, 3), (True, 2)])
def test_create_writes_what_server_hides_of_existing_object(adopt: bool, hour: int) -> None:
    """Nexus below 3.89 returns no schedule: a task that looks identical may have another one."""
    provider = DockerUploadPurgeTask.provider_class()
    stored: list[dict[str, Any]] = []

    def script(request: Request) -> Response:
        if request.method in ("POST", "PUT"):
            stored.append(json.loads(request.body))
            return Response(201)
        shown = [{"id": "1", "name": "purge", "type": "repository.docker.upload-purge"}] if stored else []
        return Response(200, {"items": shown, "continuationToken": None}, {"Server": "Nexus/3.82.0-08 (PRO)"})

    with serve(script) as fake:
        given = connected(fake.url, name="purge", schedule="cron")
        provider.create(provider.check({}, {**given, "cron_expression": "0 0 2 * * ?"}).inputs)
        again = provider.check({}, {**given, "cron_expression": "0 0 3 * * ?", "adopt": adopt}).inputs
        provider.create(again)
    assert stored[-1]["frequency"]["cronExpression"] == f"0 0 {hour} * * ?"


def test_create_writes_secret_of_identical_setting() -> None:
    provider = Email.provider_class()
    settings: list[dict[str, Any]] = [{"host": "mail", "port": 25, "fromAddress": "a@b.c", "username": "nexus"}]

    def script(request: Request) -> Response:
        if request.method == "PUT":
            settings.append(json.loads(request.body))
            return Response(204)
        return Response(200, settings[0])

    with serve(script) as fake:
        given = connected(fake.url, host="mail", from_address="a@b.c", username="nexus")
        provider.create(provider.check({}, given).inputs)
        assert len(settings) == 1
        provider.create(provider.check({}, {**given, "password": "canary"}).inputs)
    assert [one["password"] for one in settings[1:]] == ["canary"]


def test_repository_with_hidden_secret_is_named_as_such() -> None:
    """A repository whose password the server does not return is not written to free its port."""
    provider = DockerProxyRepository.provider_class()
    with serve(Proxy()) as fake:
        given = connected(
            fake.url,
            name="px",
            remote_url="https://registry.example.com",
            http_port=5000,
            probe_connectors=False,
            **LOGIN,
        )
        provider.create(provider.check({}, {**given, "authentication_password": "good"}).inputs)
        (holder,) = port_holders(client_for(given["connection"]), {"name": "other", "http_port": 5000})
    assert (holder.name, holder.wanted, holder.has_secret) == ("px", "http_port 5000", True)


def test_repository_keeps_routing_rule_when_its_port_is_freed() -> None:
    """Nexus up to 3.93 returns the rule as ``routingRuleName`` and takes it as ``routingRule``."""
    body = {"name": "px", "docker": {"httpPort": 5000}, "routingRuleName": "rule", "httpClient": {}}
    listed = [{"name": "px", "format": "docker", "type": "proxy"}]
    with serve(lambda request: Response(200, body if request.path.endswith("/px") else listed)) as fake:
        client = client_for(connected(fake.url)["connection"])
        (holder,) = port_holders(client, {"name": "other", "http_port": 5000})
    assert holder.without_ports["routingRule"] == holder.without_ports["routingRuleName"] == "rule"


def test_group_is_written_again_with_replaced_member() -> None:
    """A group has the marks of its members: Nexus removes a deleted member from it."""
    provider = DockerGroupRepository.provider_class()
    given = connected("http://nexus.example.com", name="g", member_names=["m"])
    olds = provider.check({}, {**given, "incarnations": ["a"]}).inputs
    news = provider.check(olds, {**given, "incarnations": ["b"]}).inputs
    assert provider.diff("g", olds, news).changes


@pytest.mark.parametrize(
    ("before", "status", "written"),
    [(["old", "here"], 204, ["here"]), ([], 400, [])],
    ids=["role deleted since", "before 3.94"],
)
def test_external_user_is_deleted(before: list[str], status: int, written: list[str]) -> None:
    """A deletion restores the roles that still exist. The last ones stay where Nexus requires one."""
    account: dict[str, Any] = {"userId": "ann", "firstName": "A", "lastName": "B", "emailAddress": "a@example.com"}
    account |= {"source": "LDAP", "status": "active", "roles": ["here"], "externalRoles": []}

    def script(request: Request) -> Response:
        if request.method == "PUT":
            return Response(status, [{"id": "roles", "message": "must not be empty"}] if status == 400 else "")
        if request.path.partition("?")[0].endswith("/roles/old"):
            return Response(404)
        return Response(200, [account] if "/users" in request.path else [{"id": "here"}])

    provider = ExternalUser.provider_class()
    with serve(script) as fake:
        given = connected(fake.url, user_id="ann", source="LDAP", roles=["here"])
        state = {
            **provider.check({}, given).inputs,
            "before": {"user_id": "ann", "source": "LDAP", "roles": before},
        }
        provider.delete("LDAP:ann", state)
    (put,) = [request for request in fake.requests if request.method == "PUT"]
    assert json.loads(put.body)["roles"] == written
