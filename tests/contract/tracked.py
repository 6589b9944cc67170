"""What drives a provider as the engine does: one resource with what its state would hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nexus_registry.providers.client import Connection
from nexus_registry.providers.crud import NexusProvider


def over_the_wire(value: Any) -> Any:
    """What the engine's wire makes of values: every number is a float, what is None at the top is not there."""
    if isinstance(value, dict):
        return {key: over_the_wire(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [over_the_wire(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@dataclass
class Tracked:
    """One resource as the engine would keep it: its provider, id, inputs and outputs."""

    provider: NexusProvider
    connection: Connection
    id: str = ""
    inputs: dict[str, Any] | None = None
    outs: dict[str, Any] | None = None

    def up(self, **desired: Any) -> str:
        """One ``up`` with these inputs; says what was done."""
        news = over_the_wire({"connection": self.connection, **desired})
        result = self.provider.check(self.inputs or {}, news)
        assert not result.failures, [(one.property, one.reason) for one in result.failures]
        result.inputs = over_the_wire(result.inputs)
        if self.outs is None:
            created = self.provider.create(result.inputs)
            self.id, self.outs, done = created.id, created.outs, "create"
        else:
            diff = self.provider.diff(self.id, self.outs, result.inputs)
            if not diff.changes:
                return "same"
            if diff.replaces:
                self.provider.delete(self.id, self.outs)
                inputs = over_the_wire(self.provider.check({}, news).inputs)
                created = self.provider.create(inputs)
                self.id, self.outs, self.inputs = created.id, created.outs, inputs
                return "replace"
            self.outs, done = self.provider.update(self.id, self.outs, result.inputs).outs, "update"
        self.inputs = result.inputs
        return done

    def refresh(self) -> str:
        """One ``refresh``; says whether the object is as the state has it."""
        assert self.outs is not None
        read = self.provider.read(self.id, self.outs)
        if not read.id:
            self.id, self.inputs, self.outs = "", None, None
            return "gone"
        assert read.inputs is not None
        before, self.outs, self.inputs = self.outs, over_the_wire(read.outs), over_the_wire(read.inputs)
        return "same" if over_the_wire(before) == self.outs else "drift"

    def destroy(self) -> None:
        if self.outs is not None:
            self.provider.delete(self.id, self.outs)
            self.outs = self.inputs = None
