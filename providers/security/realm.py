"""RealmActivation: one security realm in the list of active ones."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..client import NexusClient, server_lock
from ..crud import NexusProvider
from ..declare import NexusResource, Prop, prop
from ..errors import Refused
from ..kind import Actual
from ..names import IMAGE_FORMATS
from ..schema import text
from ..suggest import not_on_server

_ACTIVE = "/v1/security/realms/active"
_NEVER_REMOVED = "NexusAuthenticatingRealm"
_TRIES = 20
_PAUSE = (0.2, 0.6)
"""Seconds to wait before the list is read back, at random so that two programs do not go on in step."""


def available_realms(client: NexusClient) -> list[str]:
    """Ids of the realms that the server has."""
    return [one["id"] for one in client.get_list("/v1/security/realms/available")]


class RealmActivationProvider(NexusProvider):
    kind = "realm"
    writes = (f"PUT {_ACTIVE}",)
    find_first = True
    excludes = "list of active realms"

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return str(inputs.get("realm") or "DockerToken")

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        active = client.get_list(_ACTIVE)
        return Actual(active, {"realm": inputs["realm"]}) if inputs["realm"] in active else None

    def find_in_list(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        active = client.cached_list(_ACTIVE)
        return Actual(active, {"realm": inputs["realm"]}) if inputs["realm"] in active else None

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        if missing := not_on_server("realm", [inputs["realm"]], available_realms(client)):
            raise Refused(missing)
        self._change(client, lambda active: [*active, inputs["realm"]], until=lambda one: inputs["realm"] in one)

    def initial_outputs(self, before: Actual | None, replaced: Mapping[str, Any]) -> dict[str, Any]:
        return {"added": before is None or bool(replaced.get("added"))}

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        realm = properties["realm"]
        if self._excluded_at(properties):  # from now on an ActiveRealms declares the list
            return
        if not properties.get("added") or realm == _NEVER_REMOVED or realm not in client.get_list(_ACTIVE):
            return
        if realm == "DockerToken" and any(
            one["format"] in IMAGE_FORMATS for one in client.get_list("/v1/repositories")
        ):
            return
        self._change(
            client, lambda active: [one for one in active if one != realm], until=lambda one: realm not in one
        )

    def _change(
        self, client: NexusClient, change: Callable[[list[str]], list[str]], *, until: Callable[[list[str]], bool]
    ) -> None:
        """Change the list of active realms, which the API only takes as a whole.

        Another program that read the list before this write and writes after it takes the change back. So the list
        is read again after a random pause, which is longer than others take between the two, until it holds.
        """
        with server_lock(client):
            for _ in range(_TRIES):
                active = client.get_list(_ACTIVE)
                if not until(active):
                    self._put(client, change(active))
                time.sleep(random.uniform(*_PAUSE))  # noqa: S311 - not a secret
                if until(client.get_list(_ACTIVE)):
                    return
        raise Refused("the active realms were changed by other programs at the same time. Run again")

    def _put(self, client: NexusClient, realms: list[str]) -> None:
        if _NEVER_REMOVED not in realms:
            raise Refused(
                f"the active realms lack {_NEVER_REMOVED}, without which no user can log in. Nothing was "
                "written. Activate it"
            )
        client.put(_ACTIVE, list(dict.fromkeys(realms)))


class RealmActivation(NexusResource, provider=RealmActivationProvider):
    """A security realm, active. One per server and realm.

    Deletion deactivates only what this resource activated, and the docker realm only when the server has no docker
    repository left. If the run that activated the realm was killed before Pulumi saved the resource, the next run
    finds the realm active (``added`` is False), and deletion leaves it active.

    Errors: a realm that the server does not have, with the list of those it has.

    Source: Nexus REST ``/v1/security/realms``.
    """

    realm: Prop[str] = prop(text(), default="DockerToken", replaces=True)
    """Id of the realm. ``DockerToken`` is the "Docker Bearer Token Realm"."""
    added: Prop[bool] = prop(computed=True)
    """Whether this resource activated it."""
