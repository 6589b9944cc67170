"""IpAllowlist: from which addresses Nexus takes requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..client import NexusClient, segment
from ..declare import MapProp, NexusResource, Prop, prop
from ..kind import Actual
from ..patterns import ip_range
from ..rest import RestoredSetting, SettingProvider
from ..schema import Invalid, choice, map_of, text

_LIST = "/v1/security/ip-allowlist"
_ENTRIES = f"{_LIST}/entries"
_DESCRIPTIONS = map_of(text(empty=True, max_length=255))


def _entries(value: Any) -> dict[str, Any]:
    return {ip_range(key): one for key, one in _DESCRIPTIONS(value).items()}


class IpAllowlistProvider(SettingProvider):
    kind = "IP allow list"
    setting = f"{_LIST}/mode"
    setting_id = "ip-allowlist"
    writes = (f"POST {_ENTRIES}", f"PUT {_ENTRIES}/{{key}}")

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if inputs["mode"] == "ENFORCE" and inputs["entries"] == {}:
            yield "entries", "is empty with mode ENFORCE, which would shut everybody out. Name your own network"

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual:  # noqa: ARG002
        mode, entries = client.get_object(_LIST)["mode"], {_shortest(one["entry"]): one for one in _read(client)}
        descriptions = {key: one.get("description") or "" for key, one in sorted(entries.items())}
        return Actual(entries, {"mode": mode, "entries": descriptions})

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        """Add, then switch, then take out: nobody who is on the list before and after is shut out in between."""
        for key, description in inputs["entries"].items():
            body = {"ipOrCidr": key, "description": description}
            if key not in actual.body:
                client.post(_ENTRIES, body)
            elif description != actual.properties["entries"][key]:
                client.put(f"{_ENTRIES}/{segment(actual.body[key]['id'])}", body)
        client.put(self.setting, {"mode": inputs["mode"]})
        if gone := [one["id"] for key, one in actual.body.items() if key not in inputs["entries"]]:
            client.delete(f"{_ENTRIES}/bulk", gone)


def _shortest(entry: str) -> str:
    """The entry in its shortest form, or as it is if it is one that a program can't declare."""
    try:
        return ip_range(entry)
    except Invalid:
        return entry


def _read(client: NexusClient) -> Iterator[Any]:
    number, pages = 0, 1
    while number < pages:
        page = client.get_object(_ENTRIES, page=str(number), pageSize="100")
        yield from page["entries"]
        number, pages = number + 1, page["totalPages"]


class IpAllowlist(RestoredSetting, NexusResource, provider=IpAllowlistProvider, since="3.93"):
    """From which addresses Nexus takes requests: the whole list, and what it is for. One per server.

    Whoever applies it must be on the list: behind a reverse proxy the address is the one that Nexus sees. Deletion
    restores the list found at creation, unless it was changed since.

    Source: Nexus REST ``/v1/security/ip-allowlist``.
    """

    mode: Prop[str] = prop(choice("DISABLED", "MONITOR", "ENFORCE", upper=True), path="mode")
    """``ENFORCE`` (refuse others), ``MONITOR`` (log others) or ``DISABLED``."""
    entries: MapProp[str] = prop(_entries, path="entries", default={})
    """Descriptions of at most 255 characters by address or range: ``{"10.0.0.0/8": "office"}``."""
