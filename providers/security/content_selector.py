"""ContentSelector: an expression that selects content of repositories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..client import NexusClient
from ..declare import NexusResource, Prop, prop
from ..errors import Refused
from ..in_use import in_use
from ..names import NAME
from ..rest import ObjectProvider
from ..schema import text


class ContentSelectorProvider(ObjectProvider):
    kind = "content selector"

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:
        if " in use" not in str(error):
            return ""
        name, privileges = self.identity(inputs), client.get_list("/v1/security/privileges")
        return in_use(
            [], [f"privilege {one['name']!r}" for one in privileges if one.get("contentSelector") == name]
        )


class ContentSelector(
    NexusResource,
    provider=ContentSelectorProvider,
    collection="/v1/security/content-selectors",
    read_only=("type",),
):
    """An expression that selects content of repositories, for :class:`RepositoryContentSelectorPrivilege`.

    Errors: an expression that the server can't parse, with its place; a deletion while privileges use it, which it
    names.

    Source: Nexus REST ``/v1/security/content-selectors``.
    """

    name: Prop[str] = prop(NAME, path="name", replaces=True)
    """Name of the selector, at most 200 characters."""
    description: Prop[str] = prop(text(multiline=True, empty=True, max_length=400), path="description", default="")
    """Free text, at most 400 characters."""
    expression: Prop[str] = prop(text(multiline=True), path="expression")
    """CSEL: ``format == "raw" and path =^ "/public/"``."""
