"""RoutingRule: which paths a proxy repository may request from its remote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..client import NexusClient
from ..declare import ListProp, NexusResource, Prop, prop
from ..errors import Refused
from ..in_use import in_use, repositories_with
from ..names import NAME
from ..patterns import java_regex
from ..rest import ObjectProvider
from ..schema import choice, set_of, text


class RoutingRuleProvider(ObjectProvider):
    kind = "routing rule"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if str(inputs["name"]).lower() == "none":
            yield "name", "must not be 'None', which Nexus keeps for itself"

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:
        if " in use" not in str(error):
            return ""
        name = self.identity(inputs)
        return in_use(repositories_with(client, lambda one: one.get("routingRuleName") == name))


class RoutingRule(NexusResource, provider=RoutingRuleProvider, collection="/v1/routing-rules"):
    """The paths that a proxy repository may, or must not, request from its remote.

    Source: Nexus REST ``/v1/routing-rules``.
    """

    name: Prop[str] = prop(NAME, path="name", replaces=True)
    """Name of the rule, at most 200 characters."""
    description: Prop[str] = prop(text(multiline=True, empty=True, max_length=400), path="description", default="")
    """Free text, at most 400 characters."""
    mode: Prop[str] = prop(choice("ALLOW", "BLOCK", upper=True), path="mode", default="BLOCK")
    """``BLOCK`` or ``ALLOW`` what matches."""
    matchers: ListProp[str] = prop(set_of(java_regex, least=1), path="matchers")
    """Java regular expressions, one of which matches the whole path, ``^/com/example/.*``; a set."""
