"""In CI nothing is left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    """In CI a test that was skipped has failed, unless all it lacks is the Pulumi CLI."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and os.environ.get("CI") and not item.get_closest_marker("pulumi"):
        report.outcome, report.longrepr = "failed", f"skipped in CI: {report.longrepr}"
