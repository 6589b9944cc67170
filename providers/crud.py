"""The lifecycle of an object inside Nexus: check, diff, create, read, update, delete, written once.

A resource module states its fields and five small functions (its key and path, how to look for it, insert and
write it).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from pulumi.dynamic import CheckResult, CreateResult, ReadResult, UpdateResult

from .client import Connection, NexusClient, client_for
from .errors import NexusError, NotFound, RateLimited, Refused, Uncertain
from .provider import CONNECTION, Provider
from .schema import (
    PROVIDER_KEY,
    Field,
    Schema,
    boolean,
    contradictions,
    describe,
    differences,
    mapping,
    normalised,
    text,
)

STEERING: Schema = {
    "connection": Field(mapping(CONNECTION), secret=True, steers=True),
    "adopt": Field(boolean, default=False, steers=True),
}
"""What every Nexus resource takes besides its own fields."""
INCARNATION: Schema = {"incarnation": Field(text(), steers=True)}
"""For a kind whose deletion strips it from other objects: a mark that changes exactly when another one takes its
place. Those others take it as an input, and are so written again when it is replaced."""


@dataclass
class Found:
    """An object as the server has it: its API body, and the same as properties."""

    body: Any
    properties: dict[str, Any]


class NexusProvider(Provider):
    """The lifecycle of an object inside Nexus.

    - ``create`` takes an object that is there exactly as wished; one that differs is an error that names the
      difference, or with ``adopt`` is changed to the wish. An answer that was lost, and an "already exists" after
      the first look, lead to another look.
    - ``update`` reads, changes only the properties of this resource and writes; nothing is sent when only
      steering properties (connection, adopt …) changed.
    - ``read`` returns what the server has, without a secret that is another one by now, and gone when it has no
      such object.
    - ``delete`` of what is gone is done.
    """

    outputs: ClassVar[tuple[str, ...]] = ()
    """Outputs that are no inputs."""
    takes_over: ClassVar[bool] = False
    """Whether the object always exists, so that what it is now is simply changed to the wish."""

    def complete(self, olds: Mapping[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
        if "incarnation" not in self.schema:
            return inputs
        # A replacement is checked with empty olds.
        return {**inputs, "incarnation": olds.get("incarnation") or secrets.token_hex(8)}

    def identity(self, inputs: Mapping[str, Any]) -> str:
        """The object's key on the server, which is the resource's id."""
        raise NotImplementedError

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Found | None:
        """The object as it is; ``None`` when the server answers and has none."""
        raise NotImplementedError

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        """Make the object."""
        raise NotImplementedError

    def write(self, client: NexusClient, inputs: Mapping[str, Any], found: Found) -> None:
        """Write the wished properties over the object, every other field as it was found."""
        raise NotImplementedError

    def path(self, inputs: Mapping[str, Any]) -> str:
        """Where the object is deleted."""
        raise NotImplementedError

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        """Delete the object; nothing happens when it is gone."""
        if self.find(client, properties) is not None:
            try:
                client.delete(self.path(properties))
            except NotFound:  # gone, or said by something in between
                if self.find(client, properties) is not None:
                    raise

    def same_secrets(self, client: NexusClient, inputs: Mapping[str, Any]) -> bool | None:  # noqa: ARG002
        """Whether what the server does not tell (a password) is as wished; ``None`` when that can't be seen."""
        return True

    def write_secrets(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        """Write what the server does not tell."""

    def prove(self, client: NexusClient, inputs: Mapping[str, Any], found: Found) -> None:
        """Raise when the written object does not work although Nexus said so."""

    def first_outputs(self, before: Found | None) -> dict[str, Any]:  # noqa: ARG002
        """The values of ``outputs``, set once at creation from what was there before; kept ever after."""
        return {}

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:  # noqa: ARG002
        """A refusal of Nexus as a sentence that names property, reason and remedy; ``""`` to leave it as it is."""
        return ""

    # The rest is the same for every kind.

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        result = super().check(olds, news)
        result.failures.extend(self.connection_failures(result))
        return result

    def create(self, props: dict[str, Any]) -> CreateResult:
        inputs = normalised(self.schema, props)
        id_ = self.identity(inputs)
        with self.edge(id_, inputs) as client:
            before = self.find(client, inputs)
            if before is not None:
                self._take(client, inputs, before)
            else:
                self._insert(client, inputs)
            self._settle(client, inputs)
            return CreateResult(id_, {**inputs, **self.first_outputs(before)})

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        inputs = normalised(self.schema, news)
        outs = {**inputs, **{name: olds[name] for name in self.outputs if name in olds}}
        changed = [name for name in differences(self.schema, olds, inputs) if not self.schema[name].steers]
        if not changed:
            return UpdateResult(outs)
        with self.edge(id_, inputs) as client:
            found = self.find(client, inputs)
            if found is None:
                raise Refused("is gone from the server: `pulumi up --refresh` makes it again")
            open_ = [name for name in changed if not self.schema[name].secret]
            if contradictions(self.schema, inputs, found.properties) or set(open_) - set(found.properties):
                self.write(client, inputs, found)
            if len(open_) < len(changed):
                self.write_secrets(client, inputs)
            self._settle(client, inputs)
            return UpdateResult(outs)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        state = normalised(self.schema, props)
        with self.edge(id_, state, from_state=True) as client:
            found = self.find(client, state)
            if found is None:
                return ReadResult("", {}, {})
            outs = normalised(self.schema, {**state, **found.properties})
            with suppress(RateLimited):
                if self.same_secrets(client, outs) is False:
                    outs = self.without_secrets(outs)
            return self.told(id_, outs, props)

    def told(self, id_: str, outs: dict[str, Any], props: Mapping[str, Any]) -> ReadResult:
        """What a read returns for these outputs."""
        inputs = {name: outs[name] for name in self.schema if name in outs}
        return ReadResult(id_, outs, {**inputs, PROVIDER_KEY: props.get(PROVIDER_KEY)})

    def without_secrets(self, outs: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs without the secrets that are the object's own: so a read says that they are others."""
        own = {name for name, field in self.schema.items() if field.secret and not field.steers}
        return {name: value for name, value in outs.items() if name not in own}

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        state = normalised(self.schema, props)
        with self.edge(id_, state, from_state=True) as client:
            self.remove(client, state)

    def _insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        """Make the object; an answer that was lost, or "already exists", lead to another look."""
        for last in (False, False, True):
            try:
                return self.insert(client, inputs)
            except (Refused, Uncertain) as error:
                there = self.find(client, inputs)
                if there is not None:
                    return self._take(client, inputs, there)
                if last or isinstance(error, Refused):
                    raise
        return None

    def _take(self, client: NexusClient, inputs: Mapping[str, Any], found: Found) -> None:
        """Make an object that was there before this resource its own."""
        differing = contradictions(self.schema, inputs, found.properties)
        fixed = [name for name in differing if self.schema[name].replaces]
        said = describe(fixed or differing, inputs, found.properties, self.schema)
        if fixed:
            raise Refused(
                f"exists already and can't be changed to what is wished: {said}; delete it or wish for that"
            )
        if differing and not (self.takes_over or inputs.get("adopt")):
            raise Refused(f"exists already and is not as wished: {said}; set adopt=True to have it changed")
        if differing:
            self.write(client, inputs, found)
        try:
            same = self.same_secrets(client, inputs)
        except RateLimited:
            if not inputs.get("adopt"):
                raise
            same = False  # writing a password opens an account that wrong ones have shut
        if not same:
            if not inputs.get("adopt"):
                raise Refused("exists already with another password; set adopt=True to have it changed")
            self.write_secrets(client, inputs)

    def _settle(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        """Read back what was written: some versions drop what they don't know and answer success."""
        found = self.find(client, inputs)
        if found is None:
            raise Refused("was accepted by Nexus and is not there: see Nexus's log")
        dropped = contradictions(self.schema, inputs, found.properties)
        if dropped:
            said = describe(dropped, inputs, found.properties, self.schema)
            raise Refused(f"was accepted by Nexus and is otherwise than wished: {said}")
        self.prove(client, inputs, found)

    @contextmanager
    def edge(
        self, identity: str, properties: Mapping[str, Any], *, from_state: bool = False
    ) -> Iterator[NexusClient]:
        """Where an error leaves the provider: one line that names the object, and no inner traceback."""
        client = self._client(properties, from_state=from_state)
        try:
            yield client
        except NexusError as error:
            said = ""
            if isinstance(error, Refused) and error.status:
                with suppress(NexusError):
                    said = self.explain(client, properties, error)
            said = said or str(error)
            raise type(error)(
                f"{self.kind} {identity!r}: {said}",
                status=error.status,
                messages=error.messages,
                fault_id=error.fault_id,
            ) from None

    def _client(self, properties: Mapping[str, Any], *, from_state: bool = False) -> NexusClient:
        """The client for a resource; what state holds may be outdated, so the environment goes first there."""
        known = {"username": "admin", **self.configured, **(properties.get("connection") or {})}
        if from_state and os.environ.get("NEXUS_URL", "").rstrip("/") == known["url"].rstrip("/"):
            for key in ("username", "password"):
                known[key] = os.environ.get(f"NEXUS_{key.upper()}") or known[key]
        return client_for(cast("Connection", known))
