"""RegistryCheck: a login and a pull challenge, as a Docker client makes them, after each change."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import requests
from requests.auth import HTTPBasicAuth

from .address import has_login, origin
from .authority import authority_pem
from .client import NexusClient
from .declare import DeclaredResource, Prop, prop
from .errors import NexusError, RateLimited, Refused, Unauthorized
from .progress import Wait
from .provider import NAMESPACE, Verification
from .responses import connection_error_reason, login_challenge, rate_limit_hint
from .schema import Invalid, boolean, choice, optional_text, text

_IMAGE = "nexus-registry-proof"
_START_TIMEOUT = 20.0


class RegistryCheckProvider(Verification):
    kind = "registry check"

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return str(inputs["login_server"])

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if inputs["ca"] == "" and self.configured.get("ca"):
            try:
                authority_pem(self.configured["ca"])
            except Invalid as error:
                yield "ca", f"is wrong in the configuration: {NAMESPACE}:ca {error}"

    def verify(self, inputs: Mapping[str, Any]) -> None:
        check_registry({**inputs, "ca": inputs["ca"] or self.configured.get("ca", "")})


def digest(facts: Mapping[str, Any]) -> str:
    """A short digest of what a check depends on. It must not contain a password."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def check_registry(inputs: Mapping[str, Any]) -> None:
    """Log in once, and request a manifest once without a login. Raises an error when either is not as desired."""
    base = f"{inputs['scheme']}://{inputs['login_server']}"
    client = NexusClient(
        {"url": base, "username": inputs["username"], "password": inputs["password"], "ca": inputs["ca"]}
    )
    try:
        check_login(client, base, inputs["username"], inputs["password"])
        _check_pull(client, base, desired=inputs["anonymous_pull"])
    except requests.RequestException as error:
        reason = connection_error_reason(error, base)
        raise Refused(f"registry {inputs['login_server']} over {inputs['scheme']}: {reason}") from None
    except NexusError as error:
        raise type(error)(f"registry {inputs['login_server']}: {error}", status=error.status) from None


def check_login(client: NexusClient, base: str, username: str, password: str) -> None:
    """Log in once, as ``docker login`` does."""
    asked = challenge(_when_up(client, f"{base}/v2/"), base)
    credentials = HTTPBasicAuth(username.encode(), password.encode())
    if asked["scheme"] == "bearer":
        query = urlencode({"account": username, "service": asked.get("service", "")})
        response = client.probe(f"{asked['realm']}?{query}", auth=credentials)
        if response.status_code == 200:
            response = client.probe(f"{base}/v2/", headers=bearer(response))
    else:
        response = client.probe(f"{base}/v2/", auth=credentials)
    if response.status_code == 401:
        raise Unauthorized(
            f"a docker login as {username!r} is refused (401): the password is wrong, the user is not "
            "active, or the realm DockerToken is not active. It was tried once. Correct the one that is wrong",
            status=401,
        )
    if response.status_code == 429:
        raise RateLimited(
            f"a docker login as {username!r} is answered 429: {rate_limit_hint(username)}", status=429
        )
    if response.status_code != 200:
        licence = " (is the licence accepted? accept_eula)" if response.status_code == 403 else ""
        raise Refused(f"a docker login as {username!r} is answered {response.status_code}{licence}")


def _check_pull(client: NexusClient, base: str, *, desired: bool) -> None:
    status = pull_status(client, base)
    allowed = status in (200, 404)
    if allowed and not desired:
        raise Refused(
            "a pull without a login is allowed and should not be. Set force_basic_auth=True on the repository, or "
            "turn anonymous access off"
        )
    if desired and not allowed:
        raise Refused(
            f"a pull without a login is refused ({status}) and should be allowed. It needs "
            "anonymous access, force_basic_auth=False, the realm DockerToken, and an anonymous role that may "
            "read it"
        )


def pull_status(client: NexusClient, base: str) -> int:
    """The response to a pull without a login: 404 for an image that is missing, when pulls are allowed."""
    manifest = f"{base}/v2/{_IMAGE}/manifests/latest"
    response = client.probe(manifest)
    if response.status_code == 401:
        asked = challenge(response, base)
        if asked["scheme"] == "bearer":
            query = urlencode({"service": asked.get("service", ""), "scope": f"repository:{_IMAGE}:pull"})
            token = client.probe(f"{asked['realm']}?{query}")
            if token.status_code == 200:
                response = client.probe(manifest, headers=bearer(token))
    return response.status_code


def _when_up(client: NexusClient, url: str) -> requests.Response:
    """The first response of a connector. Nexus opens it a moment after its own response, at times with errors."""
    deadline, progress = time.monotonic() + _START_TIMEOUT, Wait()
    while True:
        over = time.monotonic() > deadline
        try:
            response = client.probe(url)
            if over or response.status_code < 500:
                return response
        except requests.ConnectionError:
            if over:
                raise
        progress.show(f"{url} does not respond yet")
        time.sleep(0.5)


def bearer(response: requests.Response) -> dict[str, str]:
    """The header with the token of a response."""
    try:
        return {"Authorization": f"Bearer {response.json()['token']}"}
    except (ValueError, KeyError, TypeError):
        raise Refused(
            "it answers a request for a token with something else. Is a proxy in between? Nothing more was sent"
        ) from None


def challenge(response: requests.Response, base: str) -> dict[str, str]:
    """How a response asks for a login: ``scheme`` (``basic`` or ``bearer``), and its parameters."""
    try:
        found = login_challenge(response)
        realm = found.get("realm", "")
        # requests reads https://a\@b as the host a, urlsplit as the login a at the host b.
        is_elsewhere = found["scheme"] == "bearer" and (has_login(realm) or origin(realm) != origin(base))
    except ValueError:
        raise Refused(
            "it asks for a login with a header WWW-Authenticate that can't be read. Is a proxy in between? No "
            "password was sent"
        ) from None
    if response.status_code != 401 or found["scheme"] not in ("basic", "bearer"):
        raise Refused(
            f"it answers {response.status_code} without asking for a login, as no docker connector is there. "
            "Correct the port"
        )
    if is_elsewhere:
        raise Refused(
            f"it sends clients to {realm!r} for their login, which is not {base}. No password was "
            "sent there. Let the proxy in between pass on Host and X-Forwarded-Proto"
        )
    return found


def _authority(value: Any) -> str:
    return authority_pem(value) if optional_text(value).strip() else ""


class RegistryCheck(DeclaredResource, provider=RegistryCheckProvider, name="RegistryProof"):
    """Checks that a registry accepts a login, and that a pull without a login is allowed or refused as desired.

    The check runs when the resource is created and when an input changes: one login and one pull challenge. When
    the check fails, the ``up`` fails, and the next ``up`` checks again. Unchanged inputs make no request.

    Its type token is ``nexus:RegistryProof``, its name in version 0.1.0.

    Errors: the registry is not reachable, the certificate is not trusted, the login or the pull is not as desired.
    """

    login_server: Prop[str] = prop(text(r"[^\s/]+:\d{1,5}|[^\s/:]+|\[[^\s/\]]+\]"))
    """``host:port`` as given to ``docker login``."""
    scheme: Prop[str] = prop(choice("https", "http"), default="https")
    """``https`` or ``http``."""
    ca: Prop[str] = prop(_authority, default="")
    """Authority of the certificate in PEM, if no public one signed it. Default: the configuration key
    ``nexus-registry:ca``."""
    username: Prop[str] = prop(text())
    """User who logs in."""
    password: Prop[str] = prop(text(), secret=True)
    """Password of ``username``."""
    anonymous_pull: Prop[bool] = prop(boolean, default=False)
    """Whether a pull without a login should be allowed."""
    proves: Prop[str] = prop(optional_text, default="")
    """Any text. A change of it makes the check run again."""
