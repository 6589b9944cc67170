"""A registry for the tests of ``nexus-registry doctor``, and what an examination of it finds."""

from __future__ import annotations

import datetime as dt
import ssl
from functools import cache
from pathlib import Path
from typing import Any

from nexus_registry.cli.registry import Target, examine

from sandbox.pki import Authority, Issued

from .fake import FakeServer, Request, Response

NOW = dt.datetime.now(dt.timezone.utc)


@cache
def authority() -> Authority:
    return Authority.create("Doctor CA")


def context(folder: Path, issued: Issued) -> ssl.SSLContext:
    (folder / "cert.pem").write_text(issued.certificate_pem)
    (folder / "key.pem").write_text(issued.private_key_pem)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return made


TOKEN = {"token": "t0ken"}


class Registry:
    """A registry and its Nexus that work, but for what a test changes: by path, or by method and folder."""

    def __init__(self) -> None:
        self.url = ""
        self.changed: dict[str, Response] = {}
        self.anonymous = False
        self.expected_pull = False

    def __call__(self, request: Request) -> Response:
        path = request.path.split("?")[0]
        for key in (path, f"{request.method} {path.rpartition('/')[0]}"):
            if key in self.changed:
                return self.changed[key]
        login = request.headers.get("Authorization", "")
        if path == "/v2/token":
            return Response(body=TOKEN) if login.startswith("Basic") or self.anonymous else Response(401)
        if path.startswith("/v2/"):
            return self._registry(request, path, login)
        rest = {
            "status/writable": "",
            "system/node": {"nodeId": "n"},
            "system/eula": {"accepted": True},
            "security/realms/available": [{"id": "DockerToken", "name": "Docker"}],
            "security/realms/active": ["DockerToken"],
            "blobstores": [blob_store()],
        }
        name = path.removeprefix("/service/rest/v1/")
        return Response(body=rest[name]) if name in rest else Response(404)

    def use(self, version: str, *, components: int = 1, requests: int = 1, edition: str = "COMMUNITY") -> None:
        """Set the version, and the amount that the server holds and serves."""
        node = Response(body={"nodeId": "n"}, headers={"Server": f"Nexus/{version} ({edition})"})
        gauges = {
            "nexus.analytics.component_total_count": {"value": components},
            "nexus.analytics.content_request_count": {"value": {"day": requests, "hour": 1}},
        }
        metrics = Response(body={"version": "4.0.0", "gauges": gauges})
        self.changed |= {"/service/rest/v1/system/node": node, "/service/rest/metrics/data": metrics}

    def _registry(self, request: Request, path: str, login: str) -> Response:
        if not login:
            challenge = f'Bearer realm="{self.url}/v2/token",service="{self.url}/v2/token"'
            return Response(401, headers={"WWW-Authenticate": challenge})
        if request.method == "POST":
            return Response(202, headers={"Location": f"{path}session"})
        missing = request.method == "GET" and "nexus-registry-proof" in path
        return Response(404 if missing else 200 if request.method == "GET" else 201, "{}")


def blob_store(**changes: Any) -> dict[str, Any]:
    return {
        "name": "default",
        "type": "File",
        "blobCount": 1,
        "totalSizeInBytes": 1,
        "availableSpaceInBytes": 1 << 40,
        **changes,
    }


def codes(fake: FakeServer, registry: Registry, **changes: Any) -> list[str]:
    registry.url = fake.url
    right = {"url": fake.url, "nexus": fake.url, "username": "ci", "password": "pw", "image": "team/doctor"}
    return [one.code for one in examine(Target(**{**right, "anonymous_pull": registry.expected_pull, **changes}))]
