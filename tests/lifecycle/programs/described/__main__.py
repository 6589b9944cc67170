"""One resource of each kind in the configuration; a blob store group has the other blob stores as members."""

from typing import Any

import nexus_registry.providers as nexus
import pulumi

kinds: dict[str, dict[str, Any]] = pulumi.Config().require_object("kinds")
stores: dict[str, pulumi.Output[str]] = {}
for kind, inputs in sorted(kinds.items(), key=lambda one: "members" in one[1]):
    if "members" in inputs:
        inputs["members"] = [stores[name] for name in inputs["members"]]
    resource = getattr(nexus, kind)(kind, **inputs)
    if kind.endswith("BlobStore"):
        stores[inputs["name"]] = resource.name
