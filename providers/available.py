"""Which servers have a kind and its properties: refused in a preview if the version is known, else later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from .client import NexusClient
from .compat import Availability, parse_server_header
from .errors import Refused
from .ownership import OwnedProvider
from .unknown import is_unknown


class AvailableProvider(OwnedProvider):
    """Refuses what the server does not have."""

    availability: ClassVar[Availability] = Availability()
    """Which servers have the kind."""
    field_availability: ClassVar[Mapping[str, Availability]] = {}
    """The same for each property that not every server has."""
    value_availability: ClassVar[tuple[tuple[str, Any, Availability], ...]] = ()
    """The same for each value that not every server with the property has: property, value, servers."""

    def _unavailable(
        self, inputs: Mapping[str, Any], version: str = "", edition: str = ""
    ) -> Iterator[tuple[str, str]]:
        """What the server does not have, as (property, reason): by the version and edition that are known."""
        known = inputs.get("connection") or self.configured
        if is_unknown(known):
            return
        version = version or known.get("version") or ""
        edition = edition or known.get("edition") or ""
        if is_unknown(version) or is_unknown(edition):
            return
        if reason := self.availability.refusal(version, edition):
            yield "connection", f"{self.kind}: {reason}"
        yield from self.unavailable_properties(inputs, version, edition)

    def unavailable_properties(
        self, inputs: Mapping[str, Any], version: str, edition: str
    ) -> Iterator[tuple[str, str]]:
        """The properties and values that such a server does not have, as (property, reason)."""
        for name, available in self.field_availability.items():
            value = inputs.get(name)
            if value not in (None, self.schema[name].default) and (reason := available.refusal(version, edition)):
                yield name, reason
        for name, value, available in self.value_availability:
            given = inputs.get(name)
            if value in (given if isinstance(given, list) else [given]) and (
                reason := available.refusal(version, edition)
            ):
                yield name, f"{value} {reason}"

    def _refuse_unavailable(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        """The same for the version in the server's responses; a proxy may hide it."""
        if not any(True for _ in self._unavailable(inputs, *parse_server_header(client.server))):
            return
        client.login()  # the server may have been upgraded since that response
        for name, reason in self._unavailable(inputs, *parse_server_header(client.server)):
            raise Refused(f"{name}: {reason}")
