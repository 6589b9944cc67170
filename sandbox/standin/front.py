"""What listens on the application ports: a way through to Core, with the docker format put in."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from aiohttp import ClientError, web

from . import names
from .access import ACCOUNT, Access
from .config import Settings
from .core import Answer, Upstream
from .directories import Directories
from .limiter import SIGN_IN
from .registry import BASIC, Registry
from .repositories import Repositories
from .state import State

_EULA = "https://links.sonatype.com/products/nxrm/ce-eula"
_DISCLAIMER = (
    "Use of Sonatype Nexus Repository - Community Edition is governed by the End User License Agreement at "
    f"{_EULA}. By returning the value from \u2018accepted:false\u2019 to \u2018accepted:true\u2019, you "
    f"acknowledge that you have read and agree to the End User License Agreement at {_EULA}."
)
_TOKEN_REALM = {"id": "DockerToken", "name": "Docker Bearer Token Realm"}


class Front:
    """The application whose requests are answered by Core, but for what follows in ``application``."""

    def __init__(
        self,
        core: Upstream,
        access: Access,
        settings: Settings,
        state: State,
        registry: Registry,
        repositories: Repositories,
    ) -> None:
        self._core, self._access, self._settings = core, access, settings
        self._state, self._registry, self._repositories = state, registry, repositories
        self._directories = Directories(core, settings, state, self._check_administrator)

    def application(self) -> web.Application:
        """The routes, most special first."""
        app = web.Application(client_max_size=0, middlewares=[self._access.limiter.watch, self._watch])
        rest, route = f"{self._settings.context}/service/rest/v1", app.router.add_route
        kind = f"{rest}/repositories/{{format}}/{{type:hosted|proxy|group}}"
        route("POST", kind, self._repositories.create)
        route("GET", f"{kind}/{{name}}", self._repositories.get)
        route("PUT", f"{kind}/{{name}}", self._repositories.update)
        for path in ("repositories", "repositories/{name}", "repositorySettings"):
            route("GET", f"{rest}/{path}", self._repositories.listed)
        route("DELETE", f"{rest}/repositories/{{name}}", self._repositories.delete)
        route("GET", f"{rest}/components", self._repositories.components)
        route("GET", f"{rest}/security/realms/available", self._available_realms)
        route("GET", f"{rest}/security/realms/active", self._active_realms)
        route("PUT", f"{rest}/security/realms/active", self._activate_realms)
        route("GET", f"{rest}/security/users", self._users)
        route("*", f"{rest}/security/{{what:(?:roles|privileges)}}{{path:(?:/.*)?}}", self._security)
        self._directories.add_routes(route, rest)
        route("*", f"{self._settings.context}/repository/{{name}}/{{path:v2(?:/.*)?}}", self._by_path)
        if not self._settings.context:
            route("*", "/{path:v2(?:/.*)?}", self._named_in_path)
        route("GET", f"{rest}/system/eula", self._eula)
        route("POST", f"{rest}/system/eula", self._accept_eula)
        route("POST", f"{self._settings.context}{SIGN_IN}", self._sign_in)
        route("*", "/{path:.*}", self._through)
        return app

    @web.middleware
    async def _watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Clear the cache after a request that may change users, roles or realms."""
        try:
            response: web.StreamResponse = await handler(request)
        except ClientError as error:
            raise web.HTTPBadGateway(text=f"Nexus Core is gone: {error}") from None
        if request.method not in ("GET", "HEAD") and (
            "/security/" in request.path or "/extdirect" in request.path
        ):
            self._access.forget()
        return response

    async def _through(self, request: web.Request) -> web.StreamResponse:
        return await self._core.relay(request)

    async def _by_path(self, request: web.Request) -> web.StreamResponse:
        """/repository/{name}/v2/…: for a reverse proxy that maps a host or a port to a repository."""
        name = self._state.docker(request.match_info["name"])
        if name is None:
            return await self._core.relay(request)
        before = f"{self._settings.context}/repository/{request.match_info['name']}"
        return await self._registry.serve(request, name, request.raw_path.removeprefix(before))

    async def _named_in_path(self, request: web.Request) -> web.StreamResponse:
        """/v2/{name}/{image}/…, for a repository that has ``pathEnabled``, and /v2/ for all of them."""
        if not self._settings.has_paths:
            return await self._core.relay(request)
        match = re.match(r"/v2/([^/?]+)/(.+)", request.raw_path)
        if match is None or match[1] not in self._state.by_path:
            return await self._registry.serve(request, None, request.raw_path)
        return await self._registry.serve(request, match[1], f"/v2/{match[2]}", f"{match[1]}/")

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        """The form of the pages, which the limiter may have read: a body that was read can't be relayed."""
        return (await self._core.ask(request)).response()

    async def _available_realms(self, request: web.Request) -> web.StreamResponse:
        answer = await self._core.ask(request)
        return _if_ok(answer, lambda realms: sorted([*realms, _TOKEN_REALM], key=lambda realm: realm["name"]))

    async def _active_realms(self, request: web.Request) -> web.StreamResponse:
        return _if_ok(await self._core.ask(request), self._merged)

    def _merged(self, core: list[str]) -> list[str]:
        """Core's active realms, with the token realm where it was put."""
        active = self._state.active_realms
        if [realm for realm in active if realm != "DockerToken"] == core:
            return active
        return [*core, "DockerToken"] if active else core

    async def _activate_realms(self, request: web.Request) -> web.StreamResponse:
        try:
            wanted = json.loads(await request.read())
            rest = [realm for realm in wanted if realm != "DockerToken"]
        except (ValueError, TypeError):
            return await self._core.relay(request)
        answer = await self._core.ask(request, body=json.dumps(rest).encode())
        if answer.status == 204:
            self._state.active_realms = wanted if "DockerToken" in wanted else []
            self._state.save()
        return answer.response()

    async def _users(self, request: web.Request) -> web.StreamResponse:
        answer = await self._core.ask(request)
        return _if_ok(answer, lambda users: [user for user in users if user["userId"] != ACCOUNT])

    async def _security(self, request: web.Request) -> web.StreamResponse:
        """Roles and privileges: ``docker`` here, ``raw`` in Core."""
        body, remembered = await request.read(), list(self._state.docker_wildcards)
        path = request.raw_path
        if body:
            try:
                body = json.dumps(names.to_core(json.loads(body), self._state.formats, self._remember)).encode()
            except ValueError:
                return (await self._core.ask(request)).response()
        last = request.match_info["path"].rpartition("/")[2]
        if last:
            inside = names.to_core(last, self._state.formats, lambda _: None)
            before, mark, query = path.partition("?")
            path = f"{before.rpartition('/')[0]}/{quote(inside, safe='')}{mark}{query}"
        answer = await self._core.ask(request, path, body)
        if remembered != self._state.docker_wildcards:
            self._state.save()
        if answer.headers.get("Content-Type", "").startswith("application/json") and answer.body:
            return answer.response(lambda raw: names.dump(self._outside(json.loads(raw), last)))
        return answer.response(names.rewrite_text(self._state.formats))

    def _remember(self, name: str) -> None:
        if name not in self._state.docker_wildcards:
            self._state.docker_wildcards.append(name)

    def _outside(self, body: Any, asked: str) -> Any:
        if isinstance(body, list) and body and "readOnly" in body[0] and "type" in body[0]:
            made = [name for name in self._state.docker_wildcards if not name.startswith("nx-")]
            return names.with_every_docker(names.from_core(body, self._state.formats, made))
        return names.from_core(body, self._state.formats, [*self._state.docker_wildcards, asked])

    async def _check_administrator(self, request: web.Request) -> None:
        caller = await self._access.caller(request.headers.get("Authorization"))
        if caller is None or caller.anonymous:
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": BASIC}, text="")
        if not caller.administrator:
            raise web.HTTPForbidden(text="")

    async def _eula(self, request: web.Request) -> web.StreamResponse:
        if not self._settings.has_eula:
            return await self._core.relay(request)
        await self._check_administrator(request)
        return web.json_response({"accepted": self._state.eula_accepted, "disclaimer": _DISCLAIMER})

    async def _accept_eula(self, request: web.Request) -> web.StreamResponse:
        if not self._settings.has_eula:
            return await self._core.relay(request)
        await self._check_administrator(request)
        given = await request.json()
        if given.get("disclaimer") != _DISCLAIMER:
            return web.Response(status=500, text="Invalid EULA disclaimer")
        self._state.eula_accepted = bool(given.get("accepted"))
        self._state.save()
        return web.Response(status=204)


def _if_ok(answer: Answer, change: Any) -> web.Response:
    """The answer, with its decoded body changed if it is one of success."""
    if answer.status != 200:
        return answer.response()
    return answer.response(lambda body: names.dump(change(json.loads(body))))
