"""Properties of repositories that Nexus stores or compares in a way of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import nexus_registry.providers as providers
import pytest
from nexus_registry.providers import engine
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.run import Run

from tests.contract.tracked import Tracked

from .fake import FakeServer, Request, Response, serve


class Repositories:
    """The script of a server that stores what it is sent, and returns null for what it was not sent.

    It finds a repository in any case, as RepositoryManagerImpl does.
    """

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}

    def __call__(self, request: Request) -> Response:
        path = request.path.removeprefix("/service/rest/v1/").partition("?")[0].split("/")
        if request.method in ("POST", "PUT"):
            form, type_ = path[1:3]
            body = json.loads(request.body)
            if request.method == "POST" and body["name"].lower() in self.stored:
                return Response(400, [{"id": "name", "message": "Name is already used"}])
            if form in ("maven", "raw"):
                body[form] = {"contentDisposition": None, **body.get(form, {})}
            if form != "maven":
                body.get("httpClient", {}).get("authentication", {}).pop("preemptive", None)
            self.stored[body["name"].lower()] = {
                **body,
                "format": {"maven": "maven2"}.get(form, form),
                "type": type_,
            }
            return Response(201)
        if path[0] == "repositorySettings" or path == ["repositories"]:
            return Response(200, list(self.stored.values()))
        if path[0] == "components":
            return Response(200, {"items": [], "continuationToken": None})
        name = path[-1].lower()
        if request.method == "DELETE":
            return Response(204 if self.stored.pop(name, None) else 404)
        found = self.stored.get(name)
        return Response(200, found) if found else Response(404)


@pytest.fixture
def stored() -> Repositories:
    return Repositories()


@pytest.fixture
def server(stored: Repositories) -> Iterator[FakeServer]:
    with serve(stored) as fake:
        yield fake


def tracked(kind: str, server: FakeServer) -> Tracked:
    provider: Any = getattr(providers, f"{kind}Repository").provider_class()
    return Tracked(provider, {"url": server.url, "password": "pw"})


@pytest.mark.parametrize("kind", ["MavenHosted", "RawHosted"])
def test_missing_content_disposition_is_inline(server: FakeServer, stored: Repositories, kind: str) -> None:
    """Nexus serves ``INLINE`` where it has none, and returns null."""
    files = tracked(kind, server)
    files.up(name="files")
    body = next(value for key, value in stored.stored["files"].items() if key in ("maven", "raw"))
    assert body["contentDisposition"] == "ATTACHMENT"
    body["contentDisposition"] = None
    assert files.up(name="files") == "same"
    assert files.refresh() == "drift"
    assert files.outs is not None
    assert files.outs["content_disposition"] == "INLINE"
    assert files.up(name="files") == "update"
    assert files.refresh() == "same"


@pytest.mark.parametrize("kind", ["RawProxy", "AptProxy", "DockerProxy", "MavenProxy"])
def test_preemptive_authentication_that_is_dropped_is_refused(
    server: FakeServer, stored: Repositories, kind: str
) -> None:
    """Nexus 3.77 stores it for Maven only (HttpClientConnectionAuthenticationAttributes)."""
    login = {"authentication_type": "username", "authentication_username": "u", "authentication_password": "p"}
    given = {"name": "proxy", "remote_url": "https://repo.example.com", **login}
    tracked(kind, server).up(**given, authentication_preemptive=kind == "MavenProxy")
    stored.stored.clear()
    refused = pytest.raises(Refused, match="authentication_preemptive: is not stored by this server")
    with nullcontext() if kind == "MavenProxy" else refused:
        tracked(kind, server).up(**given, authentication_preemptive=True)


def test_name_in_other_case_is_another_repository(
    server: FakeServer, stored: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NexusProvider, "run", Run())
    monkeypatch.setattr(engine, "urn", lambda: "urn:pulumi:a::b::c::files")
    files = tracked("RawHosted", server)
    files.up(name="Files")
    assert files.up(name="files") == "replace"
    assert [one["name"] for one in stored.stored.values()] == ["files"]


@pytest.mark.parametrize("kind", ["RawHosted", "MavenGroup"])
def test_delete_keeps_repository_in_other_case(server: FakeServer, stored: Repositories, kind: str) -> None:
    """The repository is gone, and another one has its name in other case."""
    group = {"member_names": ["a"]} if kind == "MavenGroup" else {}
    mine, other = tracked(kind, server), tracked("RawHosted", server)
    mine.up(name="files", **group)
    stored.stored.clear()
    other.up(name="Files")
    assert mine.outs is not None
    mine.provider.delete("files", mine.outs)
    assert [one["name"] for one in stored.stored.values()] == ["Files"]
    assert mine.refresh() == "gone"


@pytest.mark.parametrize(
    ("kind", "inputs"), [("RawHostedRepository", {}), ("FileBlobStore", {"path": "a"})], ids=["raw", "file"]
)
def test_names_that_differ_only_in_case_are_refused(
    kind: str, inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NexusProvider, "run", Run())
    provider: Any = getattr(providers, kind).provider_class()
    connection = {"url": "https://nexus.example.com", "password": "pw"}
    failures = []
    for name in ("Files", "files"):
        monkeypatch.setattr(engine, "urn", lambda name=name: f"urn:pulumi:a::b::c::{name}-resource")
        given = {"name": name, "connection": connection, **inputs}
        failures += [(one.property, one.reason) for one in provider.check({}, given).failures]
    ((_, reason),) = failures
    assert "'files' of https://nexus.example.com" in reason
    assert "is declared twice: by 'Files-resource'" in reason
