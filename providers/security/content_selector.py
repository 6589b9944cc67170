"""ContentSelector: an expression that selects content of repositories."""

from __future__ import annotations

from ..declare import NexusResource, Prop, prop
from ..names import NAME
from ..rest import ObjectProvider
from ..schema import text


class ContentSelectorProvider(ObjectProvider):
    kind = "content selector"


class ContentSelector(
    NexusResource,
    provider=ContentSelectorProvider,
    collection="/v1/security/content-selectors",
    read_only=("type",),
):
    """An expression that selects content of repositories, for :class:`RepositoryContentSelectorPrivilege`.

    Errors: an expression that the server can't parse, with its place.

    Source: Nexus REST ``/v1/security/content-selectors``.
    """

    name: Prop[str] = prop(NAME, path="name", replaces=True)
    """Name of the selector, at most 200 characters."""
    description: Prop[str] = prop(text(multiline=True, empty=True, max_length=400), path="description", default="")
    """Free text, at most 400 characters."""
    expression: Prop[str] = prop(text(multiline=True), path="expression")
    """CSEL: ``format == "raw" and path =^ "/public/"``."""
