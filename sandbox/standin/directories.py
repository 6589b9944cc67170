"""``/v1/security/ldap``: LDAP servers as the API keeps them, and its verification of them, from 3.92 on.

Nothing is logged in with: the LDAP realm is not played. The verification connects, binds and searches in earnest.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from .config import Settings
from .core import Upstream
from .directory_client import Failed, bound, users
from .formats import Described, error
from .state import State

_KIND = "POST /v1/security/ldap"
Json = dict[str, Any]


class Directories:
    """The LDAP servers, in the order in which Nexus asks them."""

    def __init__(
        self,
        core: Upstream,
        settings: Settings,
        state: State,
        check_administrator: Callable[[web.Request], Awaitable[None]],
    ) -> None:
        self._core, self._settings, self._state = core, settings, state
        self._check, self._described = check_administrator, Described()

    def add_routes(self, route: Callable[..., Any], rest: str) -> None:
        """Add the routes; ``rest`` is where the REST API is."""
        self._trusted_at = f"{rest}/security/ssl/truststore"
        base = f"{rest}/security/ldap"
        for method, path, handler in (
            ("GET", "", self._list),
            ("POST", "", self._create),
            ("POST", "/change-order", self._order),
            ("POST", "/verify-connection", self._verify_connection),
            ("POST", "/verify-user-mapping", self._verify_users),
            ("GET", "/{name}", self._get),
            ("PUT", "/{name}", self._update),
            ("DELETE", "/{name}", self._delete),
        ):
            route(method, f"{base}{path}", handler)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        await self._check(request)
        return web.json_response([self._shown(one) for one in self._state.directories])

    async def _get(self, request: web.Request) -> web.StreamResponse:
        await self._check(request)
        return web.json_response(self._shown(self._found(request)))

    async def _create(self, request: web.Request) -> web.StreamResponse:
        body = await self._body(request)
        if any(one["name"] == body["name"] for one in self._state.directories):
            raise _bad([error("name", f"LDAP server {body['name']} already exists")])
        self._keep([*self._state.directories, {**body, "id": uuid.uuid4().hex}])
        return web.Response(status=201)

    async def _update(self, request: web.Request) -> web.StreamResponse:
        body = await self._body(request)
        before = self._found(request)
        after = {
            **body,
            "id": before["id"],
            "authPassword": body.get("authPassword") or before.get("authPassword"),
        }
        self._keep([after if one is before else one for one in self._state.directories])
        return web.Response(status=204)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        await self._check(request)
        gone = self._found(request)
        self._keep([one for one in self._state.directories if one is not gone])
        return web.Response(status=204)

    async def _order(self, request: web.Request) -> web.StreamResponse:
        await self._check(request)
        names = await request.json()
        known = {one["name"]: one for one in self._state.directories}
        if sorted(names) != sorted(known):
            raise _bad([error("", "the list must name every LDAP server")])
        self._keep([known[name] for name in names])
        return web.Response(status=204)

    async def _verify_connection(self, request: web.Request) -> web.StreamResponse:
        return await self._verified(request, bound, lambda _: web.Response(status=204))

    async def _verify_users(self, request: web.Request) -> web.StreamResponse:
        return await self._verified(request, users, web.json_response)

    async def _verified(
        self,
        request: web.Request,
        ask: Callable[[Mapping[str, Any], str], Any],
        response: Callable[[Any], web.StreamResponse],
    ) -> web.StreamResponse:
        if not self._settings.verifies_directories:
            return await self._core.relay(request)
        body = await self._body(request)
        trusted = ""
        if body.get("useTrustStore"):
            answer = await self._core.ask(request, self._trusted_at, b"", "GET")
            trusted = "\n".join(one["pem"] for one in answer.json())
        try:
            return response(await asyncio.to_thread(ask, body, trusted))
        except Failed as failed:
            raise _bad([{"id": "*", "message": str(failed)}]) from None

    async def _body(self, request: web.Request) -> Json:
        """The body of a request of an administrator; 400 when the description does not allow it."""
        await self._check(request)
        body: Json = await request.json()
        if errors := list(self._described.of(self._settings.formats).errors(_KIND, body)):
            raise _bad(errors)
        return body

    def _found(self, request: web.Request) -> Json:
        for one in self._state.directories:
            if one["name"] == request.match_info["name"]:
                return one
        raise web.HTTPNotFound(text="")

    def _shown(self, one: Json) -> Json:
        shown = self._described.of(self._settings.formats).shown(_KIND, one)
        return {**shown, "id": one["id"], "order": self._state.directories.index(one)}

    def _keep(self, directories: list[Json]) -> None:
        self._state.directories = directories
        self._state.save()


def _bad(errors: list[dict[str, str]]) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=web.json_response(errors).text, content_type="application/json")
