"""What more than one of these tests stands on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from pulumi.runtime.settings import reset_options

from sandbox.packages import ensure


@pytest.fixture(autouse=True, scope="session")
def shells() -> None:
    """The shells that hosts have, and a reader of their scripts."""
    ensure("dash", "busybox", "shellcheck")


@pytest.fixture
def sdk() -> Iterator[None]:
    """Pulumi's SDK with nothing in it that another test set: its root resource lives in that one's event loop."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    reset_options()
    yield
    reset_options()
    if left := asyncio.all_tasks(loop):
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.close()
    asyncio.set_event_loop(None)
