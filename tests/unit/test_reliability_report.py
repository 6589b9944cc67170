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


def test_cells_join_moments_and_untried_is_dash() -> None:
    happened()
    happened(first="Unreachable")
    happened(subject="User", fault="refused")
    text = report.render(report.rows())
    assert "| 502 | done; Unreachable, then done | - |" in text
    assert "| refused | - | done |" in text
    assert "- **refused**: " in text


def test_report_with_loss_fails() -> None:
    happened(lane="host", fault="disk full", lost="the keystore")
    assert report.main(["write"]) == 1
    assert "**LOST: the keystore**" in report.DOCUMENT.read_text()
    assert "1 left something lost" in report.DOCUMENT.read_text()


def test_ordinary_run_writes_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTS", "")
    happened()
    assert report.main(["write"]) == 2
    assert not report.DOCUMENT.exists()
