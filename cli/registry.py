"""``nexus-registry doctor URL``: examines a registry from outside, as a client reaches it. It changes nothing,
unless it is asked to push.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urljoin

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from ..providers.address import has_login, host_and_port, is_address, origin
from ..providers.client import Connection, NexusClient
from ..providers.compat import KNOWN_BAD
from ..providers.data_sources import get_blob_stores, get_realms, get_server
from ..providers.errors import NexusError, NotFound, RateLimited, Refused, Unauthorized, sentence
from ..providers.registry_check import bearer, challenge, check_login, pull_status
from .clients import CLIENTS, client_findings
from .command import DONE, FOUND, CommandError, Progress, read_authority
from .finding import Finding
from .transport import proxy_finding, transport_findings
from .usage import usage

LITTLE_SPACE = 1 << 30
_OCI = "application/vnd.oci.image"
_MANIFEST = f"{_OCI}.manifest.v1+json"
_HEADERS = "Pass on Host and X-Forwarded-Proto in the reverse proxy"


@dataclass(frozen=True)
class Target:
    """What to examine.

    Attributes:
        url: address of the registry, such as ``https://registry.example.com:5000``.
        nexus: address of Nexus itself; empty: it is not examined.
        ca: authority of the certificates in PEM; empty: the system's.
        username: who logs in; empty: nobody does.
        password: that user's password.
        anonymous_pull: whether a pull without a login should be allowed; None: either.
        expires_within: days before the end of a certificate from which on that is a finding.
        image: repository path of an image to push and pull; empty: none.
        clients: programs on this machine that are to use the registry: ``docker``, ``containerd``.
        root: where the configuration of these is.
    """

    url: str
    nexus: str = ""
    ca: str = ""
    username: str = ""
    password: str = ""
    anonymous_pull: bool | None = None
    expires_within: int = 30
    image: str = ""
    clients: tuple[str, ...] = ()
    root: Path = Path("/")

    def connection(self, url: str) -> Connection:
        login: Connection = {"url": url, "username": self.username, "password": self.password}
        return {**login, "ca": self.ca} if self.ca else login


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("url", nargs="?", metavar="URL", help="address of the registry: https://HOST:PORT")
    parser.add_argument("--nexus", default="", metavar="URL", help="examine Nexus itself, too, at this address")
    parser.add_argument("--ca", metavar="FILE", help="authority of the certificates in PEM")
    parser.add_argument(
        "--anonymous-pull", choices=("yes", "no"), help="whether a pull without a login should be allowed"
    )
    parser.add_argument(
        "--expires-within",
        type=int,
        default=30,
        metavar="DAYS",
        help="report a certificate from this many days before its end on (default: 30)",
    )
    parser.add_argument(
        "--push", default="", metavar="IMAGE", help="push a small image to this path, pull it, and delete it"
    )
    parser.add_argument(
        "--client",
        action="append",
        choices=CLIENTS,
        default=[],
        help="examine whether this program on this machine trusts the registry's authority; can be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the findings and return the exit status."""
    target = request(options, os.environ)
    with Progress(sys.stderr, "examining") as progress:
        found = list(examine(target, progress.show))
    if options.json:
        sys.stdout.write(json.dumps([vars(one) for one in found]) + "\n")
    else:
        sys.stdout.writelines(f"{sentence(one.text)} {sentence(one.remedy)} ({one.code})\n" for one in found)
        if not found:
            sys.stdout.write(f"nothing found: {target.url} works\n")
    return FOUND if found else DONE


def request(options: argparse.Namespace, environment: Mapping[str, str]) -> Target:
    """What to examine, from flags and environment; raises CommandError for what can't be."""
    username = environment.get("NEXUS_USERNAME", "")
    for flag, url in (("URL", options.url or ""), ("--nexus", options.nexus)):
        if (flag == "URL" or url) and (not is_address(url) or has_login(url)):
            raise CommandError(
                f"{flag}: must be https://HOST:PORT, without a login. Give such an address, or --host"
            )
    if (options.push or options.nexus) and not username:
        raise CommandError("NEXUS_USERNAME: is not set. Set it and NEXUS_PASSWORD, which --push and --nexus need")
    if username and not environment.get("NEXUS_PASSWORD"):  # a login without one would count as a wrong password
        raise CommandError(f"NEXUS_PASSWORD: is not set. Set it to the password of {username!r}")
    return Target(
        url=options.url.rstrip("/"),
        nexus=options.nexus.rstrip("/"),
        ca=read_authority("--ca", options.ca) if options.ca else "",
        username=username,
        password=environment.get("NEXUS_PASSWORD", ""),
        anonymous_pull={"yes": True, "no": False}.get(options.anonymous_pull),
        expires_within=options.expires_within,
        image=options.push,
        clients=tuple(dict.fromkeys(options.client)),
    )


def examine(target: Target, progress: Callable[[str], object] = lambda _: None) -> Iterator[Finding]:
    """The findings in the order of a client's requests. An address that can't be reached ends the examination."""
    reached: dict[tuple[str, int], bool] = {}
    for url, ask in ((target.url, _registry), (target.nexus, _nexus)):
        if not url:
            continue
        progress(url)
        if (place := host_and_port(url)) not in reached:
            found = list(transport_findings(url, target.ca, target.expires_within))
            reached[place] = all(one.code == "certificate-expires" for one in found)
            yield from found
        if reached[place]:
            yield from ask(target)
    yield from client_findings(target.url, target.clients, target.root)


# --- registry -------------------------------------------------------------------------------------


def _registry(target: Target) -> Iterator[Finding]:
    base, client = target.url, NexusClient(target.connection(target.url))
    try:
        response = client.probe(f"{base}/v2/")
        if response.status_code >= 500:
            yield Finding(
                "registry-error", f"/v2/ is answered {response.status_code}", "See nexus.log of the server"
            )
            return
        if response.status_code != 401:
            text = f"/v2/ is answered {response.status_code} without a request for a login: no registry is there"
            yield Finding("no-registry", text, "Correct the port, or the path in the reverse proxy")
            return
        try:
            asked = challenge(response, base)
        except NexusError as error:
            yield Finding("challenge-address", str(error), _HEADERS)
            return
        if target.anonymous_pull is not None:
            yield from _anonymous(client, base, pull=target.anonymous_pull)
        if target.username:
            login = list(_login(client, base, target))
            yield from login
            if target.image and not login:
                yield from _push(client, base, target, asked)
    except requests.RequestException as error:
        text = f"{base}: {type(error).__name__} after the first connection"
        yield next(proxy_finding(base, error), Finding("registry-silent", text, "See nexus.log"))
    except NexusError as error:
        yield Finding("registry-error", f"{base}: {error}", "See nexus.log of the server")


def _anonymous(client: NexusClient, base: str, *, pull: bool) -> Iterator[Finding]:
    status = pull_status(client, base)
    allowed = status in (200, 404)
    if status >= 500:
        yield Finding("registry-error", f"a pull is answered {status}", "See nexus.log of the server")
    elif allowed and not pull:
        yield Finding(
            "anonymous-pull", "everybody may pull without a login", "Set anonymous_pull to false, and run up"
        )
    elif pull and not allowed:
        yield Finding(
            "no-anonymous-pull", "nobody may pull without a login", "Set anonymous_access and anonymous_pull"
        )


def _login(client: NexusClient, base: str, target: Target) -> Iterator[Finding]:
    try:
        check_login(client, base, target.username, target.password)
    except Unauthorized as error:
        yield Finding("login", str(error), "Correct the password, or activate the realm DockerToken")
    except RateLimited as error:
        yield Finding("login-limited", str(error), "Wait; the limit is the server's")
    except NexusError as error:
        yield Finding("login-error", str(error), "Accept the licence, or see nexus.log of the server")


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _push(client: NexusClient, base: str, target: Target, asked: dict[str, str]) -> Iterator[Finding]:
    """Push an image of one small layer under a tag of its own, pull it, and delete it."""
    image, tag = f"{base}/v2/{target.image}", f"doctor-{uuid.uuid4().hex[:12]}"
    auth: AuthBase | None = HTTPBasicAuth(target.username.encode(), target.password.encode())
    headers: dict[str, str] = {}
    if asked["scheme"] == "bearer":
        scope = f"repository:{target.image}:pull,push,delete"
        query = urlencode({"service": asked.get("service", ""), "scope": scope})
        headers, auth = bearer(client.probe(f"{asked['realm']}?{query}", auth=auth)), None

    def send(method: str, url: str, data: bytes | None = None, **more: str) -> requests.Response:
        response = client.probe(url, method=method, data=data, auth=auth, headers={**headers, **more})
        response.raise_for_status()
        return response

    def upload(content: bytes) -> dict[str, object]:
        name = _digest(content)
        begun = send("POST", f"{image}/blobs/uploads/")
        if "Location" not in begun.headers:
            raise requests.HTTPError(response=begun)
        place = begun.headers["Location"]
        with suppress(ValueError):
            place = urljoin(f"{base}/", place)
        if not is_address(place) or origin(place) != origin(base):  # the request would contain the login
            raise Refused(f"it sends an upload to {place!r}, which is not {base}. Nothing was sent there")
        place += f"{'&' if '?' in place else '?'}{urlencode({'digest': name})}"
        send("PUT", place, content, **{"Content-Type": "application/octet-stream"})
        return {"digest": name, "size": len(content)}

    step = "push"
    try:
        layer = {"mediaType": f"{_OCI}.layer.v1.tar", **upload(tag.encode())}
        config = {"mediaType": f"{_OCI}.config.v1+json", **upload(b"{}")}
        content = json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": [layer]})
        send("PUT", f"{image}/manifests/{tag}", content.encode(), **{"Content-Type": _MANIFEST})
        step = "pull"
        pulled = send("GET", f"{image}/manifests/{tag}", Accept=_MANIFEST)
        send("GET", f"{image}/blobs/{layer['digest']}")
        step = "delete"
        send("DELETE", f"{image}/manifests/{_digest(pulled.content)}")
    except Refused as error:
        yield Finding("challenge-address", str(error), _HEADERS)
    except requests.HTTPError as error:
        status = error.response.status_code
        text = f"{step} of {target.image}:{tag} is answered {status}"
        remedies = {
            202: "The response has no Location. Let the reverse proxy pass that header on",
            401: f"Give {target.username} the role that may {step}",
            403: f"Give {target.username} the role that may {step}",
            404: "Correct the path of --push",
            413: "Raise the limit of the reverse proxy for the size of a request",
        }
        yield Finding(step, text, remedies.get(status, "See nexus.log of the server"))


# --- Nexus ----------------------------------------------------------------------------------------


def _nexus(target: Target) -> Iterator[Finding]:
    connection = target.connection(target.nexus)
    client = NexusClient(connection)
    try:
        writable = client.probe(f"{target.nexus}/service/rest/v1/status/writable")
    except requests.RequestException as error:
        text = f"{target.nexus}: {type(error).__name__} after the first connection"
        yield next(proxy_finding(target.nexus, error), Finding("nexus-silent", text, "See nexus.log"))
        return
    if writable.status_code == 503:
        yield Finding("read-only", "Nexus takes no writes", "Free disk space, or end the read-only mode")
    try:
        server = get_server(connection)
        version = server.version.partition("-")[0]
        if version in KNOWN_BAD:
            yield Finding(
                "version", f"Nexus {version} is known to fail: {KNOWN_BAD[version]}", "Change the version"
            )
        yield from _licence(client)
        yield from usage(connection, server)
        if not any(realm.realm == "DockerToken" and realm.active for realm in get_realms(connection)):
            yield Finding("realm", "the realm DockerToken is not active", "Run pulumi refresh and pulumi up")
        for store in get_blob_stores(connection):
            if store.soft_quota_violation:
                yield Finding(
                    "quota", f"blob store {store.name}: {store.soft_quota_violation}", "Free space, or raise it"
                )
            if 0 <= store.available_space_bytes < LITTLE_SPACE:
                room = f"{store.available_space_bytes >> 20} MB"
                yield Finding("space", f"blob store {store.name}: {room} are left", "Free disk space")
    except Unauthorized:
        yield Finding(
            "nexus-login", f"Nexus refuses {target.username!r}", "Correct NEXUS_USERNAME and NEXUS_PASSWORD"
        )
    except NexusError as error:
        yield Finding("nexus", str(error), "Correct --nexus, or see nexus.log of the server")


def _licence(client: NexusClient) -> Iterator[Finding]:
    try:
        accepted = client.get_object("/v1/system/eula").get("accepted", True)
    except NotFound:  # servers before 3.77
        return
    if not accepted:
        yield Finding("licence", "the licence is not accepted", "Read it, and set accept_eula to true")
