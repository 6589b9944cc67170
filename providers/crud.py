"""The lifecycle of an object inside Nexus: check, diff, create, read, update, delete, written once.

What differs from kind to kind stands in :mod:`.kind`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from . import engine
from .client import NexusClient
from .connection import client_from_state, client_of, require_same_server, server_of
from .errors import NexusError, NotFound, OutcomeUnknown, RateLimited, Refused
from .kind import Actual, ObjectKind
from .progress import Wait
from .run import CHECK_TIMEOUT, DATA_TIMEOUT, Desired, Held, Key
from .schema import PROVIDER_KEY, WRITTEN, describe, differences, failure, normalised, outdated_names
from .undo import undo_on_refusal
from .unknown import has_unknown

_PAUSES = (0.2, 0.4, 0.8, 1.6, 3.0, 4.0)
"""Seconds between reads of an object that is not as written: other nodes of a cluster are late by up to 10 s."""
LEGACY_MARK = "legacy-"
"""How an incarnation begins in a state that had none. What refers to the object is not written for it."""


class NexusProvider(ObjectKind):
    """The lifecycle of an object inside Nexus.

    - ``check`` records the object of each resource, and refuses two resources that declare the same object.
    - ``create`` inserts first, and reads only if that fails: the object exists, or the response was lost. With
      ``adopt`` it reads first, so that nothing is written to an object that is identical to the desired one. It
      adopts an object that is identical to the desired one, and writes it where the program has a value for it
      that the server does not return, such as a secret. One that differs is an error that names the difference,
      unless ``adopt`` is set or another resource of this run no longer declares it: then it is changed.
    - ``update`` reads, changes only the properties of this resource and writes; nothing is sent when only
      properties changed that are not part of the object (connection, adopt …).
    - A failed verification undoes what ``create`` or ``update`` wrote.
    - ``read`` returns the object of the server, without a secret that was changed, and no id if the object does
      not exist.
    - ``delete`` keeps an object that another resource of this run declares. Deleting an object that does not exist
      succeeds.
    """

    def computed_inputs(self, olds: Mapping[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
        if inputs.get("connection") is None and (url := self.configured.get("url")):
            inputs = {**inputs, "configured_url": url}
        if "incarnation" not in self.schema:
            return inputs
        # A replacement is checked with empty olds.
        new = f"{LEGACY_MARK}{engine.random_token()}" if olds else engine.random_token()
        return {**inputs, "incarnation": olds.get("incarnation") or new}

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        result = super().check(olds, news)
        result.failures.extend(self.connection_failures(result))
        if not result.failures:
            result.failures.extend(failure(*one) for one in self._unavailable(result.inputs))
        if not result.failures:
            result.failures.extend(self._declare(olds, result.inputs))
        return result

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        self._note_move(olds, news)
        self._hold(olds)
        diff = super().diff(id_, olds, news)
        # A state with older names is written again, or what is renamed stays unknown in every preview.
        diff.changes = diff.changes or bool(outdated_names(self.schema, olds))
        return diff

    def create(self, props: dict[str, Any]) -> CreateResult:
        inputs = normalised(self.schema, props)
        id_ = self.identity(inputs)
        self.run.await_deletion(*self._name(inputs))
        with self.api_errors(id_, inputs) as client:
            self._refuse_unavailable(client, inputs)
            before = self._insert_or_adopt(client, inputs)
            with undo_on_refusal(self, client, inputs, before):
                actual = self._verify(client, inputs)
            key = self._key(inputs)
            outputs = self.initial_outputs(before, self.run.deleted(key) if key else {})
            outputs |= self.outputs_of(actual)
            self._hold(inputs, adopted=before is not None)
            return CreateResult(id_, {**inputs, **outputs})

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        inputs = normalised(self.schema, news)
        outs = {**inputs, **{name: olds[name] for name in (*self.outputs, WRITTEN) if name in olds}}
        changed = [name for name in differences(self.schema, olds, inputs) if not self.schema[name].local]
        moved = self._server(olds) != self._server(inputs)
        upgraded = self.depends_on_version and self._version(olds) != self._version(inputs)
        if not (changed or moved or upgraded):
            return UpdateResult(outs)
        with self.api_errors(id_, inputs) as client:
            if moved:
                require_same_server(self.run, self._connection(olds), self._connection(inputs))
                self._hold(inputs)
            actual = self.find(client, inputs)
            if actual is None:
                if not self.is_done(normalised(self.schema, olds)):
                    raise Refused(self._missing(olds, inputs))
                if changed:
                    self.insert(client, inputs)
                    outs |= self.outputs_of(self._verify(client, inputs))
                return UpdateResult(outs)
            # What the server does not return (a secret, a field that it hides) may differ unseen.
            writes = bool(self.mismatches(inputs, actual) or self.hidden(actual).intersection(changed))
            if writes:
                self._refuse_unavailable(client, inputs)
            with undo_on_refusal(self, client, inputs, actual, normalised(self.schema, olds)):
                if writes:
                    self.write(client, inputs, actual)
                if any(self.schema[name].secret for name in set(changed) - set(self.paths)):
                    self.write_secrets(client, inputs)
                if changed:
                    outs.pop(WRITTEN, None)
                    outs |= self.outputs_of(self._verify(client, inputs))
            return UpdateResult(outs)

    def _version(self, properties: Mapping[str, Any]) -> Any:
        return self._connection(properties).get("version")

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        state = normalised(self.schema, props)
        with self.api_errors(id_, state, from_state=True) as client:
            actual = self.find_in_list(client, state) or self.find(client, state)
            if actual is None:
                return self.read_result(id_, state, props) if self.is_done(state) else ReadResult("", {}, {})
            self.observe(client, state, actual)
            outs = normalised(self.schema, {**state, **self.returned(state, actual)})
            with suppress(RateLimited):
                if self.reads_secrets(outs) and self.secrets_match(client, outs) is False:
                    outs = self.without_secrets(outs)
            return self.read_result(id_, outs, props)

    def read_result(self, id_: str, outs: dict[str, Any], props: Mapping[str, Any]) -> ReadResult:
        """What a read returns for these outputs."""
        inputs = {name: outs[name] for name in self.schema if name in outs}
        return ReadResult(id_, outs, {**inputs, PROVIDER_KEY: props.get(PROVIDER_KEY)})

    def without_secrets(self, outs: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs without the secrets of the object, so that a read reports them as changed."""
        own = {name for name, field in self.schema.items() if field.secret and not field.local}
        return {name: value for name, value in outs.items() if name not in own}

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        state = normalised(self.schema, props)
        with self.run.deleting(*self._name(state)):
            self._delete(id_, state)

    def _delete(self, id_: str, state: Mapping[str, Any]) -> None:
        with self.api_errors(id_, state, from_state=True) as client:
            urn, key = engine.urn(), self._key(state)
            assert key is not None, "a state has no unknown values"
            held = Held(key, state.get("incarnation"))
            self._require_replaceable(client, urn, key)
            new_owner = self._new_owner(urn, held, state)
            if new_owner is None and self.run.desired_by(urn) and self.takes_data(client, state):
                # A replacement: the run continues, and the check of another resource may follow.
                new_owner = self._new_owner(urn, held, state, timeout=DATA_TIMEOUT)
            if new_owner is None:
                try:
                    self._require_own(client, state)
                    self.remove(client, state)
                except NotFound:
                    if not self.availability.refusal(*client.served):  # as after the end of a licence
                        raise
                except Refused:
                    new_owner = self._new_owner(urn, held, state, timeout=CHECK_TIMEOUT if urn else 0.0)
                    if new_owner is None:
                        raise
        if new_owner is not None:
            self._hand_over(id_, new_owner)
        self.run.delete(urn, key, state)

    def _require_replaceable(self, client: NexusClient, urn: str, key: Key) -> None:
        """Refuse to delete an object for a replacement whose create would be refused."""
        desired = self.run.desired_by(urn)
        if desired is None or desired.key[::2] == key[::2] or has_unknown(desired.inputs):
            return
        if desired.key[0] != key[0] or not self.run.is_at(key[1], desired.key[1]):
            return
        actual = self.find(client, desired.inputs)
        try:
            if actual is not None:
                self._require_adoptable(desired.inputs, actual)
            elif (taken := self.taken(client, desired.inputs)) and not self.run.is_released(
                urn, desired.key, timeout=CHECK_TIMEOUT
            ):
                raise Refused(taken)
        except Refused as error:
            raise Refused(
                f"was not deleted, because {self.kind} {self.identity(desired.inputs)!r} {error}"
            ) from None

    def _require_own(self, client: NexusClient, state: Mapping[str, Any]) -> None:
        """Refuse to delete an object at another address than the state's if it differs from the state."""
        url = self._connection(state)["url"]
        if server_of(client.url) == self._server(state):
            return
        actual = self.find(client, state)
        if actual is not None and (differing := self.mismatches(state, actual)):
            details = describe(differing, state, self.returned(state, actual), self.schema)
            raise Refused(
                f"{url} does not answer, and at {client.url} it differs from the state: {details}. It was not "
                "deleted. Delete it there by hand, or run `pulumi state delete`"
            )

    def _hand_over(self, id_: str, new_owner: Desired) -> None:
        """Leave the object to another resource of this run, and change it to what that resource declares."""
        name = engine.name_of(new_owner.urn)
        pulumi.log.info(f"{self.kind} {id_!r} is kept for the resource {name!r}, which declares it")
        if self.run.held(new_owner.urn, new_owner.key) or has_unknown(new_owner.inputs):
            return
        with self.api_errors(id_, new_owner.inputs) as client:
            actual = self.find(client, new_owner.inputs)
            if actual is not None:
                self._adopt(client, {**new_owner.inputs, "adopt": True}, actual)

    def _insert_or_adopt(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        """Create the object, or adopt the existing one; returns the object that existed before."""
        if self.singleton or self.find_first or self._adopts(inputs):
            before = self.find(client, inputs)
            if before is not None:
                self._adopt(client, inputs, before)
                return before
        unknown = False  # whether an earlier try may have inserted it
        for last in (False, False, True):
            try:
                self.insert(client, inputs)
            except (Refused, OutcomeUnknown) as error:
                unknown = unknown or isinstance(error, OutcomeUnknown)
                before = self.find(client, inputs)
                if before is not None:
                    self._adopt(client, inputs, before, own=unknown)
                    return None if unknown else before
                if last or isinstance(error, Refused):
                    raise
            else:
                return None
        return None

    def _adopt(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual, *, own: bool = False) -> None:
        """Adopt an object that existed before this resource.

        Args:
            own: this very create may have inserted it: a password that can't be seen is written again.
        """
        differs = self._require_adoptable(inputs, actual)
        if differs or (not self._adopts(inputs) and self._hidden(inputs, actual)):
            self.write(client, inputs, actual)
        try:
            same = self.secrets_match(client, inputs)
        except RateLimited:
            if not self._may_change(inputs):
                raise
            same = False  # writing a password unlocks an account
        if same is False and not (own or self._may_change(inputs)):
            raise Refused("exists already with another password. Set adopt=True to have it changed")
        if not same:  # what can't be seen, such as the password of a disabled user, is written
            self.write_secrets(client, inputs)

    def _hidden(self, inputs: Mapping[str, Any], actual: Actual) -> set[str]:
        """The properties that are not the default and that the server hides, while it returns others."""
        fields = {name: self.schema[name] for name in self.paths if not self.schema[name].replaces}
        given = {name for name, field in fields.items() if inputs.get(name) not in (None, field.default)}
        return given & self.hidden(actual) if actual.properties else set()

    def _require_adoptable(self, inputs: Mapping[str, Any], actual: Actual) -> bool:
        """Refuse an object that must not be changed to what is desired; returns whether it differs."""
        differing = self.mismatches(inputs, actual)
        fixed = [name for name in differing if self.schema[name].replaces]
        details = describe(fixed or differing, inputs, self.returned(inputs, actual), self.schema)
        if fixed:
            raise Refused(
                f"exists already and can't be changed to what is desired: {details}. Delete it, or declare "
                "what exists"
            )
        if differing and not (self.singleton or self._may_change(inputs)):
            raise Refused(
                f"exists already and differs: {details}. Set adopt=True to have it changed, also if a resource "
                "that depends on this one has it so far, or give the old name as an alias if this resource was "
                "renamed"
            )
        return bool(differing)

    def _may_change(self, inputs: Mapping[str, Any]) -> bool:
        """Whether an object that differs may be changed: by ``adopt``, or because its owner gives it up."""
        urn, key = engine.urn(), self._key(inputs)
        return self._adopts(inputs) or bool(urn and key and self.run.is_released(urn, key, timeout=CHECK_TIMEOUT))

    def _adopts(self, inputs: Mapping[str, Any]) -> bool:
        return bool(inputs.get("adopt")) or self.adopts_all

    def _verify(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual:
        """Read the object back: some versions drop unknown fields and respond with success."""
        actual, wrong = self._read_back(client, inputs)
        progress = Wait()
        for pause in _PAUSES if wrong else ():
            progress.show(f"{self.kind} {self.identity(inputs)!r} {wrong}")
            time.sleep(pause)
            actual, wrong = self._read_back(client, inputs)
            if not wrong:
                break
        if actual is None or wrong:
            raise Refused(f"{wrong}. See the log of Nexus")
        self.verify(client, inputs, actual)
        self.observe(client, inputs, actual)
        return actual

    def _read_back(self, client: NexusClient, inputs: Mapping[str, Any]) -> tuple[Actual | None, str]:
        """The object after a write, and how it differs from the desired one."""
        actual = self.find(client, inputs)
        if actual is None:
            return None, "was accepted by Nexus and does not exist"
        self._refuse_unavailable(client, inputs)
        dropped = self.mismatches(inputs, actual)
        details = describe(dropped, inputs, self.returned(inputs, actual), self.schema)
        return actual, f"was accepted by Nexus and differs from what is desired: {details}" if dropped else ""

    @contextmanager
    def api_errors(
        self, identity: str, properties: Mapping[str, Any], *, from_state: bool = False
    ) -> Iterator[NexusClient]:
        """Prefix errors with the object and hide the inner traceback."""
        client: NexusClient | None = None
        try:
            if from_state:
                client = client_from_state(self.run, self._connection_of_state(properties))
            else:
                client = client_of(self._connection(properties))
            yield client
        except NexusError as error:
            message = self.error_message(client, properties, error) if client else str(error)
            raise error.with_message(f"{self.kind} {identity!r}: {message}") from None
