"""Between provider and Nexus: whatever one request meets, nothing is lost and the next run ends the work."""

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
from .stage import Stage, differences, hurried, run, struck
from .subjects import subjects
from .work import Work, asked, prepare

_PORT = free_port()
SUBJECTS = {one.title: one for one in subjects(_PORT)}
FAST = {"killed after": ("create",), "cut JSON": ("update",), "404 page": ("read", "delete")}
"""The faults of the fast part and the operations they strike, at the one request that matters most."""
FAST_KINDS = ("Role", "User", "RealmActivation")
EVERY_MOMENT = ("killed after", "answer lost", "504 after", "404 page", "cut JSON", "field missing")
"""From these a provider concludes something, so they happen to each request in turn; the rest is the client's."""
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
def quick() -> Iterator[None]:
    with hurried():
        yield


@pytest.fixture(scope="module")
def prepared(stage: Stage, quick: None) -> Iterator[dict[tuple[str, str], Work]]:
    known: dict[tuple[str, str], Work] = {}
    yield known
    for one in SUBJECTS.values():
        one.unmake(stage.api)


@pytest.fixture
def before(stage: Stage, prepared: dict[tuple[str, str], Work], title: str, operation: str) -> Work:
    """The operation, prepared: when it is another subject's than the last, that one is gone."""
    if (title, operation) not in prepared:
        for one in {key[0] for key in prepared}:
            SUBJECTS[one].unmake(stage.api)
        stage.logins[1:] = SUBJECTS[title].logins
        prepared[title, operation] = prepare(stage, [SUBJECTS[title]], operation)[0]
    return prepared[title, operation]


@pytest.mark.parametrize(("title", "operation", "fault"), CELLS)
def test_next_run_completes_and_nothing_is_lost(
    stage: Stage, before: Work, title: str, operation: str, fault: str
) -> None:
    """Nothing is lost and the next run ends the work."""
    wrong = []
    faults = [missing(key) for key in before.subject.fields] if fault == "field missing" else [NEXUS[fault]]
    moments = [(nth, one) for one in faults for nth in before.moments(one, every=FULL and fault in EVERY_MOMENT)]
    assert stage.snapshot() == before.begins
    for nth, one in moments:
        expected, secrets = before.expected, before.subject.secrets
        outcome = struck(stage, before.state, before.act, expected, before.ends, one, nth, secrets)
        before.restore(stage)
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
            sentence=f"{before.asks[nth - 1]}: {outcome.first.sentence}",
        )
        assert outcome.happened
        if outcome.lost:
            wrong.append(f"{one.what}, at {before.asks[nth - 1]}: {outcome.lost}")
    assert not wrong, "\n".join(wrong)
    assert moments
    assert stage.snapshot() == before.begins


@pytest.mark.parametrize("fault", [name for name in NEXUS if FULL or name == "404 page"])
def test_repository_with_image_is_never_deleted(stage: Stage, holding: Work, fault: str) -> None:
    """A repository that holds an image is never deleted."""
    for nth in range(1, len(holding.asks) + 1):
        stage.proxy.inject(NEXUS[fault], nth=nth)
        first = run(lambda: holding.act(replace(holding.state)), set(), ())
        happened = stage.proxy.struck
        stage.proxy.settle()
        second = run(lambda: holding.act(replace(holding.state)), set(), ())
        lost = first.wrong or second.wrong or differences(holding.begins, stage.snapshot())
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
def holding(stage: Stage, quick: None) -> Iterator[Work]:
    """The deletion of a repository with an image in it, which is refused."""
    (subject,) = (one for one in SUBJECTS.values() if one.provider is DockerHostedRepositoryProvider)
    subject.unmake(stage.api)
    SUBJECTS["Eula ᵖ"].remake(stage.api)  # without it the registry takes nothing
    tracked = Tracked(subject.provider(), stage.connection)
    tracked.up(**subject.first)
    pushed = Registry(f"http://127.0.0.1:{_PORT}", auth=stage.api.auth).push("kept", "1")
    assert pushed.status_code == 201, pushed.text
    begins = stage.snapshot()
    assert begins["components"]["f-images"] == [("kept", "1")]
    stage.proxy.settle()
    with pytest.raises(Refused, match="holds components"):
        replace(tracked).destroy()
    yield Work(subject, "delete", tracked, begins, begins, *asked(stage))
    subject.unmake(stage.api)


def missing(key: str) -> Fault:
    """The answer to one request lacks a field."""
    return Fault(f"{key!r} is missing from the answer", edit=without(key))
