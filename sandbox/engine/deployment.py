"""The choice of steps for what a program registers, as the real engine makes it, and their execution."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc

from .dynamic import Diff, Provider
from .report import Report
from .state import Resource, State
from .values import UNKNOWN, EngineError, Props, has_secret, is_secret, same, secret

PENDING = {"create": "creating", "update": "updating", "delete": "deleting"}


class StoppedError(Exception):
    """Something else failed before; there is nothing more to say."""


@dataclass
class Step:
    """One operation on one resource; ``old`` is what was there, ``goal`` what there shall be."""

    op: str
    old: Resource | None = None
    goal: Resource | None = None
    late: bool = False
    """Of a replacement: the new one is made first, the old one deleted at the end of the run."""


class Deployment:
    """One run over one stack. Steps are chosen one at a time and carried out side by side."""

    def __init__(
        self,
        state: State,
        provider: Callable[[Resource], Provider | None],
        report: Report,
        *,
        preview: bool,
        replace: Iterable[str],
        parallel: int,
    ) -> None:
        self.state, self.report = state, report
        self._provider, self._preview, self._parallel = provider, preview, parallel
        self._replace = set(replace)
        self._planning, self._saving, self._slots = threading.Lock(), threading.Lock(), threading.Semaphore(parallel)
        self._failed = False
        self._seen: set[str] = set()
        self._deleted: set[Resource] = set()
        self._previous: list[Resource] = []
        self.rebase()
        if unknown := self._replace - self._live.keys():
            raise EngineError(f"no resource named '{min(unknown)}' found")

    def rebase(self) -> None:
        """Take what the state holds now as that which the program is compared with."""
        self._previous = list(self.state.olds)
        self._live = {old.urn: old for old in self._previous if not old.delete}

    # What the program asks for

    def register(self, goal: Resource, delete_before_replace: bool | None) -> Resource:
        """Bring one resource to its goal, and return it as it is then."""
        with self._planning:
            self._go_on()
            with _Failing(self, goal.urn):
                chain = self._plan(goal, delete_before_replace)
        with self._slots:
            for step in chain:
                self.execute(step)
        return goal

    def _plan(self, goal: Resource, delete_before_replace: bool | None) -> list[Step]:
        if goal.urn in self._seen:
            raise EngineError(f"Duplicate resource URN '{goal.urn}'; try giving it a unique name")
        asked, old, provider = goal.inputs, self._live.get(goal.urn), self._provider(goal)
        again, forced = old in self._deleted, goal.urn in self._replace
        if old and not (again or forced):
            goal.inputs = self._check(provider, goal, old.inputs, _ignoring(goal, asked, old.inputs))
        else:
            goal.inputs = self._check(provider, goal, {}, asked)
        self._seen.add(goal.urn)
        if not old:
            return [Step("create", None, goal)]
        if again:
            return [Step("replace", old, goal), Step("create-replacement", old, goal)]
        diff = Diff(True, True) if forced else self._diff(provider, old, goal.inputs)
        if not (diff.replaces or old.pending_replacement):
            return [Step("update" if diff.changes else "same", old, goal)]
        if goal.protect and old.protect:
            raise EngineError(f"unable to replace resource \"{goal.urn}\"\nas it is currently marked for protection.")
        if not forced:
            goal.inputs = self._check(provider, goal, {}, asked)
        first = diff.delete_before_replace if delete_before_replace is None else delete_before_replace
        if not first:
            return [Step("create-replacement", old, goal, late=True), Step("replace", old, goal)]
        doomed = [*reversed(self._dependents(old)), *([] if old.pending_replacement else [old])]
        self._deleted.update(doomed)
        deletes = [Step("delete-replaced", one) for one in doomed]
        return [*deletes, Step("replace", old, goal), Step("create-replacement", old, goal)]

    def _check(self, provider: Provider | None, goal: Resource, olds: Props, news: Props) -> Props:
        if not provider:
            return news
        inputs, failures = provider.check(goal, olds, news)
        for name, reason in failures:
            value = f"property {name} value {{{_shown(inputs.get(name))}}} has a problem" if name else "has a problem"
            text = f"{goal.type} resource '{goal.name}'{':' if name else ''} {value}: {reason}"
            self.report.diagnose("error", text, goal.urn)
        if failures:
            self._failed = True
            raise StoppedError
        return inputs

    def _diff(self, provider: Provider | None, old: Resource, news: Props) -> Diff:
        diff = provider.diff(old, news) if provider else Diff(None)
        if diff.changes is not None:
            return diff
        return diff._replace(changes=not same(_ignoring(old, news, old.inputs), old.inputs))

    def _dependents(self, root: Resource) -> list[Resource]:
        """What must go before ``root`` can: whatever would be replaced if it knew nothing of ``root`` any more."""
        reached, doomed, found = {root.urn}, {root.urn}, []
        for one in self._previous[self._previous.index(root) + 1 :]:
            if one.urn in self._seen or one in self._deleted or not one.needs & reached:
                continue
            reached.add(one.urn)
            lost = {key for key, urns in one.property_dependencies.items() if doomed.intersection(urns)}
            provider = self._provider(one)
            if not (lost and provider):
                continue
            if self._diff(provider, one, one.inputs | dict.fromkeys(lost & one.inputs.keys(), UNKNOWN)).replaces:
                if one.protect:
                    raise EngineError(f'unable to replace resource "{one.urn}" as part of replacing "{root.urn}"')
                doomed.add(one.urn)
                found.append(one)
        return found

    # Carrying it out

    def execute(self, step: Step) -> None:
        """Carry one step out and write down what came of it."""
        self._go_on()
        resource = step.goal or step.old
        assert resource
        kind = step.op.partition("-")[0]
        with _Failing(self, resource.urn), self.report.step(step.op, resource):
            if not self._preview and resource.custom and kind in PENDING:
                with self._saving:
                    self.state.pending[resource.urn] = PENDING[kind]
                    self.state.save()
            done = False
            try:
                self._apply(step, kind, self._provider(resource))
                done = True
            finally:
                with self._saving:
                    self.state.pending.pop(resource.urn, None)
                    if done:
                        self._commit(step)
                    if kind in PENDING:
                        self.state.save()

    def _apply(self, step: Step, kind: str, provider: Provider | None) -> None:
        old, goal = step.old, step.goal
        if old and goal and kind in ("same", "update"):
            goal.id, goal.outputs = old.id, old.outputs
        if not provider or kind not in PENDING:
            return
        if goal and self._preview:
            goal.outputs = provider.preview(goal, old if kind == "update" else None)
        elif goal and kind == "create":
            goal.id, goal.outputs = provider.create(goal)
        elif goal and old:
            goal.outputs = provider.update(old, goal)
        elif old and not self._preview:
            provider.delete(old)
        if goal:
            _mark(goal)

    def _commit(self, step: Step) -> None:
        if step.op == "replace":
            return
        if step.goal:
            self.state.done.append(step.goal)
        if not step.old:
            return
        if step.late:
            step.old.delete = True
        elif step.op == "delete-replaced" and step.old in self._deleted:
            step.old.pending_replacement = True
        else:
            self.state.olds.remove(step.old)

    def remove_rest(self) -> None:
        """Delete what was replaced and what the program (or nobody, at a destroy) no longer asks for."""
        rest = {}
        for old in self._previous:
            if old.delete:
                rest[old] = Step("delete-replaced", old)
            elif old.urn not in self._seen:
                rest[old] = Step("remove-pending-replace" if old.pending_replacement else "delete", old)
        kept = [old for old, step in rest.items() if step.op == "delete" and old.protect]
        for old in kept:
            self.report.diagnose("error", f'resource "{old.urn}" cannot be deleted\nbecause it is protected.')
        for old in kept:
            kept += [other for other in self._needs(old) if other not in kept]
            rest.pop(old, None)
        layers: list[list[Step]] = []
        while rest:
            layer = [old for old in rest if not any(other in rest for other in self._needs(old))]
            layers.append([rest.pop(old) for old in layer])
        with ThreadPoolExecutor(self._parallel) as pool:
            for steps in reversed(layers):
                list(pool.map(self.execute, steps))

    def _needs(self, one: Resource) -> list[Resource]:
        before, found = self._previous[: self._previous.index(one)], []
        inside: set[str] = set()
        for other in before:
            component = other.urn in one.needs and not other.custom
            if component or other.parent in inside:
                inside.add(other.urn)
            if other.urn in one.needs or other.urn == one.parent or other.parent in inside:
                found.append(other)
        return found

    def refresh(self, *, count: bool) -> None:
        """Ask the providers how things are; what is gone leaves the state."""

        def one(old: Resource) -> None:
            provider = self._provider(old)
            if not provider or old.pending_replacement:
                return
            self._go_on()
            with _Failing(self, old.urn):
                before = old.inputs
                old_id, outputs, inputs = provider.read(old)
                op = "delete"
                if old_id:
                    old.id, old.outputs, old.inputs = old_id, outputs, before if inputs is None else inputs
                    _mark(old)
                    op = "update" if self._diff(provider, old, before).changes else "same"
                else:
                    self.state.olds.remove(old)
                if count:
                    with self.report.step(op, old):
                        pass

        with ThreadPoolExecutor(self._parallel) as pool:
            list(pool.map(one, list(self.state.olds)))
        left = {old.urn for old in self.state.olds}
        for old in self.state.olds:
            old.dependencies = [urn for urn in old.dependencies if urn in left]
            old.property_dependencies = {
                key: [urn for urn in urns if urn in left] for key, urns in old.property_dependencies.items()
            }
        self.state.save()
        self.rebase()

    # Failing

    def _go_on(self) -> None:
        if self._failed:
            raise StoppedError

    def fail(self, urn: str, text: str) -> None:
        """Say what went wrong; nothing new is begun after this."""
        self._failed = True
        self.report.diagnose("error", text, urn)


class _Failing:
    """Turns what goes wrong with one resource into an error of the run."""

    def __init__(self, deployment: Deployment, urn: str) -> None:
        self._deployment, self._urn = deployment, urn

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, grpc.RpcError):
            self._deployment.fail(self._urn, str(error.details()))  # type: ignore[attr-defined]
        elif isinstance(error, EngineError):
            self._deployment.fail(self._urn, str(error))
        else:
            return
        raise StoppedError from None


def _mark(resource: Resource) -> None:
    """Mark the outputs that the program, or an input of the same name, says are secret."""
    for key, value in resource.outputs.items():
        if key in resource.additional_secret_outputs or is_secret(resource.inputs.get(key)):
            resource.outputs[key] = secret(value)


def _ignoring(resource: Resource, news: Props, olds: Props) -> Props:
    """The new inputs, with the ignored ones as they were."""
    kept = {key: olds[key] for key in resource.ignore_changes if key in olds}
    return {key: value for key, value in news.items() if key not in resource.ignore_changes} | kept


def _shown(value: object) -> object:
    return "[secret]" if has_secret(value) else value
