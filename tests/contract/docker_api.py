"""Clients for tests of docker repositories: the REST API, the registry API, and what is made for one test."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import requests

from .server import Nexus

Json = dict[str, Any]


@dataclass
class Api:
    """The REST API as one user (or as nobody)."""

    nexus: Nexus
    auth: tuple[str, str] | None

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        url = f"{self.nexus.url}/service/rest/v1/{path}"
        return requests.request(method, url, json=body, auth=self.auth, timeout=30)

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.call(method, path, body)
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    @contextmanager
    def in_force(self, path: str, desired: Any, *, method: str = "PUT") -> Iterator[None]:
        """A setting of the server for as long as the block lasts; of an object, these fields."""
        before = self.ok("GET", path)
        self.ok(method, path, {**before, **desired} if isinstance(desired, dict) else desired)
        try:
            yield
        finally:
            self.ok(method, path, before)

    def licensed(self) -> AbstractContextManager[None]:
        """The licence accepted, for as long as the block lasts."""
        return self.in_force("system/eula", {"accepted": True}, method="POST")

    def token_realm(self) -> AbstractContextManager[None]:
        """Docker's tokens let in, for as long as the block lasts."""
        return self.in_force("security/realms/active", ["NexusAuthenticatingRealm", "DockerToken"])

    def anonymous(self, *, enabled: bool) -> AbstractContextManager[None]:
        """Anonymous access on or off, for as long as the block lasts."""
        return self.in_force("security/anonymous", {**_ANONYMOUS, "enabled": enabled})


def accept_licence(nexus: Nexus) -> None:
    """Accept the licence, where the version has one."""
    api = Api(nexus, (nexus.username, nexus.password))
    licence = api.call("GET", "system/eula")
    if licence.ok and not licence.json()["accepted"]:
        api.ok("POST", "system/eula", {**licence.json(), "accepted": True})


_ANONYMOUS = {"userId": "anonymous", "realmName": "NexusAuthorizingRealm"}


@dataclass
class Registry:
    """The registry API on a connector, as one user, with a token or without credentials."""

    url: str
    auth: tuple[str, str] | None = None
    token: str = ""
    verify: Any = True

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = more.pop("headers", {}) | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        url = path if path.startswith("http") else f"{self.url}{path}"
        return requests.request(
            method, url, auth=self.auth, headers=headers, timeout=30, verify=self.verify, **more
        )

    def push(self, image: str, tag: str, content: bytes | None = None) -> requests.Response:
        """Push an image of one layer; returns the first refusal, or the answer to the manifest."""
        layer, config = content or uuid.uuid4().bytes * 1000, json.dumps({"architecture": "amd64"}).encode()
        for blob in (layer, config):
            begun = self.call("POST", f"/v2/{image}/blobs/uploads/")
            if begun.status_code != 202:
                return begun
            where = urljoin(begun.url, begun.headers["Location"])
            mark = "&" if "?" in where else "?"
            done = self.call("PUT", f"{where}{mark}digest={digest(blob)}", data=blob)
            if done.status_code != 201:
                return done
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        manifest = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": len(config),
                "digest": digest(config),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                    "size": len(layer),
                    "digest": digest(layer),
                }
            ],
        }
        path, headers = f"/v2/{image}/manifests/{tag}", {"Content-Type": kind}
        return self.call("PUT", path, data=json.dumps(manifest), headers=headers)


@dataclass
class Repository:
    """A docker repository that is there for one test."""

    nexus: Nexus
    name: str
    port: int
    body: Json
    admin: Api
    registry: Registry = field(init=False)

    def __post_init__(self) -> None:
        self.registry = Registry(f"http://127.0.0.1:{self.port}", auth=self.admin.auth)

    def change(self, **docker: Any) -> None:
        """PUT the repository with other docker attributes."""
        self.body["docker"] |= docker
        self.admin.ok("PUT", f"repositories/docker/hosted/{self.name}", self.body)

    def store(self, **storage: Any) -> None:
        """PUT the repository with other storage attributes."""
        self.body["storage"] |= storage
        self.admin.ok("PUT", f"repositories/docker/hosted/{self.name}", self.body)

    def as_(self, user: str, password: str) -> Registry:
        return Registry(self.registry.url, auth=(user, password))

    def nobody(self) -> Registry:
        return Registry(self.registry.url)

    def token(self, auth: tuple[str, str] | None) -> Registry:
        answer = Registry(self.registry.url, auth=auth).call("GET", "/v2/token?service=x")
        assert answer.status_code == 200, answer.text
        return Registry(self.registry.url, token=answer.json()["token"])


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def named(prefix: str) -> str:
    """A name that no other test has."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def hosted(name: str, **docker: Any) -> Json:
    return {
        "name": name,
        "online": True,
        "storage": {"blobStoreName": "default", "strictContentTypeValidation": True, "writePolicy": "ALLOW"},
        "docker": {"v1Enabled": False, "forceBasicAuth": True, **docker},
    }


def said(answer: requests.Response) -> str:
    """The message of an error of one object."""
    return str(answer.json()["message"])


@dataclass
class People:
    """Makes users, each with a role of their own that has these privileges."""

    admin: Api
    made: list[tuple[str, str]] = field(default_factory=list)

    def add(self, *privileges: str) -> tuple[str, str]:
        name = named("user")
        role = {"id": f"role-{name}", "name": name, "description": "", "privileges": list(privileges)}
        self.admin.ok("POST", "security/roles", role | {"roles": []})
        user = {"userId": name, "firstName": "A", "lastName": "B", "emailAddress": "a@example.org"}
        user |= {"password": "first-1", "status": "active"}
        self.admin.ok("POST", "security/users", user | {"roles": [f"role-{name}"]})
        self.made.append((name, f"role-{name}"))
        return name, "first-1"
