"""The choice of steps for what a program registers, made as the real engine makes it, and their execution."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from ..command import RemoteCommand
from ..values import SECRET, UNKNOWN, Props, UserError, is_secret, same, secret
from .aliases import Aliases
from .dynamic import DynamicProvider
from .report import Report
from .state import Resource, State
from .urn import STACK

PARALLEL = 16
Providers = Callable[[str], DynamicProvider | RemoteCommand]
Step = tuple[str, Resource, Resource]  # operation, former resource and new resource


class Deployment:
    """One run over one stack. Steps are chosen one at a time and executed in parallel."""

    def __init__(
        self, state: State, provider: Providers, report: Report, replace: list[str], targets: list[str]
    ) -> None:
        self.state, self.report, self.targets = state, report, set(targets)
        self._provider, self._replace = provider, set(replace)
        self._planning, self._previous = threading.Lock(), list(state.olds)
        self._seen, self._deleted, self._aliases = set[str](), set[Resource](), Aliases()
        self.skipped = set[str]()
        """Names of new resources that are not targets."""
        self.exported: Props = {}
        """The former outputs of the stack, which are kept beside the new ones if the run fails."""
        if unknown := self._replace - {old.urn for old in self._previous}:
            raise UserError(_no_target(min(unknown)))

    def register(self, goal: Resource, delete_first: bool | None, aliases: Iterable[Any] = ()) -> Resource:
        """Create, update or keep one resource; returns what the program gets, which may be the former one."""
        with self._planning, self._blaming(goal):
            if goal.urn in self._seen:
                raise UserError(f"Duplicate resource URN '{goal.urn}'; try giving it a unique name")
            olds = {it.urn: it for it in reversed(self._previous) if not it.delete}
            old = self._aliases.find(goal, aliases, olds, self._seen)
            if self.targets and goal.urn not in self.targets and goal.type != STACK:
                chain = self._leave(goal, old)
            else:
                chain = self._plan(goal, old, delete_first)
            self._require_created(chain)
        for step in chain:
            self.execute(step)
        return chain[-1][2]

    def _leave(self, goal: Resource, old: Resource | None) -> list[Step]:
        """Keep a resource that is not a target as it was, after those that it depends on."""
        self._seen.add(goal.urn)
        if not old:
            self.skipped.add(goal.urn)
            goal.inputs = {}
            return [("skip", goal, goal)]
        self._seen.add(old.urn)
        needed = [it for it in self._previous if it.urn in {old.parent, *old.needs} and not it.delete]
        before = [step for it in needed if not self._operated(it.urn) for step in self._leave(it, it)]
        return [*before, ("same", old, old)]

    def _require_created(self, chain: list[Step]) -> None:
        for op, _, goal in chain:
            if (self.targets or self._replace) and op != "skip" and not op.startswith("delete"):
                for urn in self.skipped & {goal.parent, *goal.needs}:
                    raise UserError(
                        f"Resource '{goal.urn}' depends on '{urn}' which was was not specified in --target list."
                    )

    def _operated(self, urn: str) -> bool:
        """Whether the program has registered it, also under another name."""
        return self._aliases.now.get(urn, urn) in self._seen

    def _plan(self, goal: Resource, old: Resource | None, delete_first: bool | None) -> list[Step]:
        asked = goal.inputs
        again = bool(old) and old in self._deleted and not goal.alias
        forced = goal.urn in self._replace
        before = old.inputs if old and not again and not forced else {}
        seed = os.urandom(32)
        self._check(goal, before, _ignoring(goal, asked, before) if before else asked, seed)
        if wrong := self._aliases.claimed.get(goal.urn):
            raise UserError(wrong)
        self._seen.add(goal.urn)
        if not old:
            return [("create", goal, goal)]
        replacement = [("replace", old, goal), ("create-replacement", old, goal)]
        if again:  # it was deleted because a resource that it depends on was replaced
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
        for it in doomed:
            if it is not old and it.protect:
                raise UserError(f'unable to replace "{it.urn}" as part of replacing "{old.urn}": protected')
        self._deleted.update(doomed)
        return [*(("delete-replaced", it, it) for it in doomed), *replacement]

    def _check(self, goal: Resource, olds: Props, news: Props, seed: bytes) -> None:
        provider = self._provider(goal.type) if goal.custom else None
        if not self.report.preview:  # outputs of a resource that was skipped
            news = {key: value for key, value in news.items() if value != UNKNOWN}
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
        """The dependents to delete before ``root``: those that would be replaced if its outputs were unknown."""
        reached, doomed = {root.urn}, {root.urn: root}
        for it in self._previous[self._previous.index(root) + 1 :]:
            if it.urn in self._seen or it in self._deleted or not it.needs & reached:
                continue
            reached.add(it.urn)
            lost = {key: UNKNOWN for key, urns in it.property_dependencies.items() if doomed.keys() & set(urns)}
            if lost and it.custom and self._diff(it.urn, it, it.inputs | lost)[1]:
                doomed[it.urn] = it
        return list(doomed.values())[1:]

    def execute(self, step: Step) -> None:
        """Execute one step and record its result."""
        (op, old, goal), kind = step, step[0].partition("-")[0]
        if op == "skip":
            with self.report.step("same", goal):
                return
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
        """Delete replaced and unregistered resources, each before those that it depends on."""
        rest: dict[Resource, str] = {}
        needs: dict[Resource, set[Resource]] = {}
        allowed = self._deletable()
        for old in self._previous:
            needs[old] = {it for it in needs if it.urn == old.parent or it.urn in old.needs}
            if allowed is not None and old.urn not in allowed:
                continue
            if old.delete:
                rest |= {old: "delete-replaced"} if old not in self._deleted else {}
            elif not self._operated(old.urn):
                rest[old] = "remove-pending-replace" if old.pending_replacement else "delete"
        if self.targets and (others := [old for old in rest if old.urn not in self.targets]):
            for old in others:
                self.report.fail(
                    f"Resource '{old.urn}' will be destroyed but was not specified in --target list.\n"
                    "Either include resource in --target list or pass --target-dependents to proceed.",
                    old.urn,
                )
            return
        for old in self._previous:
            if allowed is not None and not (old in rest or self._operated(old.urn)):
                self.execute(("same", old, old))
        protected = [old for old, op in rest.items() if op == "delete" and old.protect]
        kept = list(protected)
        for old in kept:  # the set grows: what a protected resource depends on stays too
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

    def _deletable(self) -> set[str] | None:
        """What may be deleted with targets: the targets, their dependents and their children."""
        if not self.targets:
            return None
        reached = set(self.targets)
        for it in self._previous:
            if {it.parent, *it.needs} & reached:
                reached.add(it.urn)
        roots = [it for it in self._previous if it.urn in reached]
        return reached.union(*({it.urn for it in self._dependents(root)} for root in roots))

    def missing_targets(self) -> list[str]:
        """The error for targets that are neither in the state nor in the program."""
        missing = self.targets - self._seen - {old.urn for old in self._previous}
        return [_no_target(urn) for urn in sorted(missing)]

    def refresh(self) -> None:
        """Read every resource from its provider; one that no longer exists leaves the state."""
        if missing := self.missing_targets():
            raise UserError(missing[0])
        with ThreadPoolExecutor(PARALLEL) as pool:
            asked = [it for it in self._previous if not self.targets or it.urn in self.targets]
            self.report.done += pool.map(self._refresh, asked)
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
        """Report the failure of a resource, and begin no further step."""
        if self.report.failed:
            raise UserError("stopped, because something else failed")
        try:
            yield
        except UserError as error:
            self.report.fail(str(error), resource.urn)
            raise


def _no_target(urn: str) -> str:
    hint = "" if "$" in urn else " Did you forget to escape $ in your shell?"
    return f"Target '{urn}' could not be found in the stack.{hint}"


def _mark(resource: Resource) -> None:
    """Mark the outputs that are secret because the program, or the input of the same name, says so."""
    for key, value in resource.outputs.items():
        if key in resource.additional_secret_outputs or is_secret(resource.inputs.get(key)):
            resource.outputs[key] = secret(value)


def _ignoring(resource: Resource, news: Props, olds: Props) -> Props:
    """The new inputs, with the ignored ones as they were."""
    kept = {key: olds[key] for key in resource.ignore_changes if key in olds}
    return {key: value for key, value in news.items() if key not in resource.ignore_changes} | kept
