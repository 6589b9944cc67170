"""ActiveRealms: the whole list of active security realms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..client import NexusClient, server_lock
from ..declare import ListProp, NexusResource, prop
from ..errors import Refused
from ..kind import Actual
from ..rest import RestoredSetting, SettingProvider
from ..schema import Invalid, list_of, text
from ..suggest import not_on_server
from ..unknown import has_unknown
from .realm import available_realms

_NEEDED = "NexusAuthenticatingRealm"
_HIDDEN = "NexusAuthorizingRealm"
"""Nexus from 3.60 on adds it by itself and does not list it."""


def _realms(value: Any) -> list[Any]:
    realms = list_of(text(), least=1)(value)
    if _NEEDED not in realms and not has_unknown(realms):
        raise Invalid(f"must name {_NEEDED}, without which no user can log in")
    return [one for one in realms if one != _HIDDEN]


class ActiveRealmsProvider(SettingProvider):
    kind = "list of active realms"
    setting = "/v1/security/realms/active"
    setting_id = "realms"
    excludes = "realm"

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual:  # noqa: ARG002
        realms = client.get_list(self.setting)
        return Actual(realms, {"realms": [one for one in realms if one != _HIDDEN]})

    def is_built_in(self, actual: Actual) -> bool:
        return bool(actual.properties["realms"] == [_NEEDED])

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        kept = [_HIDDEN] if _HIDDEN in actual.body else []
        with server_lock(client):
            client.put(self.setting, [*inputs["realms"], *kept])

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        """Restore the list found at creation, with the realms that a RealmActivation of this run declares."""
        kept = {one.key[2] for one in self._excluded_at(properties)}
        if not (before := (properties.get("before") or {}).get("realms")):
            return
        existing = available_realms(client)
        if before := [one for one in before if one in existing]:
            realms = list(dict.fromkeys([*before, *(one for one in properties["realms"] if one in kept)]))
            super().remove(client, {**properties, "before": {"realms": realms}})

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:  # noqa: ARG002
        return not_on_server("realms", inputs["realms"], available_realms(client))


class ActiveRealms(RestoredSetting, NexusResource, provider=ActiveRealmsProvider):
    """The whole list of active security realms, in order of precedence. One per server.

    It and :class:`RealmActivation`, which adds one realm and leaves the others alone, exclude each other. Deletion
    restores the list found at creation, unless it was changed since.

    Errors: a realm that the server does not have, with those it has.

    Source: Nexus REST ``/v1/security/realms``.
    """

    realms: ListProp[str] = prop(_realms, path="realms")
    """Ids of the realms, with ``NexusAuthenticatingRealm``. The order counts."""
