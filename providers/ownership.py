"""Which resource of a run declares and owns which object (decision 0002)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from pulumi.dynamic import CheckFailure

from . import engine
from .connection import resolve, same_node, server_of
from .errors import Refused
from .provider import Provider
from .run import Desired, Held, Key, Move, Run
from .schema import failure, normalised
from .unknown import has_unknown, is_unknown


class OwnedProvider(Provider):
    """Tracks which resource of a run declares which object, and which resource has it."""

    run: ClassVar[Run] = Run()
    """The resources of the run that this process serves."""
    scope: ClassVar[str] = ""
    """What the identity is unique in, where several kinds share their names. Default: the kind."""
    ignores_case: ClassVar[bool] = False
    """Whether two identities that differ only in case exclude each other."""
    excludes: ClassVar[str] = ""
    """The scope of a kind that no program may have on a server together with this one."""

    def identity(self, inputs: Mapping[str, Any]) -> str:
        """The object's key on the server, which is the resource's id."""
        raise NotImplementedError

    def scope_of(self, properties: Mapping[str, Any]) -> str:  # noqa: ARG002
        """What the identity of this object is unique in."""
        return self.scope or self.kind

    def _server(self, properties: Mapping[str, Any]) -> str:
        """The server that a resource is on; empty while that is unknown."""
        connection = properties.get("connection")
        if connection is not None and not isinstance(connection, Mapping):
            return ""
        url = self._connection(properties).get("url")
        return server_of(url) if isinstance(url, str) and not is_unknown(url) else ""

    def _key(self, properties: Mapping[str, Any]) -> Key | None:
        """What makes the object one of its kind; ``None`` while that is unknown."""
        server = self._server(properties)
        if not server or has_unknown([properties.get(name) for name, one in self.schema.items() if one.replaces]):
            return None
        scope, identity = self._name(properties)
        return scope, server, identity

    def _name(self, properties: Mapping[str, Any]) -> tuple[str, str]:
        """The scope of the object, and its identity as one of it."""
        identity = self.identity(properties)
        return self.scope_of(properties), identity.lower() if self.ignores_case else identity

    def _declare(self, olds: Mapping[str, Any], inputs: Mapping[str, Any]) -> list[CheckFailure]:
        """Record the object of this resource; refuse one that another resource of the program declares."""
        urn, key = engine.urn(), self._key(inputs)
        if not urn or key is None:
            return []
        if olds:
            self._hold(olds)
        other = self.run.declare(urn, key, {name: inputs[name] for name in self.schema if name in inputs})
        name = next((name for name, field in self.schema.items() if field.replaces), "connection")
        if against := [one for one in self._excluded() if one.key[1] == key[1]]:
            urn = against[0].urn
            return [
                failure(
                    name,
                    f"{self.kind} of {key[1]} and the {self.excludes} of {engine.name_of(urn)!r} ({urn}) "
                    "exclude each other. Declare one of them",
                )
            ]
        if not other:
            return []
        return [
            failure(
                name,
                f"{self.kind} {self.identity(inputs)!r} of {key[1]} is declared twice: by "
                f"{engine.name_of(other)!r} ({other}) and by {engine.name_of(urn)!r}. Declare it once",
            )
        ]

    def _excluded(self) -> list[Desired]:
        """What this run declares of the kind that this one excludes, on any server."""
        return self.run.desired_of(self.excludes) if self.excludes else []

    def _excluded_at(self, state: Mapping[str, Any]) -> list[Desired]:
        """The same on the server of this state, at whichever address."""
        return [one for one in self._excluded() if self.run.is_at(self._server(state), one.key[1])]

    def _hold(self, properties: Mapping[str, Any], *, adopted: bool = False) -> None:
        state = normalised(self.schema, properties)
        urn, key = engine.urn(), self._key(state)
        if urn and key is not None:
            self.run.hold(urn, Held(key, state.get("incarnation"), adopted))

    def _new_owner(
        self, urn: str, held: Held, state: Mapping[str, Any], *, timeout: float = 0.0
    ) -> Desired | None:
        """Another resource that declares the object, at whichever address of its server."""
        return self.run.new_owner(urn, held, timeout=timeout) or self._new_owner_elsewhere(urn, held, state)

    def _new_owner_elsewhere(self, urn: str, held: Held, state: Mapping[str, Any]) -> Desired | None:
        """Another resource that declares the object, with another address of the same server.

        An object that exists at an address which may be of another server is not taken for this one: this one
        would stay on its server, and no resource would have it.
        """
        for one in self.run.same_names_elsewhere(urn, held):
            ask = partial(same_node, self._connection(state), self._connection(one.inputs))
            same = self.run.same_server(held.key[1], one.key[1], ask)
            owned = self.run.held(one.urn, one.key)
            if same is None and owned and not owned.adopted:
                raise Refused(
                    f"was not deleted: {engine.name_of(one.urn)!r} has it at {one.key[1]}, and no node id tells "
                    f"whether {held.key[1]} is another server. Delete it there by hand if it is, and run `pulumi "
                    f"state delete '{urn}'`"
                )
            if same is not False:
                return one
        return None

    def _connection(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        return resolve(self.configured, properties)

    def _connection_of_state(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """The connection of a state, with the password and authority that this run has for the same user there.

        Those of a resource that is no longer declared are outdated when the same run changed them.
        """
        known = self._connection(state)
        for one in self.run.desired_at(self._server(state)):
            new = self._connection(one.inputs)
            if new["username"] == known["username"] and not has_unknown(new):
                return {**known, **{key: new[key] for key in ("password", "ca") if key in new}}
        return known

    def _missing(self, olds: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
        """The error for an object to update that the server does not have."""
        if self.run.is_at(self._server(olds), self._server(inputs)):
            return "no longer exists on the server. Run `pulumi up --refresh`, which creates it again"
        old, new = self._connection(olds)["url"], self._connection(inputs)["url"]
        return (
            f"does not exist at {new}, and no node id tells whether that is the server of {old}. To create it, "
            f"run `pulumi state delete '{engine.urn()}'` and `pulumi up`. The one at {old} is not managed then"
        )

    def _note_move(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> None:
        """Record that the program has another address for the server than the state."""
        old, new = self._server(olds), self._server(news)
        if "" not in (old, new) and old != new:
            ask = partial(same_node, self._connection(olds), self._connection(news))
            self.run.move(old, new, Move(self._connection(news), ask))
