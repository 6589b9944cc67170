"""The limiter of logins that Nexus has from 3.93 on: wrong passwords shut an account for a quarter of an hour.

After more than three wrong logins every request with that user's name is answered 429, with the right password
too, until none has come for ``limited_seconds`` (900 unless ``etc/standin.json`` says otherwise), an administrator
updates the user or its password, or the server is started again. A right login takes nothing back of what was
counted. What carries a docker token or a session's cookie carries no name, and passes.
"""

from __future__ import annotations

import base64
import re
import time
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from .config import Settings
from .core import user_of

SIGN_IN = "/service/rapture/session"
"""Where the pages of the user interface send the form with name and password."""
_ATTEMPTS = 3
_UPDATED = re.compile(r"/service/rest/v1/security/users/([^/]+)(?:/change-password)?")
_PAGE = "<html><head><title>429 - Nexus Repository Manager</title></head><body>Too Many Requests</body></html>"


class Limiter:
    """Counts the wrong logins of each user name, for the front and all connectors together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wrong: dict[str, int] = {}
        self._last: dict[str, float] = {}

    @web.middleware
    async def watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Refuse the requests of an account that is shut, and learn from the answers to all others."""
        user = ""
        if self._settings.limits_logins:
            user = await self._named_by(request)
        else:
            self._wrong.clear()
        if user and self._is_shut(user):
            # Always 30 s, whatever is left of the quarter of an hour.
            return web.Response(status=429, text=_PAGE, content_type="text/html", headers={"Retry-After": "30"})
        try:
            response: web.StreamResponse = await handler(request)
        except web.HTTPException as error:
            self._learn(request, user, error.status)
            raise
        self._learn(request, user, response.status)
        return response

    def _learn(self, request: web.Request, user: str, status: int) -> None:
        if user and (status == 401 or (status == 403 and self._signs_in(request))):
            self._wrong[user] = self._wrong.get(user, 0) + 1
        updated = _UPDATED.fullmatch(request.raw_path.removeprefix(self._settings.context))
        if updated and request.method == "PUT" and status == 204:
            self._wrong.pop(unquote(updated[1]), None)

    def _is_shut(self, user: str) -> bool:
        now = time.monotonic()
        if now - self._last.get(user, now) > self._settings.switches.get("limited_seconds", 900):
            self._wrong.pop(user, None)
        self._last[user] = now
        return self._wrong.get(user, 0) > _ATTEMPTS

    def _signs_in(self, request: web.Request) -> bool:
        return request.method == "POST" and request.path == f"{self._settings.context}{SIGN_IN}"

    async def _named_by(self, request: web.Request) -> str:
        """The user whose password a request carries; empty where it carries none."""
        try:
            if self._signs_in(request):
                return base64.b64decode(str((await request.post()).get("username", ""))).decode()
            authorization = request.headers.get("Authorization", "")
            return user_of(authorization) if authorization.lower().startswith("basic ") else ""
        except ValueError:  # no Base64
            return ""
