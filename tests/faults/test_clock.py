"""A host whose clock is ten minutes off, as every program of the steps sees it.

Nexus's own process is left out: a JVM does not bear a library between it and the clock.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox import demo
from sandbox.dev import Dev, passing_dev_stack
from sandbox.faults.report import record

LIBRARY = "$(echo /usr/lib/*/faketime/libfaketimeMT.so.1)"


@contextmanager
def clock_off(dev: Dev, minutes: int) -> Iterator[None]:
    """Whatever is run over SSH in this block takes the time to be otherwise; sshd runs already, without it."""
    settings = f"LD_PRELOAD={LIBRARY} FAKETIME={minutes:+}m FAKETIME_DONT_FAKE_MONOTONIC=1"
    dev.host.ssh(f"for one in {settings}; do echo $one; done >/etc/environment")
    told = int(dev.host.ssh("date +%s").stdout)
    assert told - time.time() == pytest.approx(minutes * 60, abs=5)
    yield
    dev.host.ssh("rm /etc/environment")


@pytest.mark.full_faults
def test_a_host_whose_clock_is_ten_minutes_off_becomes_a_registry_and_is_changed_like_any_other() -> None:
    with passing_dev_stack("clock", engine="sandbox") as dev, dev.docker() as docker:
        dev.host.ssh("apt-get -qq update && apt-get -qq install -y --no-install-recommends libfaketime")
        for minutes, operation in ((-10, "up (create)"), (10, "up (update)")):
            with clock_off(dev, minutes):
                if minutes > 0:
                    dev.certify(key="ec", days=30)
                    dev.stack.set_config("heap_mb", 1100)
                    dev.stack.set_config("admin_password", "another-admin-password", secret=True)
                done = dev.stack.up()
                assert done.ok, done.error
                demo.prove(dev, docker, say=lambda _line: None)
                assert dev.stack.refresh(expect_no_changes=True).ok
            record(
                lane="host",
                subject="every step",
                operation=operation,
                fault=f"clock {abs(minutes)} minutes {'fast' if minutes > 0 else 'slow'}",
                first="done",
                second="done",
            )
