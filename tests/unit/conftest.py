"""The programs that the tests of the host steps run them with."""

from __future__ import annotations

import pytest

from sandbox.packages import ensure


@pytest.fixture(autouse=True, scope="session")
def shells() -> None:
    """What hosts have for a shell, and a reader of their scripts."""
    ensure("dash", "busybox", "shellcheck")
