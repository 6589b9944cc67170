"""What each kind of object gives its lifecycle in :mod:`.crud`: how it is found, inserted, written and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from .available import AvailableProvider
from .body import Mapped
from .client import NexusClient
from .errors import NexusError, NotFound, Refused
from .schema import mismatches


@dataclass
class Actual:
    """The actual object on the server: its API body, and the same as properties."""

    body: Any
    properties: dict[str, Any]


class ObjectKind(Mapped, AvailableProvider):
    """One kind of object: its module overrides what differs from the others."""

    outputs: ClassVar[tuple[str, ...]] = ()
    """Outputs that are no inputs."""
    singleton: ClassVar[bool] = False
    """Whether the object always exists, so that a create changes it without ``adopt``."""
    depends_on_version: ClassVar[bool] = False
    """Whether an upgraded server may need a write of the object when no property of it changed."""
    find_first: ClassVar[bool] = False
    """Whether a create must read first, because the server does not refuse a second object."""

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        """The actual object; ``None`` when the server responds that it has none."""
        raise NotImplementedError

    def is_built_in(self, actual: Actual) -> bool:
        """Whether the object is a part of Nexus, which no program needs to declare."""
        return isinstance(actual.body, Mapping) and bool(actual.body.get("readOnly"))

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        """Create the object."""
        raise NotImplementedError

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        """Write the desired properties and keep every other field."""
        raise NotImplementedError

    def path(self, inputs: Mapping[str, Any]) -> str:
        """The path at which the object is deleted."""
        raise NotImplementedError

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        """Delete the object, if it exists."""
        self.delete_at(client, self.path(properties), properties)

    def delete_at(self, client: NexusClient, path: str, properties: Mapping[str, Any]) -> None:
        """Send the deletion. A 404 is no error if the object is gone, such as by a try whose response was lost."""
        try:
            client.delete(path)
        except NotFound:  # of the server, or of a proxy in between
            if self.find(client, properties) is not None:
                raise

    def takes_data(self, client: NexusClient, properties: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """Whether ``remove`` deletes data that no create restores."""
        return False

    def taken(self, client: NexusClient, inputs: Mapping[str, Any]) -> str:  # noqa: ARG002
        """That an object of another kind has the name, with a remedy; ``""`` when none has."""
        return ""

    def find_in_list(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:  # noqa: ARG002
        """The object from the list of its kind, for a refresh; ``None`` when it must be read by itself."""
        return None

    def secrets_match(self, client: NexusClient, inputs: Mapping[str, Any]) -> bool | None:  # noqa: ARG002
        """Whether what the server does not return (a password) is as desired; ``None`` when that is not known."""
        return True

    def reads_secrets(self, inputs: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """Whether a refresh looks whether secrets match."""
        return True

    def write_secrets(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        """Write what the server does not return."""

    def observe(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        """Add the outputs that take a request of their own, after a write and in a refresh."""

    def verify(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        """Raise when the object does not work although Nexus accepted it."""

    def is_done(self, state: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """Whether the server has deleted the object itself, as it does with a task that was to run once."""
        return False

    def initial_outputs(self, before: Actual | None, replaced: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """The values of ``outputs``, set once at creation and kept ever after.

        Args:
            before: the object before this resource.
            replaced: properties of the resource of this run that had the object and was deleted for this one.
        """
        return {}

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:  # noqa: ARG002
        """A message for a refusal of Nexus with property, reason and remedy; ``""`` to keep the error's own."""
        return ""

    def outputs_of(self, actual: Actual) -> dict[str, Any]:
        """The outputs that the server returns."""
        return {name: actual.properties[name] for name in self.outputs if name in actual.properties}

    def hidden(self, actual: Actual) -> set[str]:
        """The properties of the body that the server does not return, or only in part."""
        return set(self.paths) - set(actual.properties)

    def returned(self, given: Mapping[str, Any], actual: Actual) -> dict[str, Any]:  # noqa: ARG002
        """What the server returns. A kind takes from ``given`` the parts of a property that the server hides."""
        return actual.properties

    def mismatches(self, desired: Mapping[str, Any], actual: Actual) -> list[str]:
        """The properties that differ on the server; only what it returns is compared."""
        return mismatches(self.schema, desired, self.returned(desired, actual))

    def error_message(self, client: NexusClient, properties: Mapping[str, Any], error: NexusError) -> str:
        """The message for an error: why the server lacks the address, :meth:`explain`, or the error's own text."""
        message = self.availability.refusal(*client.served) if error.status in (404, 405) else ""
        if not message and isinstance(error, Refused) and error.status:
            with suppress(NexusError):
                message = self.explain(client, properties, error)
        return message or str(error)
