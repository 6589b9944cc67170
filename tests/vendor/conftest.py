"""Selects the tests of ``make test-vendor`` and prints which behaviours of the stand-in the archive confirmed.

Every test of a ``test_standin_*`` module states one behaviour of Nexus that the stand-in imitates. On the vendor's
archive a passed test confirms the behaviour, and a failed one contradicts it.
"""

from __future__ import annotations

import os

import pytest

PLAYED = ("test_standin_versions", "test_standin_start", "test_archive")
"""Modules about the stand-in itself: they switch its version, end its processes, look into its archive."""
RESULTS = {"passed": "confirmed", "failed": "contradicted", "error": "not tested", "skipped": "not tested"}


def pytest_configure() -> None:
    if not os.environ.get("NEXUS_ARCHIVE"):
        raise pytest.UsageError("NEXUS_ARCHIVE: is not set. Set it to the path of the vendor's archive.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what runs on the archive: contract tests that use the shared server, and what is no contract test."""
    kept = [item for item in items if _on_archive(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def _on_archive(item: pytest.Item) -> bool:
    if item.path.parent.name != "contract":
        return True
    return item.path.stem not in PLAYED and "nexus" in getattr(item, "fixturenames", ())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows: dict[str, str] = {}
    for outcome, result in RESULTS.items():
        for report in terminalreporter.stats.get(outcome, []):
            if "test_standin_" in report.nodeid:
                rows[_behaviour(report.nodeid)] = result
    terminalreporter.section("Behaviours of the stand-in")
    for behaviour, result in sorted(rows.items()):
        terminalreporter.line(f"{result:<12}  {behaviour}")
    counts = [f"{list(rows.values()).count(result)} {result}" for result in dict.fromkeys(RESULTS.values())]
    terminalreporter.line(", ".join(counts))


def _behaviour(nodeid: str) -> str:
    """``registry: passwords are taken directly [True]`` for a node id."""
    module, _, name = nodeid.partition("::")
    area = module.rpartition("test_standin_")[2].removesuffix(".py")
    name, _, case = name.rpartition("::")[2].partition("[")
    return f"{area}: {name.removeprefix('test_').replace('_', ' ')}{f' [{case}' if case else ''}".partition("@")[0]
