"""Eula: the licence of the Community Edition, accepted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..client import NexusClient
from ..compat import EULA_URL
from ..crud import NexusProvider
from ..declare import NexusResource, Prop, prop
from ..errors import NotFound, OutcomeUnknown
from ..kind import Actual
from ..schema import Invalid, boolean

_EULA = "/v1/system/eula"


def _accepted(value: Any) -> bool:
    if boolean(value) is not True:
        raise Invalid(f"must be true. Read {EULA_URL} and accept it, or leave this out")
    return True


class EulaProvider(NexusProvider):
    kind = "licence"
    writes = (f"POST {_EULA}",)
    singleton = True
    depends_on_version = True

    def identity(self, inputs: Mapping[str, Any]) -> str:  # noqa: ARG002
        return "eula"

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual:  # noqa: ARG002
        try:
            body = client.get_object(_EULA)
        except NotFound:
            client.login()
            return Actual(None, {})  # before 3.77 and in Pro there is nothing to accept
        return Actual(body, {"accepted": body["accepted"]})

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        for last in (False, False, True):
            try:
                client.post(_EULA, {**actual.body, "accepted": True})
                return
            except OutcomeUnknown:
                if self.find(client, inputs).properties.get("accepted"):
                    return
                if last:
                    raise

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        """An acceptance can't be taken back."""


class Eula(NexusResource, provider=EulaProvider):
    """The Community Edition's licence agreement, accepted. One per server.

    Without it, versions from 3.77 answer every repository request 403. Accepting is a legal act: the text is at
    https://links.sonatype.com/products/nxrm/ce-eula. On servers without the agreement nothing is written; deletion
    changes nothing. After an upgrade from 3.76 or older it is accepted when ``connection.version`` changes, as it
    does for a NexusServer, or by ``pulumi up --refresh``.

    Source: Nexus REST ``/v1/system/eula``.
    """

    accepted: Prop[bool] = prop(_accepted, path="accepted")
    """Must be True."""
