"""The objects that the resources of this run declare, collected from the requests of the engine.

The engine starts one provider process for each run. It sends a check for every resource of the program before the
program ends, and before it deletes what the program no longer declares. At each deletion this process therefore
knows whether another resource of the program declares the object, under which name, and with which properties.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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


class Run:
    """The resources of one run. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._desired: dict[str, Desired] = {}
        self._held: dict[str, Held] = {}
        self._deleted: dict[Key, Mapping[str, Any]] = {}
        self._moved: dict[str, Mapping[str, Any]] = {}
        self._asking = threading.Lock()
        self._same: dict[str, bool] = {}

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
            self._changed.wait_for(found, timeout)
            return found()

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

    def holds(self, urn: str, key: Key) -> bool:
        """Whether that resource has the object already."""
        with self._changed:
            held = self._held.get(urn)
            return held is not None and held.key == key

    def desired(self, key: Key, *, timeout: float = 0.0) -> Desired | None:
        """The resource that declares that object in this run. With a timeout in seconds it waits for a check."""

        def found() -> Desired | None:
            return next((one for one in self._desired.values() if one.key == key), None)

        with self._changed:
            self._changed.wait_for(found, timeout)
            return found()

    def desired_by(self, urn: str) -> Desired | None:
        """The object that a resource declares in this run."""
        with self._changed:
            return self._desired.get(urn)

    def desired_of(self, scope: str, server: str) -> list[Desired]:
        """The objects of that kind that this run declares on that server."""
        with self._changed:
            return [one for one in self._desired.values() if one.key[:2] == (scope, server)]

    def is_released(self, urn: str, key: Key, *, timeout: float = 0.0) -> bool:
        """Whether another resource of this run had that object and now declares another one.

        With a timeout in seconds it waits for a check that has not arrived yet.
        """

        def released() -> bool:
            return any(
                held.key == key and other != urn and other in self._desired and self._desired[other].key != key
                for other, held in self._held.items()
            )

        with self._changed:
            return bool(self._changed.wait_for(released, timeout))

    def delete(self, urn: str, key: Key, properties: Mapping[str, Any]) -> None:
        """Record that a resource has deleted its object, with its properties, for its replacement."""
        with self._changed:
            if urn in self._held and self._held[urn].key == key:
                del self._held[urn]
            self._deleted[key] = properties

    def deleted(self, key: Key) -> Mapping[str, Any]:
        """The properties of the resource that had this object earlier in this run; empty when there was none."""
        with self._changed:
            return self._deleted.get(key, {})

    def move(self, server: str, connection: Mapping[str, Any]) -> None:
        """Record that the program has another address for a server of the state."""
        with self._changed:
            self._moved[server] = connection

    def moved(self, server: str) -> Mapping[str, Any] | None:
        """The connection that the program has for a server of the state whose address changed."""
        with self._changed:
            return self._moved.get(server)

    def same_server(self, server: str, ask: Callable[[], bool]) -> bool:
        """Whether a server of the state is the same one at its new address; ``ask`` is called once per server."""
        with self._asking:
            if server not in self._same:
                self._same[server] = ask()
            return self._same[server]
