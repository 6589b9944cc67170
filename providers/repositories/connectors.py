"""The ports at which Docker and OCI clients reach a repository."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from .. import engine
from ..client import NexusClient, segment
from ..declare import Prop, PropertyGroup, prop
from ..errors import NotFound, Refused
from ..kind import Actual
from ..names import IMAGE_FORMATS
from ..progress import Wait
from ..responses import connection_error_reason
from ..run import CHECK_TIMEOUT
from ..schema import boolean, port, text
from ..unknown import is_unknown
from .lifecycle import RepositoryProvider, with_routing_rule

_CONNECTORS = {"http_port": "http", "https_port": "https"}
_CONNECTOR_TIMEOUT = 20.0


class Connectors(PropertyGroup):
    """How clients reach the repository; without any of them only through a group."""

    http_port: Prop[int | None] = prop(port, path="{format}.httpPort", default=None)
    """Port of a connector without TLS, 1 to 65535, for a reverse proxy in front."""
    https_port: Prop[int | None] = prop(port, path="{format}.httpsPort", default=None)
    """Port of a connector with the server's certificate, 1 to 65535."""
    subdomain: Prop[str | None] = prop(
        text(), path="{format}.subdomain", default=None, since="3.40", edition="pro"
    )
    """Name below the server's at which a reverse proxy serves the repository."""
    path_enabled: Prop[bool] = prop(boolean, path="{format}.pathEnabled", default=False, since="3.83")
    """Serve it at ``host/<repository>/<image>`` instead of a port."""
    force_basic_auth: Prop[bool] = prop(boolean, path="{format}.forceBasicAuth", default=True)
    """Ask every client to log in. False allows anonymous pulls, where anonymous access is on."""
    v1_enabled: Prop[bool] = prop(boolean, path="{format}.v1Enabled", default=False)
    """Serve version 1 of the Docker API, too."""
    probe_connectors: Prop[bool] = prop(boolean, local=True, default=True)
    """Check from the machine that runs Pulumi that the ports respond after a change."""


class ConnectorProvider(RepositoryProvider):
    """Moves ports from one repository to another in one run, and checks that the ports respond."""

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from super().validate(inputs)
        ports = {name: inputs[name] for name in _CONNECTORS if name in inputs and not is_unknown(inputs[name])}
        if len(set(ports.values())) < len(ports):
            yield "https_port", f"is {ports['https_port']} like http_port. Give each connector a port of its own"
        connection = inputs.get("connection")
        url = connection.get("url") if isinstance(connection, Mapping) else None
        if isinstance(url, str) and not is_unknown(url) and urlsplit(url).port in ports.values():
            name = next(key for key in ports if ports[key] == urlsplit(url).port)
            yield name, "is the port of Nexus itself. Choose another port"
        if inputs.get("path_enabled") is True and (ports or inputs.get("subdomain") is not None):
            yield "path_enabled", "excludes http_port, https_port and subdomain. Choose one way to reach it"

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        self._with_ports(client, inputs, lambda: super(ConnectorProvider, self).insert(client, inputs))

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        self._with_ports(client, inputs, lambda: super(ConnectorProvider, self).write(client, inputs, actual))

    def _with_ports(self, client: NexusClient, inputs: Mapping[str, Any], send: Callable[[], Any]) -> None:
        """Send a request. If Nexus refuses a port that another repository no longer declares, free the port
        first."""
        try:
            send()
        except Refused as error:
            holders = port_holders(client, inputs) if error.status == 400 else []
            if not holders:
                raise
            for holder in holders:
                self._require_given_up(holder, inputs)
                if holder.has_secret:
                    raise Refused(
                        f"{holder.wanted}: is used by the repository {holder.name!r}, which can't be written "
                        "without its password. Take the port from that repository in an `up` before this one"
                    ) from None
            for holder in holders:
                client.put(holder.path, holder.without_ports)
            send()

    def _require_given_up(self, holder: PortHolder, inputs: Mapping[str, Any]) -> None:
        key = self._key({**inputs, "name": holder.name})
        desired = self.run.desired(key, timeout=CHECK_TIMEOUT if engine.urn() else 0.0) if key else None
        if desired is None or any(desired.inputs.get(name) in holder.ports.values() for name in _CONNECTORS):
            raise Refused(
                f"{holder.wanted}: is used by the repository {holder.name!r}. Choose another port, or take it "
                "from that repository in an `up` before this one"
            )

    def verify(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        super().verify(client, inputs, actual)
        if inputs.get("path_enabled") and "path_enabled" not in actual.properties:
            raise Refused("path_enabled: is not known to this server, but from 3.83 on. Upgrade it, or use a port")
        if not (inputs.get("probe_connectors") and inputs.get("online")):
            return
        host = urlsplit(client.url).hostname or ""
        for name, scheme in _CONNECTORS.items():
            if inputs.get(name):
                _probe(client, name, f"{scheme}://{f'[{host}]' if ':' in host else host}:{inputs[name]}/v2/")

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:
        message = "; ".join(message for _, message in error.messages)
        if error.status == 400 and "facets" in message.lower():
            ports = ", ".join(f"{key} {inputs[key]}" for key in _CONNECTORS if inputs.get(key))
            return f"{ports}: Nexus refuses the port ({message}): it is used by Nexus itself or another repository"
        return super().explain(client, inputs, error)


@dataclass
class PortHolder:
    """Another repository whose connectors use desired ports."""

    name: str
    path: str
    ports: dict[str, int]
    """The desired ports, by the property of the repository that declares them."""
    without_ports: dict[str, Any]
    has_secret: bool
    """The repository has a password, which the server does not return and a write would remove."""

    @property
    def wanted(self) -> str:
        """The desired ports, for a message."""
        return ", ".join(f"{name} {port}" for name, port in self.ports.items())


def port_holders(client: NexusClient, inputs: Mapping[str, Any]) -> list[PortHolder]:
    wanted = {inputs[name]: name for name in _CONNECTORS if inputs.get(name)}
    holders = []
    for repository in client.get_list("/v1/repositories"):
        form = repository["format"]
        if form not in IMAGE_FORMATS or repository["name"] == inputs["name"]:
            continue
        path = f"/v1/repositories/{form}/{repository['type']}/{segment(repository['name'])}"
        with suppress(NotFound):
            body = client.get_object(path)
            taken = {key: body[form].get(key) for key in ("httpPort", "httpsPort")}
            taken = {key: port for key, port in taken.items() if port in wanted}
            if taken:
                connectors = {**body[form], **dict.fromkeys(taken, None)}
                rest = {key: value for key, value in body.items() if key not in RepositoryProvider.read_only}
                ports = {wanted[port]: port for port in taken.values()}
                secret = (body.get("httpClient") or {}).get("authentication") or (
                    body.get("dockerProxy") or {}
                ).get("ecrAuth")
                without = with_routing_rule({**rest, form: connectors})
                holders.append(PortHolder(repository["name"], path, ports, without, has_secret=bool(secret)))
    return holders


def _probe(client: NexusClient, name: str, url: str) -> None:
    deadline, progress = time.monotonic() + _CONNECTOR_TIMEOUT, Wait()
    while True:
        try:
            response = client.probe(url)
        except requests.RequestException as error:
            reason = connection_error_reason(error, url)
        else:
            if "Docker-Distribution-Api-Version" in response.headers or "Nexus" in response.headers.get(
                "Server", ""
            ):
                return
            reason = "another program responds"
        if time.monotonic() > deadline:
            raise Refused(
                f"{name}: Nexus accepted the connector, but at {url} {reason}. Another program may hold the port, "
                "a firewall be in between (then set probe_connectors=False), or Nexus has no HTTPS. See nexus.log"
            )
        progress.show(f"{name}: at {url} {reason}")
        time.sleep(0.5)
