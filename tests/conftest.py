"""In CI nothing is left out; tests that share a server or a stack stay together when several run at a time."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.tested import require_created

settings.register_profile("nexus-registry", deadline=None)  # a loaded machine is no fault of the code
settings.load_profile("nexus-registry")

collect_ignore = [] if os.environ.get("NEXUS_ARCHIVE") else ["vendor"]

LONGEST_FIRST = (
    "dev-pulumi",
    "contract",
    "host",
    "dev-sandbox",
    "test_upgrade",
    "killed-pulumi",
    "killed-sandbox",
    "faulty",
    "anywhere-pulumi",
    "registry",
    "anywhere-sandbox",
)
SHARED = {"faulty", "registry"}
"""Fixtures of the faults: the one server behind the proxy, and the one whole registry."""
OTHER_LANES = [
    marker
    for marker, runs in {
        "full_faults": os.environ.get("FAULTS") == "full",
        "nightly": os.environ.get("NIGHTLY") == "1",
    }.items()
    if not runs
]
"""Markers of the tests that do not run now."""
OF_AN_ENGINE = {"test_dev_stack": "dev", "test_engine_killed": "killed", "test_killed_anywhere": "anywhere"}
"""Modules that have something of their own for each engine."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give each test that shares something its group, unless its module names one."""
    if not item.get_closest_marker("xdist_group") and (group := _group(item)):
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is for another lane, and have the longest groups begin first."""
    # Deselected, because what is skipped has failed in CI.
    left_out = [item for item in items if any(item.get_closest_marker(marker) for marker in OTHER_LANES)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]
    order: dict[str | None, int] = {group: place for place, group in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(_group(item), len(order)))


def _group(item: pytest.Item) -> str | None:
    """Whose server, host or stack the test shares: its module's, its folder's, or an engine's."""
    folder, module = item.path.parent.name, item.path.stem
    if module in OF_AN_ENGINE:
        params = getattr(getattr(item, "callspec", None), "params", {}).values()
        return f"{OF_AN_ENGINE[module]}-{'pulumi' if 'pulumi' in params else 'sandbox'}"
    if shared := SHARED.intersection(getattr(item, "fixturenames", ())):
        return shared.pop()
    if folder == "faults" or module in LONGEST_FIRST:
        return module
    return folder if folder in LONGEST_FIRST else None


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A test that docs/coverage.md counts creates an object of that kind."""
    with require_created(pyfuncitem):
        return (yield)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    """In CI a test that was skipped has failed, unless all it lacks is the Pulumi CLI."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and os.environ.get("CI") and not item.get_closest_marker("pulumi"):
        report.outcome, report.longrepr = "failed", f"skipped in CI: {report.longrepr}"
