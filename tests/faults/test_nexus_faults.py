"""Faults between provider and Nexus: nothing is lost, and the next run completes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider

from sandbox.faults.catalogue import NEXUS, Fault, without
from sandbox.faults.report import record
from sandbox.shell import free_port

from ..contract.docker_api import Registry
from ..contract.tracked import Tracked
from .conftest import FULL
from .faulty_server import FaultyServer, differences, run, run_with_fault, short_timeouts
from .operation import Operation, prepare, traffic
from .subjects import subjects

_PORT = free_port()
SUBJECTS = {one.title: one for one in subjects(_PORT)}
FAST = {"killed after": ("create",), "cut JSON": ("update",), "404 page": ("read", "delete")}
"""The faults of the fast part and the operations that meet them, at the one request that matters most."""
FAST_KINDS = ("Role", "User", "RealmActivation")
EVERY_MOMENT = ("killed after", "answer lost", "504 after", "404 page", "cut JSON", "field missing")
"""Faults that a provider handles, injected into each request in turn; the client handles the others."""
CELLS = [
    pytest.param(one.title, operation, fault, id=f"{one.title.split()[0]}-{operation}-{fault}")
    for one in SUBJECTS.values()
    for operation in one.operations
    for fault in (*NEXUS, "field missing")
    if (FULL or (one.title in FAST_KINDS and operation in FAST.get(fault, ())))
    and (fault != "field missing" or one.fields)
    and not (fault == "read-only" and operation == "read")
]


@pytest.fixture(scope="module")
def prepared(faulty: FaultyServer) -> Iterator[dict[tuple[str, str], Operation]]:
    known: dict[tuple[str, str], Operation] = {}
    yield known
    for one in SUBJECTS.values():
        one.remove(faulty.api)


@pytest.fixture
def before(
    faulty: FaultyServer, prepared: dict[tuple[str, str], Operation], title: str, operation: str
) -> Operation:
    """The operation, prepared: when it is another subject's than the last, that one is gone."""
    if (title, operation) not in prepared:
        for one in {key[0] for key in prepared}:
            SUBJECTS[one].remove(faulty.api)
        faulty.logins[1:] = SUBJECTS[title].logins
        prepared[title, operation] = prepare(faulty, [SUBJECTS[title]], operation)[0]
    return prepared[title, operation]


@pytest.mark.parametrize(("title", "operation", "fault"), CELLS)
def test_next_run_completes_and_nothing_is_lost(
    faulty: FaultyServer, before: Operation, title: str, operation: str, fault: str
) -> None:
    wrong = []
    faults = [missing(key) for key in before.subject.fields] if fault == "field missing" else [NEXUS[fault]]
    moments = [(nth, one) for one in faults for nth in before.moments(one, every=FULL and fault in EVERY_MOMENT)]
    assert faulty.snapshot() == before.before
    for nth, one in moments:
        expected, secrets = before.expected, before.subject.secrets
        outcome = run_with_fault(faulty, before.state, before.perform, expected, before.after, one, nth, secrets)
        before.restore(faulty)
        if not outcome.happened and one.times > 1:
            continue  # there is no object in any answer
        record(
            lane="nexus",
            subject=title,
            operation=operation,
            fault=fault,
            first=outcome.first.said,
            second=outcome.second.said,
            lost=outcome.lost,
            seconds=outcome.first.seconds,
            sentence=f"{before.requests[nth - 1]}: {outcome.first.sentence}",
        )
        assert outcome.happened
        if outcome.lost:
            wrong.append(f"{one.what}, at {before.requests[nth - 1]}: {outcome.lost}")
    assert not wrong, "\n".join(wrong)
    answers = zip(before.requests, before.responses, strict=True)
    nothing_is_read = not any(request.startswith("GET") and answer.body for request, answer in answers)
    assert moments or (fault == "field missing" and nothing_is_read)
    assert faulty.snapshot() == before.before


@pytest.mark.parametrize("fault", [name for name in NEXUS if FULL or name == "404 page"])
def test_repository_with_image_is_never_deleted(faulty: FaultyServer, holding: Operation, fault: str) -> None:
    for nth in range(1, len(holding.requests) + 1):
        faulty.proxy.inject(NEXUS[fault], nth=nth)
        with short_timeouts():
            first = run(lambda: holding.perform(replace(holding.state)), set(), ())
        happened = faulty.proxy.hits
        faulty.proxy.clear_and_wait()
        second = run(lambda: holding.perform(replace(holding.state)), set(), ())
        lost = first.wrong or second.wrong or differences(holding.before, faulty.snapshot())
        assert "holds components" in second.sentence
        assert not lost
        if happened:
            record(
                lane="nexus",
                subject=holding.subject.title,
                operation="delete of a repository that holds an image, without force_destroy",
                fault=fault,
                first=f"image kept ({first.said})",
                second=f"image kept ({second.said})",
                sentence=first.sentence,
            )


@pytest.fixture(scope="module")
def holding(faulty: FaultyServer) -> Iterator[Operation]:
    """The deletion of a repository with an image in it, which is refused."""
    (subject,) = (one for one in SUBJECTS.values() if one.provider is DockerHostedRepositoryProvider)
    subject.remove(faulty.api)
    SUBJECTS["Eula ᵖ"].reset(faulty.api)  # without it the registry takes nothing
    tracked = Tracked(subject.provider(), faulty.connection)
    tracked.up(**subject.first)
    pushed = Registry(f"http://127.0.0.1:{_PORT}", auth=faulty.api.auth).push("kept", "1")
    assert pushed.status_code == 201, pushed.text
    before = faulty.snapshot()
    assert before["components"]["f-images"] == [("kept", "1")]
    faulty.proxy.clear_and_wait()
    with pytest.raises(Refused, match="holds components"):
        replace(tracked).destroy()
    yield Operation(subject, "delete", tracked, before, before, *traffic(faulty))
    subject.remove(faulty.api)


def missing(key: str) -> Fault:
    """The answer to one request lacks a field."""
    return Fault(f"{key!r} is missing from the answer", edit=without(key))
