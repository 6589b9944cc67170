"""An object at an address of its own, and a setting that exists once: the two shapes of Nexus's REST API.

A kind gives its addresses as settings of its declaration, with ``{name}`` for a property of the resource:
``class RoutingRule(NexusResource, provider=RoutingRuleProvider, collection="/v1/routing-rules")``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pulumi.dynamic import ReadResult

from .client import NexusClient, segment
from .crud import NexusProvider
from .declare import Prop, PropertyGroup, prop
from .errors import NotFound
from .kind import Actual
from .schema import WRITTEN, current_names, normalised


class RestProvider(NexusProvider):
    """What objects and settings share: the declared body."""

    keeps_written: ClassVar[bool] = False
    """Whether a deletion changes only what the resource itself wrote last: see :meth:`last_written`."""

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from self.missing_in_groups(inputs)

    def actual(self, body: Mapping[str, Any]) -> Actual:
        """The object that the server returned."""
        return Actual(body, self.from_body(body))

    def read_result(self, id_: str, outs: dict[str, Any], props: Mapping[str, Any]) -> ReadResult:
        state = normalised(self.schema, props)
        written = {name: state[name] for name in self.read_paths if name in state}
        if self.keeps_written and written != {name: outs[name] for name in self.read_paths if name in outs}:
            outs = {WRITTEN: written, **outs}  # an earlier refresh wins
        return super().read_result(id_, outs, props)

    def last_written(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The properties as the resource wrote them last; those of the state are what a refresh found."""
        if WRITTEN not in properties:
            return dict(properties)
        others = {name: value for name, value in properties.items() if name not in self.read_paths}
        return {**others, **current_names(self.schema, properties[WRITTEN])}


class ObjectProvider(RestProvider):
    """An object that is created, changed and deleted under a name of its own."""

    collection: ClassVar[str]
    """Where objects are created, and listed unless ``list_path`` is set."""
    item: ClassVar[str] = "{collection}/{key}"
    """Where one object is read and written."""
    update_path: ClassVar[str] = "{item}"
    """Where it is written; empty where it can't be."""
    delete_path: ClassVar[str] = "{item}"
    """Where it is deleted."""
    list_path: ClassVar[str] = "{collection}"
    """Where all objects of the kind are listed; empty where they are not."""
    list_is_complete: ClassVar[bool] = True
    """Whether the list has the objects as a whole, so that a refresh need not read each by itself."""
    key: ClassVar[str] = "name"
    """The property that is the object's identity."""
    format: ClassVar[str] = ""
    """The value of ``{format}`` in addresses and in the paths of properties."""
    type: ClassVar[str] = ""
    """The value of ``{type}`` in addresses."""

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return str(inputs[self.key])

    @classmethod
    def operations(cls) -> tuple[str, ...]:
        put = [f"PUT {cls.filled(cls.update_path)}"] if cls.update_path else []
        return (f"POST {cls.filled(cls.collection)}", *put, *super().operations())

    @classmethod
    def filled(cls, template: str) -> str:
        """An address with the class's settings in place of their names; ``{key}`` stays."""
        for name in ("item", "collection", "format", "type"):
            template = template.replace(f"{{{name}}}", getattr(cls, name))
        return template

    def address(self, template: str, inputs: Mapping[str, Any]) -> str:
        """An address with the object's identity and the class's settings in place of their names."""
        return self.filled(template).replace("{key}", segment(self.identity(inputs)))

    def entries(self, client: NexusClient) -> list[Any]:
        """Everything that the server lists where it lists this kind; other kinds may be among it.

        An entry that lacks a required property has to be read by itself.
        """
        return client.cached_list(self.filled(self.list_path))

    def path(self, inputs: Mapping[str, Any]) -> str:
        return self.address(self.delete_path, inputs)

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        try:
            body = client.get_object(self.address(self.item, inputs))
        except NotFound:
            if not self._is_listed(client, inputs):
                return None
            # A create that timed out stored it in the meantime, or the 404 came from a proxy, which repeats it.
            body = client.get_object(self.address(self.item, inputs))
        actual = self.actual(body)
        # Nexus finds a repository by its name in any case.
        return actual if actual.properties.get(self.key, inputs[self.key]) == inputs[self.key] else None

    def find_in_list(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        if not (self.list_path and self.list_is_complete):
            return None
        try:
            entries = client.cached_list(self.address(self.list_path, inputs))
        except NotFound:  # a server that is too old for the list
            return None
        return next((self.actual(entry) for entry in entries if self.is_it(entry, inputs)), None)

    def is_it(self, entry: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
        """Whether an entry of the list is this object."""
        keys = self.paths[self.key]
        return bool(entry[keys[-1]] == self.identity(inputs))

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        client.post(self.address(self.collection, inputs), self.to_body(inputs))

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        client.put(self.address(self.update_path, inputs), self.to_body(inputs, actual.body))

    def _is_listed(self, client: NexusClient, inputs: Mapping[str, Any]) -> bool:
        """Whether the server lists an object after a 404."""
        if not self.list_path:
            client.login()
            return False
        entries = client.get_list(self.address(self.list_path, inputs))
        return any(self.is_it(entry, inputs) for entry in entries)


class ListedProvider(ObjectProvider):
    """An object under an id that the server gives it, and that only the list of all of them tells."""

    update_path = delete_path = "{collection}/{id}"
    find_first = True
    paged: ClassVar[bool] = False
    """Whether the list comes in pages with ``continuationToken``."""

    def entries(self, client: NexusClient) -> list[Any]:
        return client.cached_list(self.collection, paged=self.paged)

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        read = client.get_items if self.paged else client.get_list
        return self._among(read(self.collection), inputs)

    def find_in_list(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        return self._among(client.cached_list(self.collection, paged=self.paged), inputs)

    def _among(self, entries: list[Any], inputs: Mapping[str, Any]) -> Actual | None:
        return next((self.actual(entry) for entry in entries if self.is_it(entry, inputs)), None)

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        client.put(self._address_of(actual), self.to_body(inputs, actual.body))

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        actual = self.find(client, properties)
        if actual is not None:
            self.delete_at(client, self._address_of(actual), properties)

    def _address_of(self, actual: Actual) -> str:
        return f"{self.collection}/{segment(str(actual.body['id']))}"


class SettingProvider(RestProvider):
    """A setting that exists once for each server, whatever the program does."""

    singleton = True
    keeps_written = True
    setting: ClassVar[str]
    """Where it is read and written."""
    setting_id: ClassVar[str] = "setting"
    """The resource's id."""
    method: ClassVar[str] = "PUT"
    """How it is written."""

    @classmethod
    def operations(cls) -> tuple[str, ...]:
        return (f"{cls.method} {cls.setting}", *super().operations())

    def identity(self, inputs: Mapping[str, Any]) -> str:  # noqa: ARG002
        return self.setting_id

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual:  # noqa: ARG002
        return self.actual(client.get_object(self.setting))

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        client.put(self.setting, self.to_body(inputs, actual.body))

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        """Restore the value found at creation, if the setting is still what this resource wrote."""
        actual = self.find(client, properties)
        if properties.get("before") and not self.mismatches(self.last_written(properties), actual):
            before = current_names(self.schema, properties["before"])
            known = normalised(self.schema, before)  # in the state, whole numbers are floats
            self.write(
                client, {name: value if value is None else known[name] for name, value in before.items()}, actual
            )

    def initial_outputs(self, before: Actual | None, replaced: Mapping[str, Any]) -> dict[str, Any]:
        return {"before": replaced.get("before") or (before.properties if before else None)}


class RestoredSetting(PropertyGroup):
    """For a setting that a deletion restores."""

    before: Prop[dict[str, Any]] = prop(computed=True)
    """What was found at creation."""


class SwitchProvider(SettingProvider):
    """A setting with a password: a deletion can't restore the password, so it turns the setting off."""

    off: ClassVar[Mapping[str, Any]] = {"enabled": False}
    """The properties that a deletion writes."""

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        """Turn it off, if the setting is still what this resource wrote."""
        actual = self.find(client, properties)
        if not self.mismatches(self.last_written(properties), actual):
            self.write(client, {**properties, **self.off}, actual)

    def initial_outputs(self, before: Actual | None, replaced: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {}
