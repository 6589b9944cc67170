"""The base class of all resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import Resource

from .provider import Provider

_UNSUPPORTED = {
    "import_": "cannot import. Leave the option out: `pulumi up` takes an object that exists exactly as declared, "
    "and with adopt=True also one that differs.",
    "replace_on_changes": "replaces only for the properties that its documentation names. Leave the option out, "
    "and replace it with `pulumi up --replace URN` when you need to.",
}
"""Options that the SDK accepts for a dynamic resource and ignores."""


def refuse_unsupported(name: str, opts: pulumi.ResourceOptions | None) -> None:
    """Raise for an option that would have no effect."""
    for option, instead in _UNSUPPORTED.items():
        if getattr(opts, option, None):
            raise ValueError(f"{option}: {name!r} is a dynamic resource, which Pulumi {instead}")


class TrackedResource(Resource):
    """A dynamic resource whose outputs, secrets and order of replacement are set once, here.

    Subclasses state ``provider_class``, and the outputs that are no inputs.
    """

    provider_class: ClassVar[type[Provider]]
    outputs: ClassVar[tuple[str, ...]] = ()
    secret_outputs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        schema = self.provider_class.schema
        secret = [key for key, field in schema.items() if field.secret]
        props = {**dict.fromkeys((*schema, *self.outputs)), **inputs}
        for key in secret:
            if props[key] is not None:
                props[key] = pulumi.Output.secret(props[key])
        own = pulumi.ResourceOptions(
            delete_before_replace=True, additional_secret_outputs=[*secret, *self.secret_outputs]
        )
        super().__init__(self.provider_class(), name, props, pulumi.ResourceOptions.merge(opts, own))
