"""The REST API's repositories of closed formats, each a raw repository of the same name and type in Core.

Core says who may do what, which names are taken and which blob stores and members there are, and makes the
privileges. The rest of a body is checked against the description of the API and kept here. Only docker
repositories serve anything.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from aiohttp import web

from . import names
from .access import Access, Caller
from .config import Settings
from .core import Upstream, basic
from .formats import Described, Formats, error, for_core
from .registry import Registry
from .state import State

_NONE = "no-such-docker-repository"  # a request to Core for this name gets Core's own errors
_ATTRIBUTES = ("v1Enabled", "forceBasicAuth", "httpPort", "httpsPort", "subdomain")


class Repositories:
    """The handlers of ``/v1/repositories`` and related addresses, for repositories of closed formats."""

    def __init__(
        self, core: Upstream, access: Access, settings: Settings, state: State, registry: Registry
    ) -> None:
        self._core, self._access, self._settings = core, access, settings
        self._state, self._registry = state, registry
        self._rest = f"{settings.context}/service/rest/v1"
        self._described = Described()

    async def agree(self) -> None:
        """After a start: keep of what is on record, or was being made when a process was killed, what Core has."""
        known, self._state.making = self._state.making | self._state.repositories, {}
        authorization = basic(*self._state.account) if self._state.account else None
        for name, docker in known.items():
            type_ = docker.get("kind", "docker/hosted").partition("/")[2]
            path = f"{self._rest}/repositories/raw/{type_}/{name}"
            if (await self._core.call("GET", path, authorization=authorization)).status == 404:
                self._registry.remove_images(name)
                self._state.repositories.pop(name, None)
                self._state.save()
            else:
                await self._keep(name, docker)

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/repositories/{format}/{type}"""
        if _kind(request) not in self._formats:
            return await self._core.relay(request)
        return await self._write(request, None)

    async def update(self, request: web.Request) -> web.StreamResponse:
        """PUT /v1/repositories/{format}/{type}/{name}: a full replacement, never a patch"""
        name = self._state.name(request.match_info["name"])
        if name is None and _kind(request) not in self._formats:
            return await self._core.relay(request)
        if name is None or self._state.kind(name) != _kind(request):
            return await self._not_found(request)
        return await self._write(request, name)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/repositories/{format}/{type}/{name}"""
        name = self._state.name(request.match_info["name"])
        if name is None and _kind(request) not in self._formats:
            return await self._core.relay(request)
        if name is None or self._state.kind(name) != _kind(request):
            return await self._not_found(request)
        answer = await self._core.ask(request, f"{self._raw(request)}/{name}")
        return answer.response(self._translated if answer.status == 200 else None)

    async def listed(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/repositories, /v1/repositories/{name} and /v1/repositorySettings"""
        answer = await self._core.ask(request)
        return answer.response(self._translated if answer.status == 200 else None)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """DELETE /v1/repositories/{name}"""
        answer = await self._core.ask(request)
        name = self._state.name(request.match_info["name"])
        if name and answer.status == 204:
            if self._state.docker(name):
                self._access.forget()
                await self._registry.close(name)
                self._registry.remove_images(name)
            del self._state.repositories[name]
            self._state.save()
        return answer.response()

    async def components(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/components?repository={name}: one component per tag, all of them on one page"""
        name = self._state.docker(request.query.get("repository", ""))
        if name is None:
            return await self._core.relay(request)
        answer = await self._core.ask(request)
        caller = await self._access.caller(request.headers.get("Authorization"))
        if answer.status != 200 or caller is None:
            return answer.response()
        items = self._registry.components(name) if caller.may("browse", name) else []
        return answer.response(lambda _: names.dump({"items": items, "continuationToken": None}))

    async def _write(self, request: web.Request, name: str | None) -> web.StreamResponse:
        kind, path = _kind(request), self._raw(request) + (f"/{name}" if name else "")
        try:
            body = json.loads(await request.read())
            record, errors = self._checked(kind, body)
        except (ValueError, TypeError, AttributeError):  # Core says what is wrong with it
            return (await self._core.ask(request, path)).response()
        serves = kind.startswith("docker/")
        caller = await self._access.caller(request.headers.get("Authorization")) if serves else None
        if serves and caller is None and "Authorization" in request.headers:
            return await self._not_found(request)  # a 401, for wrong credentials
        errors = errors or await self._foreign_members(request, kind, body)
        sent = body if kind == "docker/hosted" else for_core(body)
        if errors:
            return await self._invalid(request, path, sent, errors)
        desired = name or str(body.get("name"))
        if refusal := self._refused_ports(desired, record, caller, "edit" if name else "add"):
            return refusal
        if serves and name is None and await self._is_free(request, desired):
            self._state.making[desired] = record
            self._state.save()
        answer = await self._core.ask(request, path, json.dumps(sent).encode())
        given_up = self._state.making.pop(desired, None)
        if answer.status in (201, 204):
            await self._keep(desired, record)
        elif given_up:
            self._state.save()
        return answer.response()

    async def _is_free(self, request: web.Request, name: str) -> bool:
        path = f"{self._raw(request)}/{quote(name, safe='')}"
        return (await self._core.ask(request, path, b"", "GET")).status == 404

    @property
    def _formats(self) -> Formats:
        """The repositories that this version knows."""
        return self._described.of(self._settings.formats)

    def _raw(self, request: web.Request) -> str:
        """Where Core has repositories of the requested type."""
        return f"{self._rest}/repositories/raw/{request.match_info['type']}"

    def _checked(self, kind: str, body: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
        """What is kept of a request, and what is wrong with it."""
        record: dict[str, Any] = {}
        errors: list[dict[str, str]] = []
        if kind.startswith("docker/"):
            record, errors = _docker(body, self._attributes)
        if kind != "docker/hosted":
            record |= {"kind": kind, "body": body}
            more = self._formats.errors(kind, body)
            errors += [one for one in more if one["id"] not in {each["id"] for each in errors}]
        return record, errors

    async def _foreign_members(
        self, request: web.Request, kind: str, body: dict[str, Any]
    ) -> list[dict[str, str]]:
        """The members of a group that are of another format; to Core they are all raw."""
        if not kind.endswith("/group"):
            return []
        answer = await self._core.ask(request, f"{self._rest}/repositories", b"", "GET")
        if answer.status != 200:
            return []
        of = {one["name"]: one["format"] for one in answer.json()} | self._state.formats
        own = kind.partition("/")[0]
        said = "Member repository format does not match group repository format: "
        members = body["group"]["memberNames"]
        return [error("memberNames", f"{said}{one}") for one in members if of.get(one, own) != own]

    @property
    def _attributes(self) -> tuple[str, ...]:
        """The docker attributes that this version knows."""
        return (*_ATTRIBUTES, "pathEnabled") if self._settings.has_paths else _ATTRIBUTES

    async def _not_found(self, request: web.Request) -> web.StreamResponse:
        """Core's response for a missing repository: 401 or 403 without permission, otherwise 404."""
        body = await request.read()
        with suppress(ValueError, AttributeError):
            body = json.dumps(json.loads(body) | {"name": _NONE}).encode()
        path = f"{self._rest}/repositories/raw/hosted/{_NONE}"
        method = "GET" if request.method == "POST" else request.method
        return (await self._core.ask(request, path, body, method)).response()

    async def _invalid(
        self, request: web.Request, path: str, body: dict[str, Any], errors: list[dict[str, str]]
    ) -> web.StreamResponse:
        """Core's own refusal of a request that is wrong without ``online``, and what else is wrong with it."""
        answer = await self._core.ask(request, path, json.dumps(body | {"online": None}).encode())
        if answer.status != 400 or not isinstance(found := answer.json(), list):
            return answer.response()
        own = {each["id"] for each in errors} | ({"PARAMETER online"} if body.get("online") is not None else set())
        known = [each for each in found if each["id"] not in own]
        return answer.response(lambda _: json.dumps([*known, *errors], separators=(",", ":")).encode())

    async def _keep(self, name: str, record: dict[str, Any]) -> None:
        self._state.repositories[name] = record
        self._state.save()
        if self._state.docker(name):
            self._access.forget()
            await self._registry.open(name)

    def _refused_ports(
        self, name: str, record: dict[str, Any], caller: Caller | None, action: str
    ) -> web.Response | None:
        if caller is None or not caller.may(action, name, "admin"):
            return None  # Core responds with the error
        taken = {self._settings.http_port, self._settings.https_port}
        for other, attributes in self._state.repositories.items():
            if other != name:
                taken |= {attributes.get("httpPort"), attributes.get("httpsPort")}
        ports = [record[key] for key in ("httpPort", "httpsPort") if record.get(key) is not None]
        wrong = [port for port in ports if not 0 < port < 65536 or port in taken or ports.count(port) > 1]
        if not wrong:
            return None
        which = "\\n".join(f"Port {port} is not available" for port in sorted(set(wrong)))
        number = len(set(wrong))
        message = f'"Failed to validate facets; {number} failure{"s" if number > 1 else ""}\\n{which}"'
        return web.Response(
            status=400, body=names.dump({"id": "*", "message": message}), content_type="application/json"
        )

    def _translated(self, body: bytes) -> bytes:
        """Core's repositories, those of closed formats with their own format."""
        formats = self._formats

        def one(item: dict[str, Any]) -> dict[str, Any]:
            docker = self._state.repositories.get(item.get("name", ""))
            if docker is None:
                return item
            if kind := docker.get("kind"):
                known = formats if kind in formats else self._described.newest
                return _shown(item, kind, known.shown(kind, docker["body"]))
            shown: dict[str, Any] = {}
            for key, value in item.items():
                if key == "raw":
                    shown["docker"] = {each: docker.get(each) for each in self._attributes}
                elif key == "storage":
                    shown[key] = value | {"latestPolicy": docker["latestPolicy"]}
                else:
                    shown[key] = "docker" if key == "format" else value
            return shown

        found = json.loads(body)
        return names.dump([one(item) for item in found] if isinstance(found, list) else one(found))


def _kind(request: web.Request) -> str:
    return f"{request.match_info['format']}/{request.match_info['type']}"


def _shown(item: dict[str, Any], kind: str, kept: dict[str, Any]) -> dict[str, Any]:
    """A repository of Core's, from one of its lists or by itself, with what was kept of its body."""
    shown = {**item, "format": kind.partition("/")[0]}
    if "storage" not in item:
        return shown
    shown.pop("raw", None)
    kept.pop("routingRule", None)
    if "routingRuleName" in item:
        kept["routingRuleName"] = item["routingRuleName"]
    if "group" in item:
        kept["group"]["memberNames"] = item["group"]["memberNames"]
    return {**shown, **kept}


def _docker(body: dict[str, Any], known: tuple[str, ...]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The docker attributes of a request, and what is wrong with them. Unknown fields are ignored."""
    given = body.get("docker")
    if given is None:
        return {}, [error("docker", "must not be null")]
    errors = [error(key, "must not be null") for key in ("v1Enabled", "forceBasicAuth") if given.get(key) is None]
    docker: dict[str, Any] = {key: given.get(key) for key in known}
    for key in ("httpPort", "httpsPort"):
        if docker[key] is not None:
            try:
                docker[key] = int(docker[key])
            except ValueError:
                words = (
                    f'type `java.lang.Integer` from String "{docker[key]}": not a valid `java.lang.Integer` value'
                )
                errors.append({"id": f"docker.{key}", "message": f"Cannot deserialize value of {words}"})
    others = [key for key in ("httpPort", "httpsPort", "subdomain") if docker[key] is not None]
    if docker.get("pathEnabled") and others:
        errors.append(error("pathEnabled", f"may not be combined with {', '.join(others)}"))
    storage = body.get("storage") or {}
    docker["latestPolicy"] = bool(storage.get("latestPolicy", False))
    docker["writePolicy"] = str(storage.get("writePolicy") or "ALLOW")
    docker["online"] = body.get("online") is not False
    return docker, errors
