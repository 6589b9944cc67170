"""The REST API's docker hosted repositories, each a raw hosted repository of the same name in Core."""

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
from .registry import Registry
from .state import State

_NONE = "no-such-docker-repository"  # what Core is asked for, so that its refusals are Core's own
_ATTRIBUTES = ("v1Enabled", "forceBasicAuth", "httpPort", "httpsPort", "subdomain")


class Repositories:
    """The handlers of ``/v1/repositories`` and its kin, where docker repositories are concerned."""

    def __init__(
        self, core: Upstream, access: Access, settings: Settings, state: State, registry: Registry
    ) -> None:
        self._core, self._access, self._settings = core, access, settings
        self._state, self._registry = state, registry
        self._rest = f"{settings.context}/service/rest/v1"

    async def agree(self) -> None:
        """After a start: keep of what is on record, or was being made when a process was killed, what Core has."""
        known, self._state.making = self._state.making | self._state.repositories, {}
        authorization = basic(*self._state.account) if self._state.account else None
        for name, docker in known.items():
            path = f"{self._rest}/repositories/raw/hosted/{name}"
            if (await self._core.call("GET", path, authorization=authorization)).status == 404:
                self._registry.remove_images(name)
                self._state.repositories.pop(name, None)
                self._state.save()
            else:
                await self._keep(name, docker)

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/repositories/docker/hosted"""
        return await self._write(request, None)

    async def update(self, request: web.Request) -> web.StreamResponse:
        """PUT /v1/repositories/docker/hosted/{name}: a full replacement, never a patch"""
        return await self._write(request, request.match_info["name"])

    async def get(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/repositories/docker/hosted/{name}"""
        wanted = request.match_info["name"]
        name = self._state.name(wanted)
        if name is None:
            return await self._not_found(request)
        answer = await self._core.ask(request, f"{self._rest}/repositories/raw/hosted/{name}")
        return answer.response(self._translated if answer.status == 200 else None)

    async def get_raw(self, request: web.Request) -> web.StreamResponse:
        """GET and PUT /v1/repositories/raw/hosted/{name}: a docker repository is not there"""
        if self._state.name(request.match_info["name"]) is None:
            return await self._core.relay(request)
        return await self._not_found(request)

    async def listed(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/repositories, /v1/repositories/{name} and /v1/repositorySettings"""
        answer = await self._core.ask(request)
        return answer.response(self._translated if answer.status == 200 else None)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """DELETE /v1/repositories/{name}"""
        answer = await self._core.ask(request)
        name = self._state.name(request.match_info["name"])
        if name and answer.status == 204:
            self._access.forget()
            await self._registry.close(name)
            self._registry.remove_images(name)
            del self._state.repositories[name]
            self._state.save()
        return answer.response()

    async def components(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/components?repository={name}: one component per tag, all of them on one page"""
        name = self._state.name(request.query.get("repository", ""))
        if name is None:
            return await self._core.relay(request)
        answer = await self._core.ask(request)
        caller = await self._access.caller(request.headers.get("Authorization"))
        if answer.status != 200 or caller is None:
            return answer.response()
        items = self._registry.components(name) if caller.may("browse", name) else []
        return answer.response(lambda _: names.dump({"items": items, "continuationToken": None}))

    async def _write(self, request: web.Request, wanted: str | None) -> web.StreamResponse:
        name = self._state.name(wanted) if wanted is not None else None
        if wanted is not None and name is None:
            return await self._not_found(request)
        path = f"{self._rest}/repositories/raw/hosted" + (f"/{name}" if name else "")
        try:
            body = json.loads(await request.read())
            docker, errors = _checked(body, self._attributes)
        except (ValueError, TypeError):  # Core says what is wrong with it
            return (await self._core.ask(request, path)).response()
        caller = await self._access.caller(request.headers.get("Authorization"))
        if caller is None and "Authorization" in request.headers:
            return await self._not_found(request)  # a 401, for wrong credentials
        if errors:
            return await self._invalid(request, path, body, errors)
        wished = name or str(body.get("name"))
        if refusal := self._refused_ports(wished, docker, caller, "edit" if name else "add"):
            return refusal
        if name is None and await self._is_free(request, wished):
            self._state.making[wished] = docker
            self._state.save()
        answer = await self._core.ask(request, path, json.dumps(body).encode())
        given_up = self._state.making.pop(wished, None)
        if answer.status in (201, 204):
            await self._keep(wished, docker)
        elif given_up:
            self._state.save()
        return answer.response()

    async def _is_free(self, request: web.Request, name: str) -> bool:
        path = f"{self._rest}/repositories/raw/hosted/{quote(name, safe='')}"
        return (await self._core.ask(request, path, b"", "GET")).status == 404

    @property
    def _attributes(self) -> tuple[str, ...]:
        """The docker attributes that this version knows."""
        return (*_ATTRIBUTES, "pathEnabled") if self._settings.has_paths else _ATTRIBUTES

    async def _not_found(self, request: web.Request) -> web.StreamResponse:
        """What Core says of a repository that isn't there: 401 or 403 to those who may not ask, otherwise 404."""
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
        known = [each for each in found if body.get("online") is None or each["id"] != "PARAMETER online"]
        return answer.response(lambda _: json.dumps([*known, *errors], separators=(",", ":")).encode())

    async def _keep(self, name: str, docker: dict[str, Any]) -> None:
        self._state.repositories[name] = docker
        self._state.save()
        self._access.forget()
        await self._registry.open(name)

    def _refused_ports(
        self, name: str, docker: dict[str, Any], caller: Caller | None, action: str
    ) -> web.Response | None:
        if caller is None or not caller.may(action, name, "admin"):
            return None  # Core refuses
        taken = {self._settings.http_port, self._settings.https_port}
        for other, attributes in self._state.repositories.items():
            if other != name:
                taken |= {attributes["httpPort"], attributes["httpsPort"]}
        ports = [docker[key] for key in ("httpPort", "httpsPort") if docker[key] is not None]
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
        """Core's repositories with the docker ones among them shown as what they are."""

        def one(item: dict[str, Any]) -> dict[str, Any]:
            docker = self._state.repositories.get(item.get("name", ""))
            if docker is None:
                return item
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


def _checked(body: dict[str, Any], known: tuple[str, ...]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The docker attributes of a request, and what is wrong with them. Unknown fields are ignored."""
    given = body.get("docker")
    if given is None:
        return {}, [_error("docker", "must not be null")]
    errors = [_error(key, "must not be null") for key in ("v1Enabled", "forceBasicAuth") if given.get(key) is None]
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
        errors.append(_error("pathEnabled", f"may not be combined with {', '.join(others)}"))
    storage = body.get("storage") or {}
    docker["latestPolicy"] = bool(storage.get("latestPolicy", False))
    docker["writePolicy"] = str(storage.get("writePolicy") or "ALLOW")
    docker["online"] = body.get("online") is not False
    return docker, errors


def _error(field: str, message: str) -> dict[str, str]:
    return {"id": f"PARAMETER {field}", "message": message}
