"""The code of ``make bench`` over a few objects, and the calls that docs/performance.md promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench.__main__ import STEPS, bench

from .server import Nexus

COUNT = 4
"""Two hosted repositories, a role and a user."""


@pytest.mark.nightly
def test_bench_of_four_objects_makes_few_calls(core: Callable[[], Nexus], tmp_path: Path) -> None:
    table = tmp_path / "bench/table.md"
    bench(core(), [COUNT], [0], [False], table)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.read_text().splitlines()[2:]]
    calls = {step: int(number) for _, _, _, step, number, *_ in rows}
    assert list(calls) == list(STEPS)
    assert calls["create"] >= COUNT, "counted nothing"
    most = {
        "create": 2 * COUNT,
        "unchanged preview": 0,
        "unchanged up": 0,
        "refresh": 3 + 1,  # a list of each kind, and the login of the user
        "one change": 3,
        # A hosted repository is read first, and whether it contains anything is asked; a user needs the version.
        "destroy": COUNT + 2 * 2 + 1,
    }
    assert {step: number for step, number in calls.items() if number > most[step]} == {}
