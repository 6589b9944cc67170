"""Properties of repositories that Nexus stores or compares in a way of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import nexus_registry.providers as providers
import pytest

from tests.contract.tracked import Tracked

from .fake import FakeServer, Request, Response, serve


class Repositories:
    """The script of a server that stores what it is sent, and returns null for what it was not sent."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}

    def __call__(self, request: Request) -> Response:
        path = request.path.removeprefix("/service/rest/v1/").partition("?")[0].split("/")
        if request.method in ("POST", "PUT"):
            form, type_ = path[1:3]
            body = json.loads(request.body)
            if form in ("maven", "raw"):
                body[form] = {"contentDisposition": None, **body.get(form, {})}
            self.stored[body["name"]] = {**body, "format": {"maven": "maven2"}.get(form, form), "type": type_}
            return Response(201)
        if path[0] == "repositorySettings" or path == ["repositories"]:
            return Response(200, list(self.stored.values()))
        found = self.stored.get(path[-1])
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
