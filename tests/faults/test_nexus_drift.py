"""A refresh shows a change or deletion by hand, and the next up corrects it."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.faults.report import record
from sandbox.shell import free_port

from ..contract.tracked import Tracked
from .faulty_server import FaultyServer, differences, new_process
from .subjects import Subject, subjects

_PORT = free_port()
CASES = [(one, how) for one in subjects(_PORT) for how in one.by_hand]


@pytest.mark.parametrize(("subject", "how"), CASES, ids=[f"{one.title.split()[0]}-{how}" for one, how in CASES])
def test_manual_change_is_refreshed_and_corrected(faulty: FaultyServer, subject: Subject, how: str) -> None:
    by = subject.by_hand[how]
    faulty.proxy.clear_and_wait()
    faulty.logins[1:] = subject.logins
    subject.remove(faulty.api)
    untouched = faulty.snapshot()
    tracked = Tracked(subject.provider(), faulty.connection)
    new_process()
    tracked.up(**subject.first)
    desired = faulty.snapshot()
    before: dict[str, Any] = dict(tracked.outs or {})

    by.change(faulty.api)
    new_process()
    shown = tracked.refresh()
    others = [name for name in before if (tracked.outs or {}).get(name) != before[name]]
    assert (shown, others if shown == "drift" else []) == by.drift
    new_process()
    corrected = tracked.up(**{**subject.first, **by.fix})
    assert corrected == ("create" if shown == "gone" else "update")
    lost = differences(desired, faulty.snapshot())
    record(
        lane="drift",
        subject=subject.title,
        operation="refresh, then up",
        fault="deleted by hand" if how == "deleted" else "changed by hand",
        first="gone" if shown == "gone" else f"{', '.join(others)} changed",
        second={"create": "made again", "update": "changed back"}[corrected],
        lost=lost,
    )
    assert not lost
    assert tracked.refresh() == "same"

    subject.remove(faulty.api)
    assert not differences(untouched, faulty.snapshot())
