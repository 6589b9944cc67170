"""The six kinds of privilege: what a role may do with which part of Nexus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..client import NexusClient
from ..declare import ListProp, NexusResource, Prop, PropertyGroup, prop
from ..errors import Refused
from ..kind import Actual
from ..marks import Incarnation
from ..names import NAME
from ..rest import ObjectProvider
from ..schema import choice, set_of, text
from ..suggest import not_on_server

_LISTS = {
    "repository": "/v1/repositories",
    "content_selector": "/v1/security/content-selectors",
    "script_name": "/v1/script",
}
"""Where the server lists what a property names."""


class PrivilegeProvider(ObjectProvider):
    scope = "privilege"
    collection = "/v1/security/privileges/{type}"
    item = "/v1/security/privileges/{key}"
    update_path = "{collection}/{key}"
    list_path = "/v1/security/privileges"
    read_only = ("type", "readOnly")

    def is_it(self, entry: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
        return bool(entry["type"] == self.type) and super().is_it(entry, inputs)

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        actual = super().find(client, inputs)
        return actual if actual is not None and self.is_it(actual.body, inputs) else None

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:  # noqa: ARG002
        name = self.identity(inputs)
        other = next((one for one in client.get_list(self.list_path) if one["name"] == name), None)
        if other and not self.is_it(other, inputs):
            return f"name: {name!r} is taken by a privilege of the type {other['type']}. Choose another"
        for key, path in _LISTS.items():
            wanted = inputs.get(key)
            if wanted is None or wanted == "*":
                continue
            existing = [one["name"] for one in client.get_list(path)]
            if missing := not_on_server(key, [wanted], existing):
                return missing
        return ""


class Privilege(Incarnation, NexusResource, provider=PrivilegeProvider, abstract=True):
    """What every privilege has."""

    name: Prop[str] = prop(NAME, path="name", replaces=True)
    """Name of the privilege, at most 200 characters, unique among all types."""
    description: Prop[str] = prop(text(multiline=True, empty=True, max_length=400), path="description", default="")
    """Free text, at most 400 characters."""


class _Repositories(PropertyGroup):
    """Which repositories a privilege is about, and what it allows there."""

    format: Prop[str] = prop(text(), path="format")
    """Format of the repositories, ``docker``; ``*`` for all."""
    repository: Prop[str] = prop(text(), path="repository", refers="Repository")
    """Name of a repository that exists; ``*`` for all."""
    actions: ListProp[str] = prop(
        set_of(choice("ADD", "ALL", "BROWSE", "DELETE", "EDIT", "READ", upper=True), least=1), path="actions"
    )
    """``BROWSE``, ``READ``, ``EDIT``, ``ADD``, ``DELETE`` or ``ALL``; a set."""


class RepositoryViewPrivilege(_Repositories, Privilege, type="repository-view"):
    """Reading and changing the content of repositories.

    Nexus creates ``nx-repository-view-<format>-<repository>-<action>`` by itself with each repository.

    Source: Nexus REST ``/v1/security/privileges/repository-view``.
    """


class RepositoryAdminPrivilege(_Repositories, Privilege, type="repository-admin"):
    """Changing the settings of repositories.

    Source: Nexus REST ``/v1/security/privileges/repository-admin``.
    """


class RepositoryContentSelectorPrivilege(_Repositories, Privilege, type="repository-content-selector"):
    """Reading and changing the part of repositories that a content selector selects.

    Source: Nexus REST ``/v1/security/privileges/repository-content-selector``.
    """

    content_selector: Prop[str] = prop(text(), path="contentSelector", refers="ContentSelector")
    """Name of a content selector that exists."""


class ApplicationPrivilege(Privilege, type="application"):
    """The use of one area of Nexus itself.

    Source: Nexus REST ``/v1/security/privileges/application``.
    """

    domain: Prop[str] = prop(text(), path="domain")
    """The area: ``logging``, ``tasks``, ``users`` …; ``*`` for all."""
    actions: ListProp[str] = prop(
        set_of(
            choice(
                "ADD", "ALL", "ASSOCIATE", "DELETE", "DISASSOCIATE", "EDIT", "READ", "START", "STOP", upper=True
            ),
            least=1,
        ),
        path="actions",
        values_since={"START": "3.69", "STOP": "3.69"},
    )
    """``READ``, ``EDIT``, ``ADD``, ``DELETE``, ``START`` and ``STOP`` (of tasks), ``ASSOCIATE`` and
    ``DISASSOCIATE`` (of tags), or ``ALL``; a set."""


class ScriptPrivilege(Privilege, type="script"):
    """The use of one script.

    Source: Nexus REST ``/v1/security/privileges/script``.
    """

    script_name: Prop[str] = prop(text(), path="scriptName", refers="Script")
    """Name of a script that exists."""
    actions: ListProp[str] = prop(
        set_of(choice("ADD", "ALL", "BROWSE", "DELETE", "EDIT", "READ", "RUN", upper=True), least=1),
        path="actions",
    )
    """``BROWSE``, ``READ``, ``EDIT``, ``ADD``, ``DELETE``, ``RUN`` or ``ALL``; a set."""


class WildcardPrivilege(Privilege, type="wildcard"):
    """Whatever a pattern of permissions allows.

    Source: Nexus REST ``/v1/security/privileges/wildcard``.
    """

    pattern: Prop[str] = prop(text(), path="pattern")
    """Permissions in Shiro's form: ``nexus:repository-view:docker:*:read``."""
