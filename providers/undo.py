"""A create or update that was refused, or failed its verification, is undone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .client import NexusClient
from .errors import NexusError, Refused
from .kind import Actual, ObjectKind


@contextmanager
def undo_on_refusal(
    provider: ObjectKind,
    client: NexusClient,
    inputs: Mapping[str, Any],
    before: Actual | None,
    olds: Mapping[str, Any] | None = None,
) -> Iterator[None]:
    """Restore the former object when a write in the block is refused or fails its verification.

    Args:
        provider: of the object.
        client: of its server.
        inputs: what is desired.
        before: the object before the write; without one, the object is removed again.
        olds: the state of the resource, which has what the server does not return, such as secrets.
    """
    try:
        yield
    except Refused as error:
        explained = provider.error_message(client, inputs, error)
        try:
            done = _undo(provider, client, inputs, before, olds)
        except NexusError as failed:
            done = f" (undoing it failed: {failed})"
        raise error.with_message(f"{explained}{done}") from None


def _undo(
    provider: ObjectKind,
    client: NexusClient,
    inputs: Mapping[str, Any],
    before: Actual | None,
    olds: Mapping[str, Any] | None,
) -> str:
    """Undo it, and return a text about what was done."""
    actual = provider.find(client, inputs)
    hidden = _changed_unseen(provider, olds, inputs, before) if olds and before else {}
    if actual is None or (before is not None and actual.properties == before.properties and not hidden):
        return ""
    if before is None:
        provider.remove(client, {**inputs, **provider.initial_outputs(None, {})})
        return " (it was removed again)"
    former = {**inputs, **hidden, **provider.returned(olds or inputs, before)}
    provider.write(client, former, actual)
    if hidden.keys() - provider.paths.keys():
        provider.write_secrets(client, former)
    return " (the former object was restored)"


def _changed_unseen(
    provider: ObjectKind, olds: Mapping[str, Any], inputs: Mapping[str, Any], before: Actual
) -> dict[str, Any]:
    """The properties of the state that differ from the desired ones and that the server hides."""
    secrets = {name for name, field in provider.schema.items() if field.secret and not field.local}
    unseen = secrets | (provider.hidden(before) if before.properties else set())
    return {name: olds.get(name) for name in sorted(unseen) if olds.get(name) != inputs.get(name)}
