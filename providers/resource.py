"""What a program states: dynamic resources whose secrets and order of replacement are set once, here."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import Resource

from .crud import NexusProvider
from .provider import Provider

_UNSUPPORTED = {
    "import_": "cannot import. Leave the option out: `pulumi up` takes an object that exists exactly as declared, "
    "and with adopt=True also one that differs.",
    "replace_on_changes": "replaces only for the properties that its documentation names. Leave the option out, "
    "and replace it with `pulumi up --replace URN` when you need to.",
}
"""Options of a resource that the SDK accepts for a dynamic one and does not carry out."""


class TrackedResource(Resource):
    """A dynamic resource whose outputs, secrets and order of replacement are set once, here.

    Subclasses state ``provider_class``, and the outputs that are no inputs.
    """

    provider_class: ClassVar[type[Provider]]
    outputs: ClassVar[tuple[str, ...]] = ()
    secret_outputs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        for option, instead in _UNSUPPORTED.items():
            if getattr(opts, option, None):
                raise ValueError(f"{option}: {name!r} is a dynamic resource, which Pulumi {instead}")
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


class NexusResource(TrackedResource):
    """An object inside Nexus; two of one program that name the same object are refused."""

    def __init__(self, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        provider = self.provider_class
        assert issubclass(provider, NexusProvider)
        super().__init__(name, inputs, opts)
        claims = _claims_of_this_run()
        names = {key: inputs.get(key) for key, field in provider.schema.items() if field.replaces}
        url = pulumi.Output.from_input(inputs.get("connection")).apply(lambda known: (known or {}).get("url", ""))

        def claim(known: list[Any]) -> None:
            identity = provider().identity(known[1])
            owner = claims.setdefault((provider.kind, known[0].rstrip("/"), identity), name)
            if owner != name:
                raise ValueError(f"{provider.kind} {identity!r} is stated twice: by {owner!r} and by {name!r}")

        pulumi.Output.all(url, names).apply(claim)


_runs: weakref.WeakKeyDictionary[Any, dict[tuple[str, str, str], str]] = weakref.WeakKeyDictionary()


def _claims_of_this_run() -> dict[tuple[str, str, str], str]:
    return _runs.setdefault(pulumi.runtime.settings.get_monitor(), {})
