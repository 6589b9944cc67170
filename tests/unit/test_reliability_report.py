"""The report of the faults shows every cell and hides no loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import report


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "ROWS", tmp_path / "rows")
    monkeypatch.setattr(report, "DOCUMENT", tmp_path / "reliability.md")
    monkeypatch.setattr(report, "PROJECT", tmp_path)
    monkeypatch.setenv("FAULTS", "full")


def happened(**changes: Any) -> None:
    row = {"lane": "nexus", "subject": "Role", "operation": "create", "fault": "502", "first": "done"}
    report.record(**{**row, "second": "done", **changes})


def test_cells_of_several_moments_are_put_together_and_what_was_not_tried_is_a_dash() -> None:
    happened()
    happened(first="Unreachable")
    happened(subject="User", fault="refused")
    text = report.render(report.rows())
    assert "| 502 | done; Unreachable, then done | - |" in text
    assert "| refused | - | done |" in text
    assert "- **refused**: " in text


def test_a_loss_stands_in_its_cell_and_the_report_ends_with_an_error() -> None:
    happened(lane="host", fault="disk full", lost="the keystore")
    assert report.main(["write"]) == 1
    assert "**LOST: the keystore**" in report.DOCUMENT.read_text()
    assert "1 left something lost" in report.DOCUMENT.read_text()


def test_nothing_is_kept_or_written_by_an_ordinary_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTS", "")
    happened()
    assert report.main(["write"]) == 2
    assert not report.DOCUMENT.exists()
