"""The choice of steps for what a program registers, made as the real engine makes it, and their execution."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from ..command import RemoteCommand
from ..values import SECRET, UNKNOWN, Props, UserError, is_secret, same, secret
from .dynamic import DynamicProvider
from .report import Report
from .state import Resource, State

STACK = "pulumi:pulumi:Stack"
PARALLEL = 16
Providers = Callable[[str], DynamicProvider | RemoteCommand]
Step = tuple[str, Resource, Resource]  # an operation, what was there, and what there shall be


class Deployment:
    """One run over one stack. Steps are chosen one at a time and carried out side by side."""

    def __init__(self, state: State, provider: Providers, report: Report, replace: list[str]) -> None:
        self.state, self.report = state, report
        self._provider, self._replace = provider, set(replace)
        self._planning, self._previous = threading.Lock(), list(state.olds)
        self._seen, self._deleted = set[str](), set[Resource]()
        if unknown := self._replace - {old.urn for old in self._previous}:
            raise UserError(f"no resource named '{min(unknown)}' found")

    def register(self, goal: Resource, delete_first: bool | None, aliases: list[str] | None = None) -> None:
        """Bring one resource to its goal; ``aliases`` are URNs that it may have had before."""
        with self._planning, self._blaming(goal):
            chain = self._plan(goal, delete_first, aliases or [])
        for step in chain:
            self.execute(step)

    def _plan(self, goal: Resource, delete_first: bool | None, aliases: list[str]) -> list[Step]:
        if goal.urn in self._seen:
            raise UserError(f"Duplicate resource URN '{goal.urn}'; try giving it a unique name")
        asked, old = goal.inputs, self._old([goal.urn, *aliases])
        again, forced = old in self._deleted, goal.urn in self._replace
        before = old.inputs if old and not again and not forced else {}
        seed = os.urandom(32)
        self._check(goal, before, _ignoring(goal, asked, before) if before else asked, seed)
        self._seen |= {goal.urn, old.urn if old else goal.urn}
        if not old:
            return [("create", goal, goal)]
        replacement = [("replace", old, goal), ("create-replacement", old, goal)]
        if again:  # it had to go because of what it depends on
            return replacement
        changed, replaced, first = (True, True, False) if forced else self._diff(goal.urn, old, goal.inputs)
        if not (changed and replaced) and not old.pending_replacement:
            return [("update" if changed else "same", old, goal)]
        if goal.protect and old.protect:
            raise UserError(f'unable to replace resource "{goal.urn}"\nas it is currently marked for protection')
        if not forced:
            self._check(goal, {}, asked, seed)
        if not (first if delete_first is None else delete_first):
            return replacement[::-1]
        doomed = [*reversed(self._dependents(old)), *[old] * (not old.pending_replacement)]
        self._deleted.update(doomed)
        return [*(("delete-replaced", it, it) for it in doomed), *replacement]

    def _old(self, urns: list[str]) -> Resource | None:
        """The resource of the state that has the first of these URNs for which there is one."""
        found = [it for urn in urns for it in self._previous if it.urn == urn and not it.delete]
        if found and found[0].urn in self._seen:
            raise UserError(f"Duplicate resource URN '{found[0].urn}' conflicting with alias on '{urns[0]}'")
        return found[0] if found else None

    def _check(self, goal: Resource, olds: Props, news: Props, seed: bytes) -> None:
        provider = self._provider(goal.type) if goal.custom else None
        goal.inputs, failures = provider.check(goal, olds, news, seed) if provider else (news, [])
        texts = []
        for key, reason in failures:
            value = "[secret]" if SECRET in str(goal.inputs.get(key)) else goal.inputs.get(key)
            what = f": property {key} value {{{value}}}" if key else ""
            texts.append(f"{goal.type} resource '{goal.name}'{what} has a problem: {reason}")
        if texts:
            raise UserError("\n".join(reversed(texts)))

    def _diff(self, urn: str, old: Resource, news: Props) -> tuple[bool, bool, bool]:
        diff = self._provider(old.type).diff(urn, old, news) if old.custom else (None, False, False)
        return (not same(_ignoring(old, news, old.inputs), old.inputs) if diff[0] is None else diff[0], *diff[1:])

    def _dependents(self, root: Resource) -> list[Resource]:
        """What must go before ``root`` can: whatever would be replaced if what it takes from it were unknown."""
        reached, doomed = {root.urn}, {root.urn: root}
        for it in self._previous[self._previous.index(root) + 1 :]:
            if it.urn in self._seen or it in self._deleted or not it.needs & reached:
                continue
            reached.add(it.urn)
            lost = {key: UNKNOWN for key, urns in it.property_dependencies.items() if doomed.keys() & set(urns)}
            if lost and it.custom and self._diff(it.urn, it, it.inputs | lost)[1]:
                doomed[it.urn] = it
                if it.protect:
                    raise UserError(f'unable to replace "{it.urn}" as part of replacing "{root.urn}": protected')
        return list(doomed.values())[1:]

    def execute(self, step: Step) -> None:
        """Carry one step out and write down what came of it."""
        (op, old, goal), kind = step, step[0].partition("-")[0]
        with self._blaming(goal), self.report.step(op, goal):
            if kind in ("same", "update"):
                goal.id, goal.outputs = old.id, old.outputs
            if goal.custom and kind in ("create", "update") and self.report.preview:
                goal.outputs = self._provider(goal.type).preview(goal)
            elif goal.custom and kind in ("create", "update", "delete") and not self.report.preview:
                self.state.pending[goal.urn] = op
                self.state.save()
                try:
                    self._provider(goal.type).apply(kind, old, goal)
                finally:
                    self.state.pending.pop(goal.urn)
            _mark(goal)
            self.state.commit(*step)

    def remove_rest(self) -> None:
        """Delete what was replaced and what nobody registered, each before what it depends on."""
        rest: dict[Resource, str] = {}
        needs: dict[Resource, set[Resource]] = {}
        for old in self._previous:
            needs[old] = {it for it in needs if it.urn == old.parent or it.urn in old.needs}
            if old.delete:
                rest[old] = "delete-replaced"
            elif old.urn not in self._seen:
                rest[old] = "remove-pending-replace" if old.pending_replacement else "delete"
        protected = [old for old, op in rest.items() if op == "delete" and old.protect]
        kept = list(protected)
        for old in kept:  # it grows: what a protected one depends on stays too
            kept += needs[old].difference(kept)
            rest.pop(old, None)
        layers: list[list[Step]] = []
        while rest:
            first = [old for old in rest if not rest.keys() & needs[old]]
            layers.append([(rest.pop(old), old, old) for old in first])
        with ThreadPoolExecutor(PARALLEL) as pool:
            for layer in reversed(layers):
                list(pool.map(self.execute, layer))
        for old in protected:
            self.report.fail(f'resource "{old.urn}" cannot be deleted\nbecause it is protected', old.urn)

    def refresh(self) -> None:
        """Ask the providers how things are; what is gone leaves the state."""
        with ThreadPoolExecutor(PARALLEL) as pool:
            self.report.done += pool.map(self._refresh, self._previous)
        self.state.pending, self._previous = {}, list(self.state.olds)

    def _refresh(self, old: Resource) -> str:
        before = old.inputs
        with self._blaming(old):
            if not old.custom or old.pending_replacement:
                return "same"
            if self._provider(old.type).read(old):
                _mark(old)
                return "update" if self._diff(old.urn, old, before)[0] else "same"
            self.state.olds.remove(old)
            return "delete"

    @contextmanager
    def _blaming(self, resource: Resource) -> Iterator[None]:
        """Report what goes wrong with a resource, and let nothing new begin after it."""
        if self.report.failed:
            raise UserError("stopped, because something else failed")
        try:
            yield
        except UserError as error:
            self.report.fail(str(error), resource.urn)
            raise


def _mark(resource: Resource) -> None:
    """Mark the outputs that are secret because the program, or the input of the same name, says so."""
    for key, value in resource.outputs.items():
        if key in resource.additional_secret_outputs or is_secret(resource.inputs.get(key)):
            resource.outputs[key] = secret(value)


def _ignoring(resource: Resource, news: Props, olds: Props) -> Props:
    """The new inputs, with the ignored ones as they were."""
    kept = {key: olds[key] for key in resource.ignore_changes if key in olds}
    return {key: value for key, value in news.items() if key not in resource.ignore_changes} | kept
