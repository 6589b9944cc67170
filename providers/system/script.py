"""Script: a Groovy script that the server keeps and runs on request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..client import NexusClient
from ..declare import NexusResource, Prop, prop
from ..errors import Refused
from ..names import NAME
from ..rest import ObjectProvider
from ..schema import text


class ScriptProvider(ObjectProvider):
    kind = "script"

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:  # noqa: ARG002
        if error.status != 410:
            return ""
        return "the server keeps no scripts. Set nexus.scripts.allowCreation=true in its properties"


class Script(NexusResource, provider=ScriptProvider, collection="/v1/script"):
    """A Groovy script that the server keeps and runs on request.

    Scripts run as the server itself. It takes them only with ``nexus.scripts.allowCreation=true``.

    Source: Nexus REST ``/v1/script``.
    """

    name: Prop[str] = prop(NAME, path="name", replaces=True)
    """Name of the script, at most 200 characters."""
    content: Prop[str] = prop(text(multiline=True), path="content")
    """The script. It is kept and returned in clear text: keep secrets out of it."""
    type: Prop[str] = prop(text(), path="type", default="groovy", replaces=True)
    """Language of the script: ``groovy``."""
