"""The choice of steps for what a program registers, made as the real engine makes it, and their execution."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from .dynamic import Diff, DynamicProvider
from .report import Report
from .ssh import RemoteCommand
from .state import Resource, State
from .values import SECRET, UNKNOWN, EngineError, Props, is_secret, same, secret

PARALLEL = 16
PENDING = {"create": "creating", "update": "updating", "delete": "deleting"}

Provider = DynamicProvider | RemoteCommand


class StoppedError(Exception):
    """Something failed before, and was reported; nothing new is begun."""


class Step(NamedTuple):
    """One operation: ``old`` is what was there, ``goal`` what there shall be."""

    op: str
    old: Resource | None = None
    goal: Resource | None = None


class Deployment:
    """One run over one stack. Steps are chosen one at a time and carried out side by side."""

    def __init__(
        self,
        state: State,
        provider: Callable[[Resource], Provider | None],
        report: Report,
        replace: Iterable[str] = (),
    ) -> None:
        self.state, self.report, self.failed = state, report, False
        self._provider, self._replace = provider, set(replace)
        self._planning, self._saving = threading.Lock(), threading.Lock()
        self._seen: set[str] = set()
        self._deleted: set[Resource] = set()
        self._previous = list(state.olds)
        if unknown := self._replace - {old.urn for old in self._previous}:
            raise EngineError(f"no resource named '{min(unknown)}' found")

    def register(self, goal: Resource, delete_before_replace: bool | None) -> None:
        """Bring one resource to its goal."""
        with self._planning, self._blaming(goal.urn):
            chain = self._plan(goal, delete_before_replace)
        for step in chain:
            self.execute(step)

    def _plan(self, goal: Resource, delete_before_replace: bool | None) -> list[Step]:
        if goal.urn in self._seen:
            raise EngineError(f"Duplicate resource URN '{goal.urn}'; try giving it a unique name")
        old = next((one for one in self._previous if one.urn == goal.urn and not one.delete), None)
        asked, provider = goal.inputs, self._provider(goal)
        again, forced = old in self._deleted, goal.urn in self._replace
        if old and not again and not forced:
            goal.inputs = self._check(provider, goal, old.inputs, _ignoring(goal, asked, old.inputs))
        else:
            goal.inputs = self._check(provider, goal, {}, asked)
        self._seen.add(goal.urn)
        if not old:
            return [Step("create", None, goal)]
        if again:  # it had to go because of what it depends on
            return [Step("replace", old, goal), Step("create-replacement", old, goal)]
        diff = Diff(True, True) if forced else self._diff(provider, old, goal.inputs)
        if not (diff.changes and diff.replaces) and not old.pending_replacement:
            return [Step("update" if diff.changes else "same", old, goal)]
        if goal.protect and old.protect:
            raise EngineError(f'unable to replace resource "{goal.urn}"\nas it is currently marked for protection')
        if not forced:
            goal.inputs = self._check(provider, goal, {}, asked)
        if delete_before_replace is None:
            delete_before_replace = diff.delete_before_replace
        if not delete_before_replace:
            return [Step("create-replacement", old, goal), Step("replace", old, goal)]
        doomed = [*reversed(self._dependents(old)), *([] if old.pending_replacement else [old])]
        self._deleted.update(doomed)
        deletions = [Step("delete-replaced", one) for one in doomed]
        return [*deletions, Step("replace", old, goal), Step("create-replacement", old, goal)]

    def _check(self, provider: Provider | None, goal: Resource, olds: Props, news: Props) -> Props:
        inputs, failures = provider.check(olds, news) if provider else (news, [])
        for key, reason in failures:
            value = "[secret]" if SECRET in str(inputs.get(key)) else inputs.get(key)
            what = f"property {key} value {{{value}}}" if key else "resource"
            self.report.say(
                "error", f"{goal.type} resource '{goal.name}': {what} has a problem: {reason}", goal.urn
            )
        if failures:
            self.failed = True
            raise StoppedError
        return inputs

    def _diff(self, provider: Provider | None, old: Resource, news: Props) -> Diff:
        diff = provider.diff(old, news) if provider else Diff(None)
        if diff.changes is None:
            return diff._replace(changes=not same(_ignoring(old, news, old.inputs), old.inputs))
        return diff

    def _dependents(self, root: Resource) -> list[Resource]:
        """What must go before ``root`` can: whatever would be replaced if what it takes from there were unknown."""
        reached, doomed = {root.urn}, {root.urn: root}
        for one in self._previous[self._previous.index(root) + 1 :]:
            if one.urn in self._seen or one in self._deleted or not (one.needs - {one.parent}) & reached:
                continue
            reached.add(one.urn)
            lost = {key: UNKNOWN for key, urns in one.property_dependencies.items() if doomed.keys() & set(urns)}
            if lost and self._diff(self._provider(one), one, one.inputs | lost).replaces:
                doomed[one.urn] = one
                if one.protect:
                    raise EngineError(
                        f'unable to replace "{one.urn}" as part of replacing "{root.urn}": protected'
                    )
        return list(doomed.values())[1:]

    def execute(self, step: Step) -> None:
        """Carry one step out and write down what came of it."""
        resource, kind, done = step.goal or step.old, step.op.partition("-")[0], False
        assert resource
        with self._blaming(resource.urn), self.report.step(step.op, resource):
            if resource.custom and kind in PENDING:
                with self._saving:
                    self.state.pending[resource.urn] = PENDING[kind]
                    self.state.save()
            try:
                self._apply(kind, step.old, step.goal, self._provider(resource))
                done = True
            finally:
                with self._saving:
                    self.state.pending.pop(resource.urn, None)
                    if done:
                        self._commit(step)
                    if kind in PENDING:
                        self.state.save()

    def _apply(self, kind: str, old: Resource | None, goal: Resource | None, provider: Provider | None) -> None:
        if old and goal and kind in ("same", "update"):
            goal.id, goal.outputs = old.id, old.outputs
        if not provider or kind not in PENDING:
            return
        if goal and self.report.preview:
            goal.outputs = provider.preview(goal)
        elif goal and kind == "create":
            goal.id, goal.outputs = provider.create(goal)
        elif goal and old:
            goal.outputs = provider.update(old, goal)
        elif old and not self.report.preview:
            provider.delete(old)
        if goal:
            _mark(goal)

    def _commit(self, step: Step) -> None:
        if step.op == "replace":
            return
        if step.goal:
            self.state.done.append(step.goal)
        if step.op == "create-replacement" and step.old and not step.old.pending_replacement:
            step.old.delete = True
        elif step.op == "delete-replaced" and step.old and not step.old.delete:
            step.old.pending_replacement = True
        elif step.old:
            self.state.olds.remove(step.old)

    def remove_rest(self) -> None:
        """Delete what was replaced and what nobody registered, each before what it depends on."""
        rest = {}
        for old in self._previous:
            if old.delete:
                rest[old] = Step("delete-replaced", old)
            elif old.urn not in self._seen:
                rest[old] = Step("remove-pending-replace" if old.pending_replacement else "delete", old)
        needs = {one: [other for other in self._previous if other.urn in one.needs] for one in self._previous}
        kept = [old for old, step in rest.items() if step.op == "delete" and old.protect]
        for old in kept:
            self.failed = True
            self.report.say("error", f'resource "{old.urn}" cannot be deleted\nbecause it is protected', old.urn)
        for old in kept:  # it grows: what a protected one depends on stays too
            kept += [other for other in needs[old] if other not in kept]
            rest.pop(old, None)
        layers: list[list[Step]] = []
        while rest:
            first = [old for old in rest if not any(other in rest for other in needs[old])]
            layers.append([rest.pop(old) for old in first])
        protected, self.failed = self.failed, False
        with ThreadPoolExecutor(PARALLEL) as pool:
            for layer in reversed(layers):
                list(pool.map(self.execute, layer))
        self.failed = protected

    def refresh(self, *, count: bool) -> None:
        """Ask the providers how things are; what is gone leaves the state."""

        def one(old: Resource) -> None:
            provider, op, before = self._provider(old), "same", old.inputs
            with self._blaming(old.urn):
                if provider and not old.pending_replacement:
                    old_id, outputs, inputs = provider.read(old)
                    if old_id:
                        old.id, old.outputs, old.inputs = old_id, outputs, inputs
                        _mark(old)
                        op = "update" if self._diff(provider, old, before).changes else "same"
                    else:
                        self.state.olds.remove(old)
                        op = "delete"
                if count:
                    self.report.changes[op] += 1

        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(one, self._previous))
        self.state.pending = {}
        self.state.save()
        self._previous = list(self.state.olds)

    @contextmanager
    def _blaming(self, urn: str) -> Iterator[None]:
        """Report what goes wrong with a resource, and let nothing new begin after it."""
        if self.failed:
            raise StoppedError
        try:
            yield
        except EngineError as error:
            self.failed = True
            self.report.say("error", str(error), urn)
            raise StoppedError from None


def _mark(resource: Resource) -> None:
    """Mark the outputs that are secret because the program, or the input of the same name, says so."""
    for key, value in resource.outputs.items():
        if key in resource.additional_secret_outputs or is_secret(resource.inputs.get(key)):
            resource.outputs[key] = secret(value)


def _ignoring(resource: Resource, news: Props, olds: Props) -> Props:
    """The new inputs, with the ignored ones as they were."""
    kept = {key: olds[key] for key in resource.ignore_changes if key in olds}
    return {key: value for key, value in news.items() if key not in resource.ignore_changes} | kept
