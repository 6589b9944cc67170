"""An operation on one or several subjects, prepared so that it can be repeated from the same beginning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from sandbox.faults.catalogue import Fault, Response
from sandbox.faults.proxy import edited_response

from ..contract.tracked import Tracked
from .faulty_server import FaultyServer, new_process
from .subjects import Subject


@dataclass
class Operation:
    """What an operation begins with, what it asks undisturbed, and what the server has before and after."""

    subject: Subject
    operation: str
    state: Tracked
    before: dict[str, Any]
    after: dict[str, Any]
    requests: list[str]
    responses: list[Response]

    def perform(self, tracked: Tracked) -> str | None:
        """The operation, as the engine does it."""
        if self.operation == "read":
            return tracked.refresh()
        if self.operation == "delete":
            tracked.destroy()
            return None
        return tracked.up(**{**self.subject.first, **(self.subject.edit if self.operation == "update" else {})})

    @property
    def expected(self) -> tuple[set[Any], set[Any]]:
        """Its result the first time, and when there is nothing to do."""
        said = {"create": "create", "update": "update", "read": "same", "delete": None}[self.operation]
        return {said}, {"same"}

    @property
    def main(self) -> int:
        """The request that matters most: the last that changes something, or the last."""
        changing = [number for number, traffic in enumerate(self.requests, 1) if not traffic.startswith("GET")]
        return (changing or [len(self.requests)])[-1]

    def moments(self, fault: Fault, *, every: bool) -> list[int]:
        """The requests, by number, at which the fault makes a difference: the main one, or every one."""
        if fault.writes or (fault.edit and fault.times > 1):
            return [1]
        if fault.edit is None:
            numbers = list(range(1, len(self.requests) + 1)) if every else [self.main]
        else:
            able = [
                number
                for number, answer in enumerate(self.responses, 1)
                if edited_response(answer, fault) != answer
            ]
            numbers = able if every or self.main not in able else [self.main]
            numbers = numbers if every else numbers[:1]
        return numbers

    def pattern(self) -> tuple[str, str]:
        """Method and path of that request, for the proxy."""
        method, path = self.requests[self.main - 1].split(" ", 1)
        return method, re.escape(urlsplit(path).path)

    def restore(self, faulty: FaultyServer) -> None:
        """Create by hand the objects that exist before the operation."""
        if self.operation == "create":
            self.subject.remove(faulty.api)
        elif self.operation == "update":
            self.subject.reset(faulty.api)
        elif self.operation == "delete":
            self.subject.remove(faulty.api)
            Tracked(self.subject.provider(), faulty.connection).up(**self.subject.first)


def traffic(faulty: FaultyServer) -> tuple[list[str], list[Response]]:
    """The requests through the proxy, and their responses."""
    seen = faulty.proxy.seen
    return [f"{one.method} {one.path}" for one in seen], [one.answer or Response(502) for one in seen]


def prepare(faulty: FaultyServer, subjects: Sequence[Subject], operation: str) -> list[Operation]:
    """Run the operation without faults, record its requests and result, and undo it by hand."""
    faulty.proxy.clear_and_wait()
    operations = []
    for subject in subjects:
        subject.remove(faulty.api)
        tracked = Tracked(subject.provider(), faulty.connection)
        if operation != "create":
            tracked.up(**subject.first)
        operations.append(Operation(subject, operation, tracked, {}, {}, [], []))
    before = faulty.snapshot()
    for operation_ in operations:
        faulty.proxy.clear_and_wait()
        new_process()
        assert operation_.perform(replace(operation_.state)) in operation_.expected[0]
        operation_.requests, operation_.responses = traffic(faulty)
    after = faulty.snapshot()
    for operation_ in operations:
        operation_.before, operation_.after = before, after
        operation_.restore(faulty)
    assert faulty.snapshot() == before, "what was done by hand does not lead back"
    return operations
