"""The whole matrix runs with ``FAULTS=full`` (``make test-faults``); otherwise its fast part."""

from __future__ import annotations

import os

import pytest

FULL = os.environ.get("FAULTS") == "full"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked ``full_faults``: deselected, because what is skipped has failed in CI."""
    if FULL:
        return
    left_out = [item for item in items if item.get_closest_marker("full_faults")]
    items[:] = [item for item in items if not item.get_closest_marker("full_faults")]
    config.hook.pytest_deselected(items=left_out)
