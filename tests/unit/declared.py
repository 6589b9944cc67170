"""Kinds that are declared for the tests: a role, and repositories with and without an upstream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nexus_registry.providers.declare import ListProp, MapProp, NexusResource, Prop, PropertyGroup, prop
from nexus_registry.providers.rest import ObjectProvider
from nexus_registry.providers.schema import (
    boolean,
    choice,
    integer,
    map_of,
    set_of,
    text,
)


class RoleProvider(ObjectProvider):
    kind = "role"
    collection = "/v1/security/roles"
    key = "role_id"
    read_only = ("source", "readOnly")

    def computed_inputs(self, olds: Mapping[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
        return super().computed_inputs(olds, {**inputs, "name": inputs.get("name") or inputs["role_id"]})


class Role(NexusResource, provider=RoleProvider):
    """A role of Nexus's own user directory."""

    role_id: Prop[str] = prop(text(), path="id", replaces=True, renamed_from="id")
    """Id of the role."""
    name: Prop[str] = prop(text(), path="name", default=None)
    """Its name in the user interface. Default: the id."""
    description: Prop[str] = prop(text(empty=True, multiline=True), path="description", default="")
    """Free text."""
    privileges: ListProp[str] = prop(set_of(text()), path="privileges", default=())
    """Names of privileges."""
    roles: ListProp[str] = prop(set_of(text()), path="roles", default=(), refers="Role")
    """Ids of the roles
    that it contains."""
    incarnation: Prop[str] = prop(text(), computed=True, local=True)
    """Changes when another role takes the id."""


class HttpAuthentication(
    PropertyGroup, optional="httpClient.authentication", requires=("authentication_type", "username")
):
    """How a proxy logs in to its upstream."""

    authentication_type: Prop[str | None] = prop(
        choice("username", "ntlm"), path="httpClient.authentication.type", default=None
    )
    """``username`` or ``ntlm``."""
    username: Prop[str | None] = prop(text(), path="httpClient.authentication.username", default=None)
    """Who logs in."""
    password: Prop[str | None] = prop(text(), path="httpClient.authentication.password", default=None, secret=True)
    """That user's password."""
    preemptive: Prop[bool] = prop(
        boolean, path="httpClient.authentication.preemptive", default=False, since="3.80", edition="pro"
    )
    """Log in before being asked to."""


class Repository(
    NexusResource,
    provider=ObjectProvider,
    abstract=True,
    collection="/v1/repositories/{format}/hosted",
    list_path="",
):
    """What every repository has."""

    name: Prop[str] = prop(text(), path="name", replaces=True)
    """Name of the repository."""
    online: Prop[bool] = prop(boolean, path="online", default=True)
    """Whether it answers."""
    url: Prop[str] = prop(computed=True, path="url")
    """Where clients find it."""


class RawHostedRepository(Repository, collection="/v1/repositories/raw/hosted"):
    """A repository of files."""

    content_disposition: Prop[str] = prop(
        choice("INLINE", "ATTACHMENT"), path="raw.contentDisposition", default="ATTACHMENT", since="3.25"
    )
    """How browsers treat a file."""


class RawProxyRepository(
    HttpAuthentication,
    Repository,
    collection="/v1/repositories/raw/proxy",
    kind="raw proxy",
    since="3.20",
    edition="pro",
):
    """A repository in front of another one."""

    remote_url: Prop[str] = prop(text(), path="proxy.remoteUrl")
    """Address of the other one."""
    max_age: Prop[int] = prop(integer(-1, 99999), path="proxy.contentMaxAge", default=1440, unit="minutes")
    """How long files are kept before they are looked for again."""
    labels: MapProp[str] = prop(map_of(text(empty=True, multiline=True)), path="labels", default={})
    """Texts by name."""
    token: Prop[str] = prop(computed=True, secret=True)
    """A secret that the server makes."""
