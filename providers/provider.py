"""What every resource shares, with and without a server: check and diff over a schema.

:class:`Provider` is that alone, :class:`Verification` a check without an object; an object inside Nexus is in
:mod:`.crud`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ResourceProvider,
    UpdateResult,
)

from .address import has_login, is_address
from .authority import authority_pem
from .compat import rest_failures
from .properties import Prop, PropertyGroup, prop
from .schema import PROVIDER_KEY, Invalid, Schema, check, choice, differences, failure, normalised, text
from .unknown import has_unknown

NAMESPACE = "nexus-registry"
"""Configuration keys are read under this name, also in a project that is called otherwise."""


def _server_url(value: Any) -> str:
    hint = "must be https://host:port, with the context path if there is one"
    url = text(r"https?://[^\s/?#]+(/[^\s?#]*)?", hint=hint)(value)
    if not is_address(url):
        raise Invalid(hint)
    if has_login(url):  # messages and logs name the address
        raise Invalid("must hold no login. Give username and password")
    return str(url)


class ConnectionProperties(PropertyGroup):
    """How to reach a Nexus. Each property is also a configuration key, such as ``nexus-registry:url``."""

    url: Prop[str] = prop(_server_url)
    """Address of the server with its context path, such as ``https://registry.example.com:8443``."""
    username: Prop[str] = prop(text(), default="admin")
    """The administrator."""
    password: Prop[str] = prop(text(), secret=True)
    """Password of the administrator."""
    ca: Prop[str | None] = prop(authority_pem, default=None)
    """Certificate authority in PEM, for a certificate that no public authority signed."""
    version: Prop[str | None] = prop(
        text(r"\d+\.\d+\.\d+(-\d+)?", hint="must be a version such as 3.71.0-06"), default=None
    )
    """Version of the server, if known, such as ``3.71.0-06``. A preview refuses properties that it lacks. Where a
    proxy hides the version that the server sends, requests have the form that this one takes."""
    edition: Prop[str | None] = prop(choice("oss", "community", "pro"), default=None)
    """Edition of the server, if known. A preview refuses properties that it lacks."""


CONNECTION: Schema = {name: one.field for name, one in ConnectionProperties.declared_properties.items()}
"""The schema of a connection."""


class Provider(ResourceProvider):
    """Check and diff over a schema, for any resource."""

    serialize_as_secret_always = False  # a provider here is a name: nothing secret is pickled

    kind: ClassVar[str]
    """What the object is called in a message: ``role``."""
    schema: ClassVar[Schema]
    configured: Mapping[str, Any] = {}
    """The connection in the stack's configuration; set in the provider process only, and never in the state."""
    check_passwords: bool = True
    """Whether a refresh logs in as each user, by the configuration key of this name; set likewise."""
    adopts_all: bool = False
    """Whether every object is adopted, as with ``adopt``, by the configuration key ``adopt``; set likewise."""

    def configure(self, req: ConfigureRequest) -> None:
        """Keep, in this process only, the connection that the stack's configuration holds, and ``adopt``."""
        self.configured = {key: value for key in CONNECTION if (value := req.config.get(f"{NAMESPACE}:{key}"))}
        self.check_passwords = str(req.config.get(f"{NAMESPACE}:check_passwords")).lower() != "false"
        self.adopts_all = str(req.config.get(f"{NAMESPACE}:adopt")).lower() == "true"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:  # noqa: ARG002
        """The errors across properties, as (property, reason). Called when each single property is valid."""
        yield from ()

    def computed_inputs(self, olds: Mapping[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """The inputs, with those that are computed from others, so that a preview knows them."""
        return inputs

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        inputs, failures = check(self.schema, news)
        if not failures:
            failures = [failure(name, reason) for name, reason in self.validate(inputs)]
        if not failures:
            inputs = self.computed_inputs(olds, inputs)
        if PROVIDER_KEY in news:
            inputs[PROVIDER_KEY] = news[PROVIDER_KEY]
        return CheckResult(inputs, failures)

    def connection_failures(self, result: CheckResult) -> list[CheckFailure]:
        """What is wrong with the connection of checked inputs: the resource's own, or the configuration's."""
        own = result.inputs.get("connection")
        if own is None and not ("url" in self.configured or "password" in self.configured):
            keys = f"{NAMESPACE}:url and :password"
            return [failure("connection", f"is required, or the configuration keys {keys}")]
        if result.failures or has_unknown(own):
            return []
        # Beside a connection of its own the resource takes only the authority from the configuration.
        used = self.configured if own is None else {"ca": own.get("ca") or self.configured.get("ca")}
        known, wrong = check(CONNECTION if own is None else {"ca": CONNECTION["ca"]}, used)
        failures = [
            failure("connection", f"is wrong in the configuration: {NAMESPACE}:{one.property} {one.reason}")
            for one in wrong
        ]
        return failures or rest_failures((own or known).get("version"))

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:  # noqa: ARG002
        changed = differences(self.schema, olds, news)
        replaces = [name for name in changed if self.schema[name].replaces]
        return DiffResult(changes=bool(changed), replaces=replaces, delete_before_replace=True)


class Verification(Provider):
    """A check that runs when the resource is created and when an input changes. It fails the run when it fails."""

    def identity(self, inputs: Mapping[str, Any]) -> str:
        """The resource's id, which names what is checked."""
        raise NotImplementedError

    def verify(self, inputs: Mapping[str, Any]) -> None:
        """Raise an error when the check fails."""
        raise NotImplementedError

    def create(self, props: dict[str, Any]) -> CreateResult:
        inputs = normalised(self.schema, props)
        self.verify(inputs)
        return CreateResult(self.identity(inputs), inputs)

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:  # noqa: ARG002
        inputs = normalised(self.schema, news)
        self.verify(inputs)
        return UpdateResult(inputs)
