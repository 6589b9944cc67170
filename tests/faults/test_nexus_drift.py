"""What somebody changed or deleted by hand between two runs is shown by a refresh and mended by the next up."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.faults.report import record
from sandbox.shell import free_port

from ..contract.tracked import Tracked
from .stage import Stage, a_new_process, differences
from .subjects import Subject, subjects

_PORT = free_port()
CASES = [(one, how) for one in subjects(_PORT) for how in one.by_hand]


@pytest.mark.parametrize(("subject", "how"), CASES, ids=[f"{one.title.split()[0]}-{how}" for one, how in CASES])
def test_manual_change_is_refreshed_and_corrected(stage: Stage, subject: Subject, how: str) -> None:
    """A change by hand is shown by a refresh and mended by an up."""
    by = subject.by_hand[how]
    stage.proxy.settle()
    stage.logins[1:] = subject.logins
    subject.unmake(stage.api)
    untouched = stage.snapshot()
    tracked = Tracked(subject.provider(), stage.connection)
    a_new_process()
    tracked.up(**subject.first)
    wished = stage.snapshot()
    before: dict[str, Any] = dict(tracked.outs or {})

    by.change(stage.api)
    a_new_process()
    shown = tracked.refresh()
    others = [name for name in before if (tracked.outs or {}).get(name) != before[name]]
    assert (shown, others if shown == "drift" else []) == by.shows
    a_new_process()
    mended = tracked.up(**{**subject.first, **by.mend})
    assert mended == ("create" if shown == "gone" else "update")
    lost = differences(wished, stage.snapshot())
    record(
        lane="drift",
        subject=subject.title,
        operation="refresh, then up",
        fault="deleted by hand" if how == "deleted" else "changed by hand",
        first="gone" if shown == "gone" else f"{', '.join(others)} changed",
        second={"create": "made again", "update": "changed back"}[mended],
        lost=lost,
    )
    assert not lost
    assert tracked.refresh() == "same"

    subject.unmake(stage.api)
    assert not differences(untouched, stage.snapshot())
