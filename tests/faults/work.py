"""An operation on one or several subjects, prepared so that it can be repeated from the same beginning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from sandbox.faults.catalogue import Answer, Fault
from sandbox.faults.proxy import answer_of

from ..contract.tracked import Tracked
from .stage import Stage
from .subjects import Subject


@dataclass
class Work:
    """What an operation begins with, what it asks undisturbed, and what the server has before and after."""

    subject: Subject
    operation: str
    state: Tracked
    begins: dict[str, Any]
    ends: dict[str, Any]
    asks: list[str]
    answers: list[Answer]

    def act(self, tracked: Tracked) -> str | None:
        """The operation, as the engine does it."""
        if self.operation == "read":
            return tracked.refresh()
        if self.operation == "delete":
            tracked.destroy()
            return None
        return tracked.up(**{**self.subject.first, **(self.subject.edit if self.operation == "update" else {})})

    @property
    def expected(self) -> tuple[set[Any], set[Any]]:
        """What it says the first time, and when there is nothing left to do."""
        said = {"create": "create", "update": "update", "read": "same", "delete": None}[self.operation]
        return {said}, {"same"}

    @property
    def main(self) -> int:
        """The request that matters most: the last that changes something, or the last."""
        changing = [number for number, asked in enumerate(self.asks, 1) if not asked.startswith("GET")]
        return (changing or [len(self.asks)])[-1]

    def moments(self, fault: Fault, *, every: bool) -> list[int]:
        """The requests, by number, at which the fault makes a difference: the main one, or every one."""
        if fault.writes or (fault.edit and fault.times > 1):
            return [1]
        if fault.edit is None:
            numbers = list(range(1, len(self.asks) + 1)) if every else [self.main]
        else:
            able = [number for number, answer in enumerate(self.answers, 1) if answer_of(answer, fault) != answer]
            numbers = able if every or self.main not in able else [self.main]
            numbers = numbers if every else numbers[:1]
        return numbers

    def pattern(self) -> tuple[str, str]:
        """Method and path of that request, for the proxy."""
        method, path = self.asks[self.main - 1].split(" ", 1)
        return method, re.escape(urlsplit(path).path)

    def restore(self, stage: Stage) -> None:
        """By hand, what was there before the operation."""
        if self.operation == "create":
            self.subject.unmake(stage.api)
        elif self.operation == "update":
            self.subject.remake(stage.api)
        elif self.operation == "delete":
            self.subject.unmake(stage.api)
            Tracked(self.subject.provider(), stage.connection).up(**self.subject.first)


def asked(stage: Stage) -> tuple[list[str], list[Answer]]:
    """What has come through the proxy, and the answers."""
    seen = stage.proxy.seen
    return [f"{one.method} {one.path}" for one in seen], [one.answer or Answer(502) for one in seen]


def prepare(stage: Stage, subjects: Sequence[Subject], operation: str) -> list[Work]:
    """Let the operation happen undisturbed to all of them, note what it asked and left, and undo it by hand."""
    stage.proxy.settle()
    works = []
    for subject in subjects:
        subject.unmake(stage.api)
        tracked = Tracked(subject.provider(), stage.connection)
        if operation != "create":
            tracked.up(**subject.first)
        works.append(Work(subject, operation, tracked, {}, {}, [], []))
    begins = stage.snapshot()
    for work in works:
        stage.proxy.settle()
        assert work.act(replace(work.state)) in work.expected[0]
        work.asks, work.answers = asked(stage)
    ends = stage.snapshot()
    for work in works:
        work.begins, work.ends = begins, ends
        work.restore(stage)
    assert stage.snapshot() == begins, "what was done by hand does not lead back"
    return works
