"""Which resource of the state a registration is, when the program names an earlier URN of it."""

from collections.abc import Iterable
from typing import Any

from .state import Resource
from .urn import qualified, start, urn_of


class Aliases:
    """The aliases that this run has met."""

    def __init__(self) -> None:
        self.now = dict[str, str]()
        """The URN that the program gives to a resource, by the URN that the state has."""
        self._before = dict[str, str]()
        self.claimed = dict[str, str]()
        """What is wrong with a registration, by its URN: another one claims the same resource."""

    def find(
        self, goal: Resource, specs: Iterable[Any], olds: dict[str, Resource], seen: set[str]
    ) -> Resource | None:
        """The resource in the state, by its URN or by an alias; what two claim is noted."""
        if goal.urn in self.now:
            self.claimed[goal.urn] = (
                f"Duplicate resource URN '{goal.urn}' conflicting with alias on resource with URN "
                f"'{self.now[goal.urn]}'"
            )
        for urn in (goal.urn, *self._urns(goal, list(specs))):
            if old := olds.get(urn):
                break
        else:
            return None
        if urn != goal.urn:
            if other := goal.urn if urn in seen else self.now.get(urn):
                self.claimed[goal.urn] = (
                    f"Duplicate resource alias '{urn}' applied to resource with URN '{goal.urn}' conflicting with "
                    f"resource with URN '{other}'"
                )
            self.now[urn], self._before[goal.urn], goal.alias = goal.urn, urn, urn
        return old

    def _urns(self, goal: Resource, specs: list[Any]) -> Iterable[str]:
        """Every earlier URN that the program names, and those that follow from an earlier URN of the parent."""
        named = [self._urn(goal, spec) for spec in specs]
        yield from named
        if before := self._before.get(goal.parent):
            for urn in (goal.urn, *named):
                kind, name = qualified(urn).rpartition("$")[2], urn.rpartition("::")[2]
                parent = goal.parent.rpartition("::")[2]
                if name.startswith(parent):
                    name = before.rpartition("::")[2] + name.removeprefix(parent)
                yield urn_of(start(goal.urn), before, kind, name)

    def _urn(self, goal: Resource, alias: Any) -> str:
        if not alias.HasField("spec"):
            return str(alias.urn)
        spec, (_, _, stack, *_), project = alias.spec, goal.urn.split(":"), goal.urn.split("::")[1]
        parent = self._before.get(spec.parentUrn, spec.parentUrn) if spec.parentUrn else goal.parent
        begin = f"urn:pulumi:{spec.stack or stack}::{spec.project or project}::"
        return urn_of(begin, "" if spec.noParent else parent, spec.type or goal.type, spec.name or goal.name)
