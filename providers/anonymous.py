"""AnonymousAccess: what somebody who is not logged in may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from .body import to_body
from .client import Connection, NexusClient
from .crud import STEERING, Actual, NexusProvider
from .resource import NexusResource
from .schema import Field, boolean, contradictions, text

_ANONYMOUS = "/v1/security/anonymous"
_PATHS = {"enabled": ("enabled",), "user_id": ("userId",), "realm_name": ("realmName",)}


class AnonymousAccessProvider(NexusProvider):
    kind = "anonymous access"
    singleton = True
    schema = {
        "enabled": Field(boolean, required=True),
        "user_id": Field(text(longest=200), default="anonymous"),
        "realm_name": Field(text(), default="NexusAuthorizingRealm"),
        **STEERING,
    }
    outputs = ("before",)

    def identity(self, inputs: Mapping[str, Any]) -> str:  # noqa: ARG002
        return "anonymous"

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual:  # noqa: ARG002
        body = client.get_object(_ANONYMOUS)
        return Actual(body, {name: body[key] for name, (key,) in _PATHS.items()})

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        client.put(_ANONYMOUS, to_body(_PATHS, inputs, actual.body))

    def initial_outputs(self, before: Actual | None, replaced: Mapping[str, Any]) -> dict[str, Any]:
        return {"before": replaced.get("before") or (before.properties if before else None)}

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        """Put back what was found at creation, if the setting is still what this resource wrote."""
        actual = self.find(client, properties)
        if properties.get("before") and not contradictions(self.schema, properties, actual.properties):
            self.write(client, properties["before"], actual)


class AnonymousAccess(NexusResource, module="nexus", name="AnonymousAccess"):
    """Anonymous access to the server, on or off. One per server.

    Args:
        resource_name: name of the resource in the stack.
        enabled: let requests without a login act as ``user_id``.
        user_id: the account whose roles they get. Default ``anonymous``.
        realm_name: the realm that knows that account. Default ``NexusAuthorizingRealm``.
        connection, adopt: as for every Nexus resource.

    Outputs: every argument, and ``before``: the setting found at creation. Deletion puts it back, unless somebody
    else has changed the setting since. A second resource for the same server finds the first one's setting.

    Source: Nexus REST ``/v1/security/anonymous``.
    """

    provider_class = AnonymousAccessProvider
    outputs = AnonymousAccessProvider.outputs

    enabled: pulumi.Output[bool]

    def __init__(
        self,
        resource_name: str,
        *,
        enabled: pulumi.Input[bool],
        user_id: pulumi.Input[str] | None = None,
        realm_name: pulumi.Input[str] | None = None,
        connection: pulumi.Input[Connection] | None = None,
        adopt: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {key: value for key, value in locals().items() if key in self.provider_class.schema}
        super().__init__(resource_name, inputs, opts)
