"""Role: a named set of privileges and of other roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from .body import from_body, to_body
from .client import Connection, NexusClient, segment
from .crud import INCARNATION, STEERING, Actual, NexusProvider
from .errors import NotFound, Refused
from .resource import NexusResource
from .schema import Field, set_of, text
from .suggest import suggest

_PATHS = {
    "id": ("id",),
    "name": ("name",),
    "description": ("description",),
    "privileges": ("privileges",),
    "roles": ("roles",),
}


class RoleProvider(NexusProvider):
    kind = "role"
    schema = {
        "id": Field(
            text(
                r"(?!\.{1,2}$)[^/\0]+",
                hint="must have no '/' or NUL, and not be '.' or '..': the server would not find the role again",
                longest=200,
            ),
            required=True,
            replaces=True,
        ),
        "name": Field(text(longest=200)),
        "description": Field(text(longest=400, lines=True, empty=True), default=""),
        "privileges": Field(set_of(text()), default=[]),
        "roles": Field(set_of(text()), default=[]),
        "incarnations": Field(set_of(text()), default=[]),
        **INCARNATION,
        **STEERING,
    }

    def computed_inputs(self, olds: Mapping[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
        return super().computed_inputs(olds, {**inputs, "name": inputs.get("name") or inputs["id"]})

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return str(inputs["id"])

    def path(self, inputs: Mapping[str, Any]) -> str:
        return f"/v1/security/roles/{segment(self.identity(inputs))}"

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        try:
            body = client.get_object(self.path(inputs), source="default")
        except NotFound:
            if any(
                role["id"] == self.identity(inputs)
                for role in client.get_list("/v1/security/roles", source="default")
            ):
                raise
            return None
        properties = from_body(_PATHS, body)
        return Actual(body, {**properties, "description": properties.get("description") or ""})

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        client.post("/v1/security/roles", to_body(_PATHS, inputs))

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        base = {key: value for key, value in actual.body.items() if key not in ("source", "readOnly")}
        client.put(self.path(inputs), to_body(_PATHS, inputs, base))

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:  # noqa: ARG002
        for name, path, key in (
            ("privileges", "/v1/security/privileges", "name"),
            ("roles", "/v1/security/roles", "id"),
        ):
            there = [entry[key] for entry in client.get_list(path)]
            missing = [desired for desired in inputs[name] if desired not in there]
            if missing:
                return f"{name} {', '.join(missing)}: not on the server; {suggest(missing, there)}"
        return ""


class Role(NexusResource, module="nexus", name="Role"):
    """A role of Nexus's own user directory.

    Args:
        resource_name: name of the resource in the stack.
        id: id of the role, at most 200 characters without ``/``; replaces.
        name: its name in the user interface, at most 200 characters. Default: the id.
        description: free text, at most 400 characters.
        privileges: names of privileges; a set. Nexus makes ``nx-repository-view-docker-<repository>-{*,browse,
            read,edit,add,delete}`` with each repository: a pull needs ``read``, a push also
            ``add`` and ``edit``.
        roles: ids of the roles it contains; a set.
        incarnations: ``incarnation`` of each repository that the privileges are of, and of each role in ``roles``.
            Nexus strips what is deleted from every role; with this it is written again when it was replaced.
        connection, adopt: as for every Nexus resource.

    Outputs: every argument, and ``incarnation``, which changes only when another role takes the id.

    Errors: privileges and roles that are not on the server, with the nearest names that are.

    Source: Nexus REST ``/v1/security/roles``.
    """

    provider_class = RoleProvider

    incarnation: pulumi.Output[str]
    privileges: pulumi.Output[list[str]]
    roles: pulumi.Output[list[str]]

    def __init__(
        self,
        resource_name: str,
        *,
        id: pulumi.Input[str],  # noqa: A002 - Nexus's own word
        name: pulumi.Input[str] | None = None,
        description: pulumi.Input[str] | None = None,
        privileges: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        roles: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        incarnations: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        connection: pulumi.Input[Connection] | None = None,
        adopt: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {key: value for key, value in locals().items() if key in self.provider_class.schema}
        super().__init__(resource_name, inputs, opts)
