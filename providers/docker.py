"""DockerHostedRepository: a hosted repository of format docker, with its connectors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import pulumi
import requests

from . import engine
from .body import from_body, to_body
from .client import Connection, NexusClient, segment
from .crud import INCARNATION, STEERING, Actual, NexusProvider
from .errors import NotFound, Refused
from .resource import NexusResource
from .responses import connection_error_reason
from .run import CHECK_TIMEOUT
from .schema import Field, boolean, choice, port, set_of, text
from .unknown import is_unknown
from .versions import parse, served

_PATHS = {
    "name": ("name",),
    "online": ("online",),
    "blob_store_name": ("storage", "blobStoreName"),
    "strict_content_type_validation": ("storage", "strictContentTypeValidation"),
    "write_policy": ("storage", "writePolicy"),
    "latest_policy": ("storage", "latestPolicy"),
    "cleanup_policy_names": ("cleanup", "policyNames"),
    "v1_enabled": ("docker", "v1Enabled"),
    "force_basic_auth": ("docker", "forceBasicAuth"),
    "http_port": ("docker", "httpPort"),
    "https_port": ("docker", "httpsPort"),
    "path_enabled": ("docker", "pathEnabled"),
}
_NOT_SENT_BACK = ("format", "type", "url")
_UNKNOWN_TO_OLD_SERVERS = {"latest_policy": False, "path_enabled": False, "cleanup_policy_names": []}
_PATHS_SINCE = (3, 83)
_NO_PATHS = "is not known to {}, but to Nexus from 3.83 on: upgrade it, or give the repository a port"
_CONNECTORS = {"http_port": "http", "https_port": "https"}
_CONNECTOR_TIMEOUT = 20.0


class DockerHostedRepositoryProvider(NexusProvider):
    kind = "docker repository"
    scope = "repository"
    schema = {
        "name": Field(
            text(
                r"[a-z0-9-][a-z0-9._-]*",
                hint="must be lower-case letters, digits, '-', '_' and '.', not starting with '_' or '.': "
                "newer servers refuse anything else in a docker repository's name",
                longest=200,
            ),
            required=True,
            replaces=True,
        ),
        "blob_store_name": Field(text(), default="default", replaces=True),
        "online": Field(boolean, default=True),
        "strict_content_type_validation": Field(boolean, default=True),
        "write_policy": Field(choice("ALLOW", "ALLOW_ONCE", "DENY", upper=True), default="ALLOW"),
        "latest_policy": Field(boolean, default=False),
        "cleanup_policy_names": Field(set_of(text()), default=[]),
        "v1_enabled": Field(boolean, default=False),
        "force_basic_auth": Field(boolean, default=True),
        "http_port": Field(port),
        "https_port": Field(port),
        "path_enabled": Field(boolean, default=False),
        "force_destroy": Field(boolean, default=False, steers=True),
        "probe_connectors": Field(boolean, default=True, steers=True),
        **INCARNATION,
        **STEERING,
    }

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        ports = {name: inputs[name] for name in _CONNECTORS if name in inputs and not is_unknown(inputs[name])}
        if len(set(ports.values())) < len(ports):
            yield "https_port", f"is {ports['https_port']} like http_port: each connector needs a port of its own"
        connection = inputs.get("connection") or self.configured
        url = connection.get("url") if isinstance(connection, Mapping) else None
        if isinstance(url, str) and not is_unknown(url) and urlsplit(url).port in ports.values():
            yield next(key for key in ports if ports[key] == urlsplit(url).port), "is the port of Nexus itself"
        if inputs.get("path_enabled") is True and ports:
            yield "path_enabled", "can't go with http_port or https_port: choose one way to reach the repository"
        version = connection.get("version") if isinstance(connection, Mapping) else None
        old = isinstance(version, str) and not is_unknown(version) and parse(version) < _PATHS_SINCE
        if inputs.get("path_enabled") is True and old:
            yield "path_enabled", _NO_PATHS.format(f"Nexus {version}")
        if inputs.get("latest_policy") is True and inputs.get("write_policy") in ("ALLOW", "DENY"):
            yield "latest_policy", "means something only with write_policy ALLOW_ONCE"

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return str(inputs["name"])

    def path(self, inputs: Mapping[str, Any]) -> str:
        return f"/v1/repositories/{segment(self.identity(inputs))}"

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        name = self.identity(inputs)
        try:
            body = client.get_object(f"/v1/repositories/docker/hosted/{segment(name)}")
        except NotFound:
            there = _namesake(client, name)
            if there and (there["format"], there["type"]) == ("docker", "hosted"):
                raise
            return None
        properties = from_body(_PATHS, body)
        properties["cleanup_policy_names"] = properties.get("cleanup_policy_names") or []
        return Actual(body, properties)

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        _refuse_paths_before_their_time(client, inputs)
        desired = {key: value for key, value in inputs.items() if _UNKNOWN_TO_OLD_SERVERS.get(key) != value}
        body = to_body(_PATHS, desired)
        try:
            self._with_ports(client, inputs, lambda: client.post("/v1/repositories/docker/hosted", body))
        except NotFound:
            if _has_docker(client):
                raise
            raise Refused(
                "the server has no docker format, which Nexus as built from its public source lacks: install the "
                "vendor's archive"
            ) from None

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        _refuse_paths_before_their_time(client, inputs)
        told = actual.properties
        desired = {
            key: value
            for key, value in inputs.items()
            if _UNKNOWN_TO_OLD_SERVERS.get(key, ...) != value or told.get(key) not in (None, value)
        }
        base = {key: value for key, value in actual.body.items() if key not in _NOT_SENT_BACK}
        path = f"/v1/repositories/docker/hosted/{segment(self.identity(inputs))}"
        body = to_body(_PATHS, desired, base)
        self._with_ports(client, inputs, lambda: client.put(path, body))

    def _with_ports(self, client: NexusClient, inputs: Mapping[str, Any], send: Callable[[], Any]) -> None:
        """Send; where Nexus refuses a port that another repository gives up in this run, free that one first."""
        try:
            send()
        except Refused as error:
            holders = _port_holders(client, inputs) if error.status == 400 else []
            if not holders:
                raise
            for holder in holders:
                self._require_given_up(holder, inputs)
            for holder in holders:
                client.put(holder.path, holder.without_ports)
            send()

    def _require_given_up(self, holder: _PortHolder, inputs: Mapping[str, Any]) -> None:
        key = self._key({**inputs, "name": holder.name})
        desired = self.run.desired(key, timeout=CHECK_TIMEOUT if engine.urn() else 0.0) if key else None
        keeps = desired is None or any(desired.inputs.get(name) in holder.ports.values() for name in _CONNECTORS)
        if keeps:
            ports = ", ".join(f"{name} {port}" for name, port in holder.ports.items())
            raise Refused(
                f"{ports}: is used by the repository {holder.name!r}. Choose another port, or take it from that "
                "repository in an `up` before this one"
            )

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        kept = not properties.get("force_destroy") and self.find(client, properties) is not None
        if kept and _holds_images(client, self.identity(properties)):
            raise Refused(
                "holds images and is not deleted: run `pulumi up` with force_destroy=True on it first, then again "
                "what you were doing"
            )
        super().remove(client, properties)

    def verify(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        if inputs.get("path_enabled") and "path_enabled" not in actual.properties:
            raise Refused(f"path_enabled {_NO_PATHS.format('this server')}")
        if not (inputs.get("probe_connectors") and inputs.get("online")):
            return
        host = urlsplit(client.url).hostname or ""
        for name, scheme in _CONNECTORS.items():
            if inputs.get(name):
                _probe(client, name, f"{scheme}://{f'[{host}]' if ':' in host else host}:{inputs[name]}/v2/")

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:
        other = _namesake(client, self.identity(inputs))
        if other and (other["format"], other["type"]) != ("docker", "hosted"):
            kind = f"{other['format']} {other['type']}"
            return f"name is taken by the {kind} repository {other['name']!r}: choose another"
        said = "; ".join(message for _, message in error.messages)
        if "blob store" in said.lower():
            there = ", ".join(sorted(store["name"] for store in client.get_list("/v1/blobstores")))
            return f"blob_store_name {inputs['blob_store_name']!r} is not on the server; there are: {there}"
        if error.status == 400 and "facets" in said.lower():
            ports = ", ".join(f"{key} {inputs[key]}" for key in _CONNECTORS if inputs.get(key))
            return f"{ports}: Nexus refuses the port ({said}): it is used by Nexus itself or another repository"
        return ""


@dataclass
class _PortHolder:
    """Another repository whose connectors have ports that are wanted."""

    name: str
    path: str
    ports: dict[str, int]
    """The wanted ports, by the property of the repository that wants them."""
    without_ports: dict[str, Any]


def _port_holders(client: NexusClient, inputs: Mapping[str, Any]) -> list[_PortHolder]:
    wanted = {inputs[name]: name for name in _CONNECTORS if inputs.get(name)}
    holders = []
    for repository in client.get_list("/v1/repositories"):
        if repository["format"] != "docker" or repository["name"] == inputs["name"]:
            continue
        path = f"/v1/repositories/docker/{repository['type']}/{segment(repository['name'])}"
        with suppress(NotFound):
            body = client.get_object(path)
            taken = {key: body["docker"].get(key) for key in ("httpPort", "httpsPort")}
            taken = {key: port for key, port in taken.items() if port in wanted}
            if taken:
                docker = {**body["docker"], **dict.fromkeys(taken, None)}
                rest = {key: value for key, value in body.items() if key not in _NOT_SENT_BACK}
                ports = {wanted[port]: port for port in taken.values()}
                holders.append(_PortHolder(repository["name"], path, ports, {**rest, "docker": docker}))
    return holders


def _refuse_paths_before_their_time(client: NexusClient, inputs: Mapping[str, Any]) -> None:
    """By what the answers so far say; a server behind a proxy may not tell, and then drops the field."""
    version = served(client.server)
    if inputs.get("path_enabled") and version and parse(version) < _PATHS_SINCE:
        raise Refused(f"path_enabled {_NO_PATHS.format(f'Nexus {version}')}")


def _has_docker(client: NexusClient) -> bool:
    """Whether the format is there: Nexus makes privileges for each one that it has."""
    privileges = client.get_list("/v1/security/privileges")
    return any(one["name"].startswith("nx-repository-view-docker-") for one in privileges)


def _holds_images(client: NexusClient, name: str) -> bool:
    try:
        page = client.get_object("/v1/components", repository=name)
    except NotFound:  # it was deleted at this moment
        return False
    return bool(page["items"] or page.get("continuationToken"))


def _namesake(client: NexusClient, name: str) -> Mapping[str, Any] | None:
    """The repository, of whatever format, that has this name; names are unique in any case."""
    for repository in client.get_list("/v1/repositories"):
        if repository["name"].lower() == name.lower():
            return cast("Mapping[str, Any]", repository)
    return None


def _probe(client: NexusClient, name: str, url: str) -> None:
    deadline = time.monotonic() + _CONNECTOR_TIMEOUT
    while True:
        try:
            answer = client.probe(url)
        except requests.RequestException as error:
            reason = connection_error_reason(error, url)
        else:
            if "Docker-Distribution-Api-Version" in answer.headers or "Nexus" in answer.headers.get("Server", ""):
                return
            reason = "another program answers there"
        if time.monotonic() > deadline:
            raise Refused(
                f"{name}: Nexus accepted the connector, but at {url} {reason}: another program may hold the port, "
                "a firewall be in between (then set probe_connectors=False), or Nexus have no HTTPS; see nexus.log"
            )
        time.sleep(0.5)


class DockerHostedRepository(NexusResource, module="nexus", name="DockerHostedRepository"):
    """A hosted docker repository and the ports at which Docker clients reach it.

    Args:
        resource_name: name of the resource in the stack.
        name: name of the repository; lower case; replaces.
        connection: the server (:class:`~nexus_registry.providers.client.Connection`); without it the
            configuration keys ``nexus-registry:url``, ``:username``, ``:password`` and ``:ca``.
        blob_store_name: where blobs are kept; replaces. Default ``default``.
        http_port, https_port: connectors of its own, 1 to 65535; ``https_port`` needs Nexus's own HTTPS.
        force_basic_auth: ask every client to log in. False allows anonymous pulls, where anonymous access is on.
        write_policy: ``ALLOW`` (tags may be pushed again), ``ALLOW_ONCE`` or ``DENY``. Default ``ALLOW``.
        latest_policy: with ``ALLOW_ONCE``, let ``latest`` be pushed again. Nexus 3.41 and newer.
        cleanup_policy_names: cleanup policies that exist on the server.
        strict_content_type_validation, v1_enabled, online: as Nexus calls them.
        path_enabled: reach it at ``host/<repository>/<image>`` instead of a port. Nexus 3.83 and newer.
        adopt: take a repository that exists and differs, and change it.
        force_destroy: let a deletion or replacement take images with it; must be in the state first, by an ``up``
            of its own. Default False.
        probe_connectors: look from here whether the ports answer after a change. Default True.

    Outputs: every argument, and ``incarnation``, which changes only when another repository takes the name.

    Errors: a taken name, an unknown blob store, a refused or dead port, ``path_enabled`` on an older server,
    images in the way of a deletion.

    Source: Nexus REST ``/v1/repositories/docker/hosted``.
    """

    provider_class = DockerHostedRepositoryProvider

    name: pulumi.Output[str]
    http_port: pulumi.Output[int | None]
    https_port: pulumi.Output[int | None]
    incarnation: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        name: pulumi.Input[str],
        connection: pulumi.Input[Connection] | None = None,
        blob_store_name: pulumi.Input[str] | None = None,
        online: pulumi.Input[bool] | None = None,
        strict_content_type_validation: pulumi.Input[bool] | None = None,
        write_policy: pulumi.Input[str] | None = None,
        latest_policy: pulumi.Input[bool] | None = None,
        cleanup_policy_names: pulumi.Input[list[str]] | None = None,
        v1_enabled: pulumi.Input[bool] | None = None,
        force_basic_auth: pulumi.Input[bool] | None = None,
        http_port: pulumi.Input[int] | None = None,
        https_port: pulumi.Input[int] | None = None,
        path_enabled: pulumi.Input[bool] | None = None,
        adopt: pulumi.Input[bool] | None = None,
        force_destroy: pulumi.Input[bool] | None = None,
        probe_connectors: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {key: value for key, value in locals().items() if key in self.provider_class.schema}
        super().__init__(resource_name, inputs, opts)
