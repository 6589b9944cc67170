"""The objects that the resources of this run declare, collected from the requests of the engine.

The engine starts one provider process for each run. It sends a check for every resource of the program before the
program ends, and before it deletes what the program no longer declares. At each deletion this process therefore
knows whether another resource of the program declares the object, under which name, and with which properties.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .progress import shown

T = TypeVar("T")
Key = tuple[str, str, str]
"""What makes an object one of its kind: scope (``role``), server, identity on that server."""

CHECK_TIMEOUT = 3.0
"""Seconds in which the checks of resources that do not depend on each other have all arrived."""

DATA_TIMEOUT = 10.0
"""The same where data would be lost."""


@dataclass(frozen=True)
class Desired:
    """The object that a resource of the program declares."""

    urn: str
    key: Key
    inputs: Mapping[str, Any]


@dataclass(frozen=True)
class Held:
    """The object that a resource has according to the state, or has made in this run."""

    key: Key
    incarnation: Any = None
    adopted: bool = field(default=False, compare=False)
    """Whether it existed before the create of this run."""


@dataclass(frozen=True)
class Move:
    """The address of a server in the program, where the state has another one."""

    connection: Mapping[str, Any]
    ask: Callable[[], bool | None]
    """Requests whether both are one server; ``None`` when that can't be known."""


class Run:
    """The resources of one run. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._desired: dict[str, Desired] = {}
        self._held: dict[str, Held] = {}
        self._deleting = Counter[tuple[str, str]]()
        self._deleted: dict[Key, Mapping[str, Any]] = {}
        self._moves: dict[tuple[str, str], Move] = {}
        self._asking = threading.Lock()
        self._same: dict[frozenset[str], bool | None] = {}

    def declare(self, urn: str, key: Key, inputs: Mapping[str, Any]) -> str:
        """Record the object of a resource; returns the URN of another resource that declares it, or an empty
        string."""
        with self._changed:
            self._desired[urn] = Desired(urn, key, inputs)
            self._changed.notify_all()
            return next((one.urn for one in self._desired.values() if one.key == key and one.urn != urn), "")

    def hold(self, urn: str, held: Held) -> None:
        """Record which object a resource has."""
        with self._changed:
            self._held[urn] = held
            self._changed.notify_all()

    def new_owner(self, urn: str, held: Held, *, timeout: float = 0.0) -> Desired | None:
        """Another resource that declares the object which the resource ``urn`` no longer declares.

        A resource that was renamed by an alias is the same resource under another URN: it has the same
        incarnation. With a timeout in seconds it waits for a check that has not arrived yet.
        """

        def found() -> Desired | None:
            for one in self._desired.values():
                same = held.incarnation is not None and self._held.get(one.urn) == held
                if one.key == held.key and one.urn != urn and not same:
                    return one
            return None

        with self._changed:
            return self._wait_for(found, timeout)

    def same_names_elsewhere(self, urn: str, held: Held) -> list[Desired]:
        """Other resources that declare the object of ``urn`` at another address, which may be of the same
        server."""

        def replaces(one: Desired) -> bool:
            other = self._held.get(one.urn)
            return held.incarnation is not None and other is not None and other.incarnation == held.incarnation

        scope, server, identity = held.key
        with self._changed:
            return [
                one
                for one in self._desired.values()
                if one.urn != urn
                and one.key[::2] == (scope, identity)
                and one.key[1] != server
                and not replaces(one)
            ]

    def _wait_for(
        self,
        found: Callable[[], T],
        timeout: float | None,
        reason: str = "another resource may need this one's object",
    ) -> T:
        """What is found, at the latest after the timeout in seconds; the caller has the lock."""
        value = found()
        if not value and timeout != 0:
            with shown(reason):
                value = self._changed.wait_for(found, timeout)
        return value

    def held(self, urn: str, key: Key) -> Held | None:
        """The object of that key, if that resource has it already."""
        with self._changed:
            held = self._held.get(urn)
            return held if held is not None and held.key == key else None

    def desired(self, key: Key, *, timeout: float = 0.0) -> Desired | None:
        """The resource that declares that object in this run. With a timeout in seconds it waits for a check."""

        def found() -> Desired | None:
            return next((one for one in self._desired.values() if one.key == key), None)

        with self._changed:
            return self._wait_for(found, timeout)

    def desired_by(self, urn: str) -> Desired | None:
        """The object that a resource declares in this run."""
        with self._changed:
            return self._desired.get(urn)

    def desired_of(self, scope: str) -> list[Desired]:
        """The objects of that kind that this run declares, on any server."""
        with self._changed:
            return [one for one in self._desired.values() if one.key[0] == scope]

    def desired_at(self, server: str) -> list[Desired]:
        """The objects that this run declares at that address."""
        with self._changed:
            return [one for one in self._desired.values() if one.key[1] == server]

    def is_released(self, urn: str, key: Key, *, timeout: float = 0.0) -> bool:
        """Whether another resource of this run had that object and now declares another one.

        With a timeout in seconds it waits for a check that has not arrived yet.
        """

        def servers() -> list[str]:
            return [
                held.key[1]
                for other, held in self._held.items()
                if held.key[::2] == key[::2]
                and other != urn
                and other in self._desired
                and self._desired[other].key not in (held.key, key)
                and (held.key[1] == key[1] or (held.key[1], key[1]) in self._moves)
            ]

        with self._changed:
            found = self._wait_for(servers, timeout)
        return any(self.is_at(server, key[1]) for server in found)

    @contextmanager
    def deleting(self, scope: str, identity: str) -> Iterator[None]:
        """Makes the create of such an object wait until the block ends, at whichever address."""
        with self._changed:
            self._deleting[scope, identity] += 1
        try:
            yield
        finally:
            with self._changed:
                self._deleting[scope, identity] -= 1
                self._changed.notify_all()

    def await_deletion(self, scope: str, identity: str) -> None:
        """Wait until no such object is being deleted."""
        with self._changed:
            reason = f"{scope} {identity!r} is being deleted"
            self._wait_for(lambda: not self._deleting[scope, identity], None, reason)

    def delete(self, urn: str, key: Key, properties: Mapping[str, Any]) -> None:
        """Record that a resource has deleted its object, with its properties, for its replacement."""
        with self._changed:
            if urn in self._held and self._held[urn].key == key:
                del self._held[urn]
            self._deleted[key] = properties

    def deleted(self, key: Key) -> Mapping[str, Any]:
        """The properties of the resource that had this object earlier in this run; empty when there was none."""
        with self._changed:
            found = {one[1]: state for one, state in self._deleted.items() if one[::2] == key[::2]}
        return next((state for server, state in found.items() if self.is_at(server, key[1])), {})

    def move(self, old: str, new: str, move: Move) -> None:
        """Record that a resource is on the server ``new`` in the program, and on ``old`` in the state."""
        with self._changed:
            self._moves[old, new] = move
            self._changed.notify_all()

    def moved(self, server: str) -> Mapping[str, Any] | None:
        """The connection that the program has for a server of the state, unless it is known to be another one."""
        with self._changed:
            return next(
                (
                    move.connection
                    for addresses, move in self._moves.items()
                    if addresses[0] == server and self._same.get(frozenset(addresses)) is not False
                ),
                None,
            )

    def is_at(self, old: str, new: str) -> bool:
        """Whether a server of the state is at this address in the program.

        It is at another one only where a resource has moved there, and both return the same id.
        """
        with self._changed:
            move = self._moves.get((old, new))
        return old == new or (move is not None and self.same_server(old, new, move.ask) is True)

    def same_server(self, one: str, other: str, ask: Callable[[], bool | None]) -> bool | None:
        """Whether two addresses are of one server, ``None`` when that is unknown; asked once for each pair."""
        pair = frozenset((one, other))
        with self._asking:
            if pair not in self._same:
                self._same[pair] = ask()
            return self._same[pair]
