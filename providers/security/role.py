"""Role: a role of Nexus's own user directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..client import NexusClient
from ..declare import ListProp, NexusResource, Prop, prop
from ..errors import Refused
from ..marks import Incarnation, Incarnations
from ..names import PATH_NAME
from ..schema import set_of, text
from ..suggest import not_on_server
from .lookups import NotedRoles


class RoleProvider(NotedRoles):
    kind = "role"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if isinstance(inputs["roles"], list) and inputs["role_id"] in inputs["roles"]:
            yield "roles", f"names {inputs['role_id']!r}, which is the role itself. Leave it out"

    def computed_inputs(self, olds: Mapping[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
        return super().computed_inputs(olds, {**inputs, "name": inputs.get("name") or inputs["role_id"]})

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:  # noqa: ARG002
        lists = (("privileges", "/v1/security/privileges", "name"), ("roles", "/v1/security/roles", "id"))
        for name, path, key in lists:
            existing = [entry[key] for entry in client.get_list(path)]
            if missing := not_on_server(name, inputs[name], existing):
                return missing
        return ""


class Role(
    Incarnation,
    Incarnations,
    NexusResource,
    provider=RoleProvider,
    collection="/v1/security/roles",
    list_path="/v1/security/roles?source=default",
    key="role_id",
    read_only=("source", "readOnly"),
):
    """A role of Nexus's own user directory.

    Errors: privileges and roles that are not on the server, with the nearest names that are.

    Source: Nexus REST ``/v1/security/roles``.
    """

    role_id: Prop[str] = prop(PATH_NAME, path="id", replaces=True, renamed_from="id")
    """Id of the role, at most 200 characters without ``/``."""
    name: Prop[str] = prop(text(max_length=200), path="name", default=None)
    """Its name in the user interface, at most 200 characters. Default: the id."""
    description: Prop[str] = prop(text(max_length=400, multiline=True, empty=True), path="description", default="")
    """Free text, at most 400 characters."""
    privileges: ListProp[str] = prop(set_of(text()), path="privileges", default=[], refers="Privilege")
    """Names of privileges; a set. Nexus creates ``nx-repository-view-<format>-<repository>-{*,browse,read,edit,
    add,delete}`` with each repository: a pull needs ``read``, a push also ``add`` and ``edit``."""
    roles: ListProp[str] = prop(set_of(text()), path="roles", default=[], refers="Role")
    """Ids of the roles that it contains; a set."""
