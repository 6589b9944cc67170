"""The requests of an engine, as one run after another sends them to the providers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nexus_registry.providers.crud import NexusProvider
from pulumi.runtime.proto import provider_pb2

Kind = type[NexusProvider]
NewRun = Callable[[], None]
URN = "urn:pulumi:dev::app::pulumi-python:dynamic/nexus:X::"
ROLE: dict[str, Any] = {"role_id": "dev", "name": "dev", "privileges": ["nx-a"]}
USER: dict[str, Any] = {"user_id": "ann", "password": "secret-1", "roles": ["everyone"]}
REPOSITORY: dict[str, Any] = {"name": "images", "probe_connectors": False}


class Engine:
    """The requests of one run, as the SDK's servicer passes them to a provider."""

    def __init__(self, url: str) -> None:
        self.connection = {"url": url, "username": "admin", "password": "pw"}
        self.configured: dict[str, str] = {}
        self.state: dict[str, tuple[Kind, Any]] = {}

    def configure(self, url: str) -> None:
        """From now on, resources have no connection of their own."""
        self.connection, self.configured = {}, {"url": url, "username": "admin", "password": "pw"}

    def provider(self, kind: Kind) -> NexusProvider:
        """A provider with the stack's configuration."""
        provider = kind()
        provider.configured = self.configured
        return provider

    def check(self, name: str, kind: Kind, /, *, fresh: bool = False, **desired: Any) -> dict[str, Any]:
        olds = {} if fresh or name not in self.state else self.state[name][1]
        request = provider_pb2.CheckRequest(urn=URN + name)
        assert request
        result = self.provider(kind).check(dict(olds), {"connection": self.connection or None, **desired})
        assert not result.failures, [(one.property, one.reason) for one in result.failures]
        return result.inputs

    def create(self, name: str, kind: Kind, inputs: dict[str, Any]) -> None:
        request = provider_pb2.CreateRequest(urn=URN + name)
        assert request
        self.state[name] = kind, self.provider(kind).create(inputs).outs

    def diff(self, name: str, inputs: dict[str, Any]) -> None:
        request = provider_pb2.DiffRequest(urn=URN + name)
        assert request
        kind, olds = self.state[name]
        self.provider(kind).diff("id", olds, inputs)

    def update(self, name: str, inputs: dict[str, Any]) -> None:
        request = provider_pb2.UpdateRequest(urn=URN + name)
        assert request
        self.diff(name, inputs)
        kind, olds = self.state[name]
        self.state[name] = kind, self.provider(kind).update("id", olds, inputs).outs

    def refresh(self, name: str) -> None:
        request = provider_pb2.ReadRequest(urn=URN + name)
        assert request
        kind, olds = self.state[name]
        self.state[name] = kind, self.provider(kind).read("id", olds).outs

    def delete(self, name: str) -> None:
        request = provider_pb2.DeleteRequest(urn=URN + name)
        assert request
        kind, olds = self.state[name]
        self.provider(kind).delete("id", olds)
        del self.state[name]

    def replace(self, name: str, /, **desired: Any) -> None:
        """Deleted first, as every Nexus resource is."""
        kind = self.state[name][0]
        self.diff(name, self.check(name, kind, **desired))
        inputs = self.check(name, kind, fresh=True, **desired)
        self.delete(name)
        self.create(name, kind, inputs)
