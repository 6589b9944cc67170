"""The connectors of the docker repositories, and the registry API (``/v2/``) on each of them.

What is pushed is kept by a real registry, Debian's ``docker-registry`` on a port of this machine's own, with the
images of repository R under ``R/``. Here is what Nexus does before it gets there: authentication, the caller's
permissions, the write policy.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web
from multidict import CIMultiDict

from .access import Access
from .config import Settings
from .core import Upstream
from .keystore import ServerTls
from .remotes import Remotes
from .state import State

log = logging.getLogger("org.sonatype.nexus.repository.docker.internal.DockerConnectorFacetImpl")
BASIC = 'BASIC realm="Sonatype Nexus Repository Manager"'
_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}
_EULA = (
    "You must accept the End User License Agreement (EULA) through the onboarding wizard or REST API "
    "before you can use this repository"
)
_MANIFESTS = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
    )
)
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")


class Registry:
    """Everything that answers ``/v2/``."""

    def __init__(
        self, storage: Upstream, access: Access, settings: Settings, state: State, tls: ServerTls | None
    ) -> None:
        self._storage, self._access, self._settings = storage, access, settings
        self._state, self._tls = state, tls
        self._open: dict[str, web.AppRunner] = {}
        self._remotes = Remotes()

    @staticmethod
    def root(settings: Settings) -> Path:
        """The folder that the registry behind keeps its blobs in."""
        return settings.data / "blobs/.docker-registry"

    async def open(self, name: str) -> None:
        """Listen on the repository's ports, instead of those it had. A port that can't be had is only logged."""
        await self.close(name)

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self.serve(request, name, request.raw_path)

        app = web.Application(client_max_size=0, middlewares=[self._access.limiter.watch])
        app.router.add_route("*", "/{path:.*}", handle)
        runner = self._open[name] = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await runner.setup()
        attributes = self._state.repositories[name]
        for scheme, port in (("http", attributes["httpPort"]), ("https", attributes["httpsPort"])):
            if port is None:
                continue
            behind = self._settings.http_port if scheme == "http" else self._settings.https_port
            if behind is None:
                words = f"Could not configure {scheme} connector on port {port} for repository {name}"
                log.warning("%s: Unsupported HTTP Scheme: %s", words, scheme)
                continue
            context = self._tls.context if self._tls and scheme == "https" else None
            try:
                await web.TCPSite(runner, self._settings.host, port, ssl_context=context).start()
            except OSError as error:
                log.error("Could not start connector on port %s for repository %s: %s", port, name, error)

    async def end(self) -> None:
        """Stop listening for all repositories, and give up the connections to remotes."""
        await self.close()
        await self._remotes.close()

    async def close(self, name: str | None = None) -> None:
        """Stop listening for one repository, or for all."""
        for each in [name] if name else list(self._open):
            if runner := self._open.pop(each, None):
                await runner.cleanup()

    async def serve(
        self, request: web.Request, name: str | None, path: str, before: str = ""
    ) -> web.StreamResponse:
        """Answer a request to the registry API of one repository; without a name, of all that have paths.

        ``before`` is what stands before the name of an image where the client sees it.
        """
        path, _, query = path.partition("?")
        authorization = request.headers.get("Authorization")
        if path == "/v2/token" and request.method == "GET":
            return await self._token(name, authorization)
        if not re.match(r"/v2(/|$)", path):
            return web.Response(status=404, text="Not Found")
        caller = await self._access.caller(authorization) if authorization else None
        if caller is None:
            return self._challenge(request, name)
        if name and not self._state.repositories[name]["online"]:
            return _error(503, "UNAVAILABLE", "Repository offline")
        if self._settings.has_eula and not self._state.eula_accepted:
            return _error(403, "DENIED", _EULA)
        if name and not all(caller.may(action, name) for action in _actions(request.method, path)):
            if caller.anonymous:
                return self._challenge(request, name)
            return _error(403, "DENIED", "access to the requested resource is denied")
        if path in ("/v2", "/v2/"):
            return web.Response(body=b"{}", content_type="application/json", headers=_VERSION)
        if name is None:
            return _error(404, "NAME_UNKNOWN", "repository name not known to registry")
        if refusal := self._refused_write(request.method, name, path):
            return refusal
        if self._state.kind(name) == "docker/hosted":
            return await self._pass_on(request, name, path, query, before)
        if request.method not in ("GET", "HEAD") or path == "/v2/_catalog":
            return _error(405, "UNSUPPORTED", "The operation is unsupported.")
        if found := await self._pull(request, name, path, query):
            return found
        what = "MANIFEST" if "/manifests/" in path else "BLOB" if "/blobs/" in path else "NAME"
        return _error(404, f"{what}_UNKNOWN", f"{what.lower()} unknown")

    async def _pull(self, request: web.Request, name: str, path: str, query: str) -> web.StreamResponse | None:
        """Content from the repository or, of a group, from the first member that has it; None when there is none.

        A remote that refuses the login, or can't be reached, has nothing, as with Nexus.
        """
        kind, body = self._state.kind(name), self._state.repositories[name].get("body", {})
        if not self._state.repositories[name]["online"]:
            return None
        if kind == "docker/group":
            for member in body["group"]["memberNames"]:
                known = self._state.docker(member)
                if known and (found := await self._pull(request, known, path, query)):
                    return found
            return None
        if kind == "docker/proxy":
            return await self._from_remote(request, body, path + (f"?{query}" if query else ""))
        target = f"/v2/{_prefix(name)}/{path.removeprefix('/v2/')}"
        answer = await self._storage.ask(request, target, b"", "HEAD" if "/tags/" not in path else "GET")
        return await self._pass_on(request, name, path, query, "") if answer.status == 200 else None

    async def _from_remote(
        self, request: web.Request, body: dict[str, Any], path: str
    ) -> web.StreamResponse | None:
        if body["httpClient"]["blocked"]:
            return None
        headers = {"Accept": _MANIFESTS} if "/manifests/" in path else {}
        async with self._remotes.fetch(request.method, body, path, headers) as remote:
            if remote is None:
                return None
            kept = ("Content-Type", "Content-Length", "Docker-Content-Digest", "ETag", "Link")
            passed = {key: remote.headers[key] for key in kept if key in remote.headers}
            response = web.StreamResponse(headers={**passed, **_VERSION})
            await response.prepare(request)
            async for piece in remote.content.iter_chunked(64 * 1024):
                await response.write(piece)
            await response.write_eof()
            return response

    def components(self, name: str) -> list[dict[str, Any]]:
        """The tags of a repository, as the API's components."""
        found = []
        for image, tag, digest in self._tags(name):
            path = f"v2/{image}/manifests/{tag}"
            ids = {"repository": name, "format": "docker"}
            asset = ids | {"path": path, "id": _id(f"{name}:asset:{path}"), "checksum": {"sha256": digest}}
            component = {"id": _id(f"{name}:{image}:{tag}"), "group": None, "name": image, "version": tag}
            found.append(ids | component | {"assets": [asset]})
        return found

    def remove_images(self, name: str) -> None:
        """Forget what was pushed to a repository. (Its blobs stay, as a blob store's deleted ones do.)"""
        shutil.rmtree(self._images(name), ignore_errors=True)

    def _images(self, name: str) -> Path:
        return self.root(self._settings) / "docker/registry/v2/repositories" / _prefix(name)

    def _tags(self, name: str) -> Iterator[tuple[str, str, str]]:
        root = self._images(name)
        for link in sorted(root.glob("**/_manifests/tags/*/current/link")):
            tag = link.parents[1]
            yield str(tag.parents[2].relative_to(root)), tag.name, link.read_text().partition(":")[2]

    async def _token(self, name: str | None, authorization: str | None) -> web.StreamResponse:
        """GET /v2/token: for anybody who authenticates, whether the realm is active or not."""
        basic = self._forces_basic(name)
        caller = None if basic and not authorization else await self._access.caller(authorization)
        if caller is None:
            body = _error(401, "UNAUTHORIZED", "access to the requested resource is not authorized")
            body.headers["WWW-Authenticate"] = BASIC
            return body
        return web.json_response({"token": self._access.token(caller)}, headers=_VERSION)

    def _forces_basic(self, name: str | None) -> bool:
        names = [name] if name else self._state.by_path
        return all(self._state.repositories[each]["forceBasicAuth"] for each in names)

    def _challenge(self, request: web.Request, name: str | None) -> web.Response:
        response = _error(401, "UNAUTHORIZED", "access to the requested resource is not authorized")
        if self._forces_basic(name):
            response.headers["WWW-Authenticate"] = BASIC
            return response
        realm = f"{request.scheme}://{request.host}/v2/token"
        scope = ""
        if match := re.search(r"/v2/(.+)/(?:manifests|blobs|tags)/", request.path):
            actions = "pull" if request.method in ("GET", "HEAD") else "pull,push"
            scope = f',scope="repository:{match[1]}:{actions}"'
        response.headers["WWW-Authenticate"] = f'Bearer realm="{realm}",service="{realm}"{scope}'
        return response

    def _refused_write(self, method: str, name: str, path: str) -> web.Response | None:
        """What the write policy says to this request: the policy is the raw repository's, kept here as well."""
        if method in ("GET", "HEAD", "DELETE"):
            return None
        attributes = self._state.repositories[name]
        policy = attributes["writePolicy"].upper()
        if policy == "DENY":
            words = f"Repository is read only: {name}"
            return _error(400, "BLOB_UPLOAD_INVALID", "blob upload invalid", words)
        match = re.fullmatch(r"/v2/(.+)/manifests/([^/:]+)", path)
        if policy != "ALLOW_ONCE" or match is None or method != "PUT":
            return None
        image, tag = match.groups()
        exempt = tag == "latest" and attributes["latestPolicy"]
        if exempt or not (self._images(name) / image / "_manifests/tags" / tag).exists():
            return None
        words = f"Repository does not allow updating assets: {name}"
        return _error(400, "BLOB_UPLOAD_INVALID", "blob upload invalid", words)

    async def _pass_on(
        self, request: web.Request, name: str, path: str, query: str, before: str
    ) -> web.StreamResponse:
        """To the registry behind, under this repository's prefix, for which its answers have ``before``."""
        prefix = _prefix(name)
        if path == "/v2/_catalog":
            images = sorted({image for image, _, _ in self._tags(name)})
            return web.json_response({"repositories": images}, headers=_VERSION)
        seen, kept = re.escape(quote(before, safe="")), quote(prefix, safe="")
        query = re.sub(rf"(^|&)from=({seen})?", rf"\1from={kept}%2F", query)
        target = f"/v2/{prefix}/{path.removeprefix('/v2/')}" + (f"?{query}" if query else "")

        def without_prefix(headers: CIMultiDict[str]) -> None:
            for key in ("Location", "Link"):
                if key in headers:
                    headers[key] = headers[key].replace(f"/v2/{prefix}/", f"/v2/{before}")

        if request.method in ("GET", "HEAD") and "/tags/" not in path:
            # Whatever a client accepts, Nexus serves the manifest that was pushed.
            more = {"Accept": _MANIFESTS} if "/manifests/" in path else {}
            return await self._storage.relay(request, target, more=more, rewrite=without_prefix)
        if request.method in ("PUT", "PATCH", "POST") and "/blobs/" in path:
            return await self._storage.relay(request, target, rewrite=without_prefix)
        answer = await self._storage.ask(request, target)
        without_prefix(answer.headers)
        return answer.response(lambda body: body.replace(f'"{prefix}/'.encode(), f'"{before}'.encode()))


def _actions(method: str, path: str) -> tuple[str, ...]:
    """The permissions that a request needs: pushing takes ``edit`` as well, even for a new tag."""
    if method in ("GET", "HEAD"):
        return ("read",)
    if method == "DELETE" and "/uploads/" not in path:
        return ("delete",)
    return ("read", "add", "edit")


def _prefix(name: str) -> str:
    """A repository's name as the registry behind can have it in an image's name."""
    return name if _COMPONENT.fullmatch(name) else f"x{name.encode().hex()}"


def _id(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _error(status: int, code: str, message: str, detail: Any = None) -> web.Response:
    body = {"errors": [{"code": code, "message": message, "detail": detail}]}
    return web.Response(
        status=status, body=json.dumps(body).encode(), content_type="application/json", headers=_VERSION
    )
