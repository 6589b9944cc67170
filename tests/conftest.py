"""How the whole suite runs: what shares a server or a host runs in one process, and in CI nothing is left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what shares a real server or host in one process; two processes run beside each other."""
    for item in items:
        folder = item.nodeid.split("/")[1]
        engine = getattr(item, "callspec", None) and item.callspec.params.get("dev")  # type: ignore[attr-defined]
        item.add_marker(pytest.mark.xdist_group(f"{folder}-{engine}" if engine else folder))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    """In CI a test that was skipped has failed, unless all it lacks is the Pulumi CLI."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and os.environ.get("CI") and not item.get_closest_marker("pulumi"):
        report.outcome, report.longrepr = "failed", f"skipped in CI: {report.longrepr}"
