"""A host whose clock is ten minutes off, for everything that runs on it."""

from __future__ import annotations

import subprocess
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

from sandbox import demo
from sandbox.dev import Dev, passing_dev_stack
from sandbox.faults.report import record
from sandbox.packages import ensure

LIBRARY = """
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += SECONDS;
    return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
    int failed = syscall(SYS_gettimeofday, now, zone);
    if (!failed && now) now->tv_sec += SECONDS;
    return failed;
}

time_t time(time_t *now) {
    struct timespec read;
    clock_gettime(CLOCK_REALTIME, &read);
    if (now) *now = read.tv_sec;
    return read.tv_sec;
}
"""
"""The C library's clock, off by so many seconds, as the kernel's is that of this machine too. The monotonic clock
and the waits of threads are left alone: a JVM with those of libfaketime turns in circles."""


def set_clock(dev: Dev, minutes: int, folder: Path) -> None:
    """Have every process of the host, from its init on, take the time to be so many minutes later."""
    ensure("tcc", "libc6-dev")
    source, library = folder / "clock.c", f"/usr/local/lib/clock{minutes:+}.so"
    source.write_text(LIBRARY)
    built = dev.host.root / library.lstrip("/")
    subprocess.run(["tcc", "-shared", f"-DSECONDS={minutes * 60}", "-o", built, source], check=True)
    (dev.host.root / "etc/ld.so.preload").write_text(f"{library}\n")
    dev.host.reboot()
    host_time = int(dev.host.ssh("date +%s").stdout)
    assert host_time - time.time() == pytest.approx(minutes * 60, abs=5)


def clock_of_nexus(dev: Dev) -> float:
    """How many minutes it is ahead of this machine's."""
    answer = requests.get(f"{dev.url}/service/rest/v1/status", verify=str(dev.folder / "ca/ca.pem"), timeout=30)
    return (parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()) / 60


@pytest.mark.full_faults
def test_host_with_wrong_clock_is_installed_and_updated(
    tmp_path: Path,
) -> None:
    with passing_dev_stack("clock") as dev, dev.docker() as docker:
        for minutes, operation in ((-10, "up (create)"), (10, "up (update)")):
            set_clock(dev, minutes, tmp_path)
            if minutes > 0:
                dev.certify(key="ec", days=30)
                dev.stack.set_config("heap_mb", 1100)
                dev.stack.set_config("admin_password", "another-admin-password", secret=True)
            done = dev.stack.up()
            assert done.ok, done.error
            assert clock_of_nexus(dev) == pytest.approx(minutes, abs=0.2)
            demo.prove(dev, docker, say=lambda _line: None)
            assert dev.stack.refresh(expect_no_changes=True).ok
            record(
                lane="host",
                subject="every step, and Nexus itself",
                operation=operation,
                fault=f"clock {abs(minutes)} minutes {'fast' if minutes > 0 else 'slow'}",
                first="done",
                second="done",
            )
