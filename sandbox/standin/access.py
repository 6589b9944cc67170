"""Who may do what: users authenticated by Core, permissions as Core gives them, docker tokens.

Core is asked with the caller's own credentials: its UI's ``rapture_Security.getPermissions`` answers 401 for
wrong ones, and otherwise every permission that Core's own security grants this caller, evaluated by Core. A token
carries no credentials; for it the stand-in's own account in Core reads the user's roles and their privileges.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from .config import Settings
from .core import Answer, Upstream, basic, user_of
from .limiter import Limiter
from .state import State

log = logging.getLogger("org.sonatype.nexus.docker.standin")
ACCOUNT = "docker-format-stand-in"
"""The stand-in's own user in Core, an administrator; left out where the API lists users."""
_FOR_SECONDS = 10.0  # seconds for which a response of Core is cached


@dataclass(frozen=True)
class Caller:
    """A caller and its permissions. Without credentials it is ``anonymous``."""

    user: str
    permissions: frozenset[str]
    anonymous: bool = False

    @property
    def administrator(self) -> bool:
        """Whether everything is permitted (``nx-all``)."""
        return any(_implies(held.split(":"), ["nexus", "*"]) for held in self.permissions)

    def may(self, action: str, repository: str, kind: str = "view") -> bool:
        """Whether a permission implies this one, as Shiro's wildcard permissions do."""
        wanted = f"nexus:repository-{kind}:raw:{repository}:{action}".lower().split(":")
        return any(_implies(held.lower().split(":"), wanted) for held in self.permissions)


class Access:
    """Authentication and authorisation, with a short cache, so that no wrong password is sent twice."""

    def __init__(self, core: Upstream, settings: Settings, state: State) -> None:
        self._core, self._context, self._state = core, settings.context, state
        self.limiter = Limiter(settings)
        self._known: dict[str, tuple[float, Caller | None]] = {}
        self._making = asyncio.Lock()

    def forget(self) -> None:
        """Clear the cache: users, roles or realms may have changed."""
        self._known.clear()

    async def caller(self, authorization: str | None) -> Caller | None:
        """Who this ``Authorization`` header is, or None when it is wrong (or there is none and no anonymous)."""
        scheme, _, value = (authorization or "").partition(" ")
        key = hashlib.sha256((authorization or "").encode()).hexdigest()
        since, known = self._known.get(key, (0.0, None))
        if key in self._known and (known is None or time.monotonic() - since < _FOR_SECONDS):
            return known
        if scheme.lower() == "bearer":
            found = await self._by_token(value.strip())
        else:
            found = await self._by_core(authorization)
        if found or scheme.lower() == "basic":
            self._known[key] = time.monotonic(), found
        if found and found.administrator and authorization:
            async with self._making:
                if not self._state.account:
                    await self._make_account(authorization)
        return found

    def token(self, caller: Caller) -> str:
        """The docker token of this user: the same one for as long as the data dir lives."""
        if caller.user not in self._state.tokens:
            self._state.tokens[caller.user] = f"DockerToken.{uuid.uuid4()}"
            self._state.save()
        return self._state.tokens[caller.user]

    async def _make_account(self, authorization: str) -> None:
        """Make the stand-in's own account as an administrator who has just called, once per data dir."""
        secret = secrets.token_urlsafe(24)
        user = {
            "userId": ACCOUNT,
            "firstName": "Docker format",
            "lastName": "Stand-in",
            "emailAddress": "nobody@localhost.localdomain",
            "password": secret,
            "status": "active",
            "roles": ["nx-admin"],
        }
        path = f"{self._context}/service/rest/v1/security/users"
        # One that is there was made by a process that was killed before it had kept the password.
        await self._core.call("DELETE", f"{path}/{ACCOUNT}", authorization=authorization)
        answer = await self._core.call("POST", path, authorization=authorization, json=user)
        if answer.status == 200:
            self._state.account = [ACCOUNT, secret]
            self._state.save()
        else:
            log.error("No account for docker tokens: Core answered %s", answer.status)

    async def _by_core(self, authorization: str | None) -> Caller | None:
        call = {"action": "rapture_Security", "method": "getPermissions", "data": None, "type": "rpc", "tid": 1}
        path = f"{self._context}/service/extdirect"
        answer = await self._core.call("POST", path, authorization=authorization, json=call)
        if answer.status != 200:
            return None
        granted = answer.json()["result"].get("data")
        if granted is None:  # no user, and anonymous access is off
            return None
        permissions = frozenset(item["id"] for item in granted)
        user = user_of(authorization) if authorization else "anonymous"
        return Caller(user, permissions, anonymous=not authorization)

    async def _by_token(self, token: str) -> Caller | None:
        user = next((user for user, known in self._state.tokens.items() if known == token), None)
        if user is None or not self._state.docker_token_active or not self._state.account:
            return None
        if user == "anonymous":
            return await self._by_core(None)
        users = await self._get(f"users?userId={quote(user, safe='')}")
        found = next((each for each in users.json() if each["userId"] == user), None)
        if found is None or found["status"] not in ("active", "changepassword"):
            return None
        roles = {role["id"]: role for role in (await self._get("roles")).json()}
        privileges = {each["name"]: each for each in (await self._get("privileges")).json()}
        permissions: set[str] = set()
        todo, done = list(found["roles"]), set()
        while todo:
            name = todo.pop()
            if name in done or name not in roles:
                continue
            done.add(name)
            todo += roles[name]["roles"]
            for privilege in (privileges[each] for each in roles[name]["privileges"] if each in privileges):
                if privilege["type"] == "wildcard":
                    permissions.add(privilege["pattern"])
                elif privilege["type"] == "repository-view":
                    actions = ",".join("*" if each == "ALL" else each for each in privilege["actions"])
                    where = f"{privilege['format']}:{privilege['repository']}"
                    permissions.add(f"nexus:repository-view:{where}:{actions}")
        return Caller(user, frozenset(permissions))

    async def _get(self, what: str) -> Answer:
        path = f"{self._context}/service/rest/v1/security/{what}"
        return await self._core.call("GET", path, authorization=basic(*self._state.account))


def _implies(held: list[str], wanted: Iterable[str]) -> bool:
    for index, part in enumerate(wanted):
        if index >= len(held):
            return True
        if "*" not in (parts := held[index].split(",")) and part not in parts:
            return False
    return all("*" in part.split(",") for part in held[len(list(wanted)) :])
