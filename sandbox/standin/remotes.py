"""The registries that docker proxies are in front of: requests to them, as Nexus makes them."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import BasicAuth, ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar
from yarl import URL

log = logging.getLogger("org.sonatype.nexus.repository.docker.internal.DockerProxyFacetImpl")


class Remotes:
    """GET and HEAD at a proxy's remote registry, with the proxy's own credentials."""

    def __init__(self) -> None:
        self._session: ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    @asynccontextmanager
    async def fetch(
        self, method: str, proxy: Mapping[str, Any], path: str, headers: Mapping[str, str]
    ) -> AsyncIterator[ClientResponse | None]:
        """What the remote of a proxy (its body in the API) answers; None for anything but success."""
        if self._session is None:
            timeout = ClientTimeout(total=None, connect=10, sock_read=30)
            self._session = ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False, timeout=timeout)
        url = URL(f"{proxy['proxy']['remoteUrl'].rstrip('/')}{path}", encoded=True)
        account = proxy["httpClient"].get("authentication") or {}
        login = BasicAuth(account["username"], account.get("password") or "") if account.get("username") else None
        sent = dict(headers)
        response = None
        try:
            if account.get("type") == "bearerToken":
                sent["Authorization"] = f"Bearer {account.get('bearerToken')}"
            response = await self._session.request(method, url, headers=sent)
            if response.status == 401:
                challenge = response.headers.get("WWW-Authenticate", "")
                response.release()
                if authorization := await self._authorization(challenge, login):
                    sent["Authorization"] = authorization
                    response = await self._session.request(method, url, headers=sent)
            if response.status != 200:
                log.warning("failed to fetch %s: %s %s", url, response.status, response.reason)
            yield response if response.status == 200 else None
        except (ClientError, TimeoutError) as error:
            if response is not None and response.status == 200:
                raise  # the transfer broke off after the header was sent
            log.warning("failed to fetch %s: %s", url, error)
            yield None
        finally:
            if response is not None:
                response.release()

    async def _authorization(self, challenge: str, login: BasicAuth | None) -> str:
        """The header that a challenge asks for: the login itself, or a token for it; empty without one."""
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic":
            return login.encode() if login else ""
        facts = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        if scheme.lower() != "bearer" or "realm" not in facts or self._session is None:
            return ""
        query = {key: facts[key] for key in ("service", "scope") if key in facts}
        async with self._session.get(facts["realm"], params=query, auth=login) as answer:
            if answer.status != 200:
                log.warning("Could not retrieve token from %s. Status code: %s", facts["realm"], answer.status)
                return ""
            with suppress(ValueError):
                token = await answer.json(content_type=None)
                return f"Bearer {token.get('token') or token.get('access_token')}"
        return ""
