"""The check that a proxy of images reaches its remote: a manifest is asked for through Nexus."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from requests.auth import HTTPBasicAuth

from ..client import NexusClient, segment
from ..errors import Forbidden, NotFound, Refused
from ..responses import connection_error_reason, decode_fault, login_challenge

_MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
IMAGE = r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})"


def check_upstream(client: NexusClient, inputs: Mapping[str, Any]) -> None:
    """Ask the repository for the manifest of ``probe_image``; raise an error when it can't be read."""
    try:
        _check(client, inputs, inputs["probe_image"])
    except requests.RequestException as error:
        raise Refused(f"probe_image: {connection_error_reason(error, client.url)}, at {client.url}") from None


def _check(client: NexusClient, inputs: Mapping[str, Any], image: str) -> None:
    url = f"{client.url}/repository/{segment(inputs['name'])}{_path(image)}"
    login = HTTPBasicAuth(client.username.encode(), client.connection.get("password", "").encode())
    response = _manifest(client, url, login)
    if response.status_code == 404:
        # Nexus remembers what the remote did not have; to a refused login at the remote it answers 404 as well.
        with suppress(NotFound, Forbidden):
            client.post(f"/v1/repositories/{segment(inputs['name'])}/invalidate-cache", None)
        response = _manifest(client, url, login)
    status = response.status_code
    if status == 200:
        return
    fault = decode_fault(response.text, response.headers, response.reason).text
    if status == 403 and "EULA" in fault:
        raise Refused("probe_image: Nexus serves nothing before its licence is accepted. Add an Eula.")
    if status in (401, 403):
        raise Refused(
            f"probe_image: the user {client.username!r} may not pull {image} ({status}). Give it the privilege to "
            "read the repository, or leave probe_image out"
        )
    raise Refused(f"{_diagnosis(client, inputs, image)} Nexus answers {status}: {fault}")


def _diagnosis(client: NexusClient, inputs: Mapping[str, Any], image: str) -> str:
    """Why Nexus can't have the manifest, found by asking the remote itself as Nexus does."""
    remote = inputs["remote_url"]
    try:
        status, refused = _at_remote(client, inputs, image)
    except (requests.RequestException, ValueError) as error:
        reason = "it asks for a login in a way that can't be read"
        if isinstance(error, requests.RequestException) and not isinstance(error, requests.JSONDecodeError):
            reason = connection_error_reason(error, remote)
        return (
            f"remote_url: {image} can't be pulled through the repository, and {remote} can't be asked from here "
            f"({reason}). Check remote_url, authentication_* and probe_image."
        )
    if refused:
        user = inputs.get("authentication_username")
        if user:
            return f"authentication_password: {remote} refuses the login of {user!r}. Set the right one."
        return f"authentication_type: {remote} asks for a login to pull {image}. Give authentication_*."
    if status == 200:
        return (
            f"probe_image: {remote} has {image}, and Nexus does not get it. A Nexus whose login was refused "
            "before may keep that until it is restarted: restart it, or see nexus.log."
        )
    return f"probe_image: {remote} does not have {image} ({status}). Correct remote_url or probe_image."


def _at_remote(client: NexusClient, inputs: Mapping[str, Any], image: str) -> tuple[int, bool]:
    """The remote's status for the manifest, and whether it refuses the login (or the lack of one)."""
    remote = inputs["remote_url"]
    url = f"{remote.rstrip('/')}{_path(image)}"
    login = _login(inputs)
    token = inputs.get("authentication_bearer_token")
    response = _manifest(client, url, headers={"Authorization": f"Bearer {token}"} if token else {})
    if response.status_code != 401:
        return response.status_code, False
    challenge = login_challenge(response)
    if challenge["scheme"] == "basic" and login:
        response = _manifest(client, url, login)
    elif challenge["scheme"] == "bearer" and _may_be_sent_to(challenge.get("realm", ""), remote):
        query = urlencode([(key, value) for key, value in challenge.items() if key in ("service", "scope")])
        granted = client.probe(f"{challenge['realm']}?{query}", auth=login)
        if granted.status_code != 200:
            return granted.status_code, granted.status_code in (401, 403)
        found = granted.json()
        if not isinstance(found, dict):
            raise ValueError("no object")
        bearer = found.get("token") or found.get("access_token")
        response = _manifest(client, url, headers={"Authorization": f"Bearer {bearer}"})
    return response.status_code, response.status_code in (401, 403)


def _login(inputs: Mapping[str, Any]) -> HTTPBasicAuth | None:
    if inputs.get("authentication_type") != "username":
        return None
    user, password = inputs["authentication_username"], inputs["authentication_password"]
    return HTTPBasicAuth(user.encode(), password.encode())


def _may_be_sent_to(realm: str, remote: str) -> bool:
    """Whether a login for the remote may go to the realm that it names: not over a less safe way."""
    scheme = urlsplit(realm).scheme
    return scheme == "https" or (scheme == "http" and urlsplit(remote).scheme == "http")


def _manifest(
    client: NexusClient, url: str, auth: HTTPBasicAuth | None = None, headers: Mapping[str, str] | None = None
) -> requests.Response:
    return client.probe(url, auth=auth, headers={"Accept": _MANIFESTS, **(headers or {})})


def _path(image: str) -> str:
    name, reference = re.split("@|:", image, maxsplit=1)
    return f"/v2/{name}/manifests/{reference}"
