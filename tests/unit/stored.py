"""A Nexus that keeps what it is sent and answers it as the real one does: reordered, with fields of its own."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from .fake import Request, Response

REST = "/service/rest/v1/"
_GONE = Response(404, {"id": "*", "message": '"not found"'})


class Stored:
    """The script of a fake server (see ``fake.serve``) with everything that the providers write."""

    def __init__(self) -> None:
        self.passwords = {"admin": "pw"}
        self.repositories: dict[str, Any] = {}
        self.roles: dict[str, Any] = {}
        self.users: dict[str, Any] = {}
        self.images: set[str] = set()
        """Repositories that hold an image."""
        self.unlisted: set[str] = set()
        """Roles that the list lacks, as it does for a moment when they have just been written."""
        self.node = "node-1"
        self.realms = ["NexusAuthenticatingRealm"]
        self.anonymous: Any = {"enabled": False, "userId": "anonymous", "realmName": "NexusAuthorizingRealm"}
        self.licence: Any = {"accepted": False, "disclaimer": "‘text’"}  # noqa: RUF001 - the server's own quotes

    def __call__(self, request: Request) -> Response:
        user, _, password = base64.b64decode(request.headers["Authorization"].split()[1]).decode().partition(":")
        if self.passwords.get(user) != password:
            return Response(401)
        parts = urlsplit(request.path)
        path = [unquote(part) for part in parts.path.removeprefix(REST).split("/")]
        if path[-1] == "change-password":
            self.passwords[path[-2]] = request.body
            return Response(204)
        body: Any = json.loads(request.body) if request.body else None
        match (request.method, path):
            case (_, ["status"]):
                return Response(200)
            case ("GET", ["repositories"]):
                default = {"format": "docker", "type": "hosted"}
                return Response(200, [{**default, **one, "name": name} for name, one in self.repositories.items()])
            case ("DELETE", ["repositories", name]):
                return self._kept(self.repositories, "DELETE", [name], None, "name", None)
            case ("GET", ["components"]):
                held = parse_qs(parts.query)["repository"][0] in self.images
                return Response(200, {"items": [{}] if held else [], "continuationToken": None})
            case ("GET", ["system", "node"]):
                return Response(200, {"nodeId": self.node})
            case (method, ["repositories", "docker", "hosted", *name]):
                wanted = (body or {}).get("docker", {}).get("httpPort")
                for other in self.repositories.values():
                    if wanted and other["name"] != body["name"] and other["docker"]["httpPort"] == wanted:
                        return Response(400, [{"id": "*", "message": "Failed to validate facets"}])
                return self._kept(self.repositories, method, name, body, "name", _as_repository)
            case ("DELETE", ["security", "users", name]):
                return self._kept(self.users, "DELETE", [name], None, "userId", None)
            case ("GET", ["security", "users"]):
                wanted = parse_qs(parts.query).get("userId", [""])[0].lower()
                return Response(200, [one for name, one in self.users.items() if name.lower().startswith(wanted)])
            case (method, ["security", "users", *name]):
                if method == "POST":
                    self.passwords[body["userId"]] = body.pop("password")
                return self._kept(self.users, method, name, body, "userId", _as_user)
            case ("GET", ["security", "roles"]):
                there = {name: {"id": name} for name in ("everyone", "nobody")} | self.roles
                return Response(200, [role for name, role in there.items() if name not in self.unlisted])
            case (method, ["security", "roles", *name]):
                return self._kept(self.roles, method, name, body, "id", _as_role)
            case ("GET", ["security", "realms", "available"]):
                return Response(200, [{"id": one} for one in ("DockerToken", "rutauth-realm", *self.realms)])
            case (method, ["security", "realms", "active"]):
                self.realms = body if method == "PUT" else self.realms
                return Response(200, self.realms)
            case (method, ["security", "anonymous"]):
                self.anonymous = body if method == "PUT" else self.anonymous
                return Response(200, self.anonymous)
            case (method, ["system", "eula"]):
                self.licence = body if method == "POST" else self.licence
                return Response(200, self.licence)
        return _GONE

    def _kept(self, of: dict[str, Any], method: str, name: list[str], body: Any, key: str, shown: Any) -> Response:
        if method == "DELETE":
            return Response(204) if of.pop(name[0], None) else _GONE
        if method == "POST" and body[key] in of:
            return Response(400, [{"id": key, "message": "already exists"}])
        if method in ("POST", "PUT"):
            of[body[key]] = shown(body)
            return Response(204)
        return Response(200, of[name[0]]) if name and name[0] in of else _GONE


def _as_role(body: Any) -> Any:
    lists = {key: body[key][::-1] for key in ("privileges", "roles")}
    return {**body, **lists, "description": body["description"] or None, "source": "default", "readOnly": False}


def _as_user(body: Any) -> Any:
    return {**body, "roles": body["roles"][::-1], "source": "default", "readOnly": False, "externalRoles": []}


def _as_repository(body: Any) -> Any:
    policies = (body.get("cleanup") or {}).get("policyNames")
    returned = {"cleanup": {"policyNames": policies[::-1]} if policies else None, "component": None}
    docker = {"httpPort": None, "httpsPort": None, "subdomain": None, **body["docker"]}
    return {
        **body,
        **returned,
        "docker": docker,
        "format": "docker",
        "type": "hosted",
        "url": "http://x/repository/x",
    }
