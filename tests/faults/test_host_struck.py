"""The host is struck in the middle of each step of the dev stack: SSH cut, the machine rebooted, Nexus killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from sandbox import demo
from sandbox.dev import STEPS, Dev, passing_dev_stack
from sandbox.faults.journey import BEGUN, MIDDLE, Journey
from sandbox.faults.report import record
from sandbox.faults.wire import Wire
from sandbox.shell import CommandFailed


@pytest.fixture(scope="module")
def dev() -> Iterator[Dev]:
    with passing_dev_stack("struck", engine="sandbox") as made:
        made.stack.set_config("purge_data", True)
        yield made


@pytest.fixture(scope="module")
def wire(dev: Dev) -> Iterator[Wire]:
    """Between the engine and the SSH port."""
    between = Wire(dev.host.ssh_port)
    dev.stack.set_config("ssh_port", between.port)
    yield between
    between.close()


def kill_nexus(dev: Dev) -> None:
    """SIGKILL to the service's process, if it has one by now."""
    with suppress(CommandFailed):
        dev.host.ssh("systemctl kill --kill-who=main --signal=SIGKILL nexus")


@pytest.mark.full_faults
@pytest.mark.parametrize(
    ("fault", "only", "phases", "middles"),
    [
        ("SSH cut", STEPS, (BEGUN, MIDDLE), {"nexus-service": (0.3, 4.0, 12.0), "nexus-prepare": (0.3, 3.0)}),
        ("host rebooted", STEPS, (MIDDLE,), {"nexus-service": (0.3, 8.0)}),
        ("Nexus killed while it starts", ("nexus-service",), (MIDDLE,), {"nexus-service": (4.0, 12.0)}),
    ],
    ids=["ssh-cut", "reboot", "nexus-killed"],
)
def test_an_up_that_is_struck_in_each_step_is_finished_by_the_next(
    dev: Dev,
    wire: Wire,
    fault: str,
    only: tuple[str, ...],
    phases: tuple[str, ...],
    middles: dict[str, tuple[float, ...]],
) -> None:
    strikes: dict[str, Callable[[], object]] = {
        "SSH cut": wire.cut,
        "host rebooted": dev.host.reboot,
        "Nexus killed while it starts": lambda: kill_nexus(dev),
    }
    journey = Journey(dev.stack, dev.stack.up, strikes[fault], middles, only, phases)
    result = journey.run()
    assert result.ok, result.error
    assert dev.stack.refresh(expect_no_changes=True).ok
    assert dev.stack.up(expect_no_changes=True).ok
    with dev.docker() as client:
        demo.prove(dev, client, say=lambda _line: None)
    for (step, how), run in zip(journey.strikes, journey.results, strict=False):
        record(
            lane="host",
            subject=step.removeprefix("nexus-"),
            operation="up, struck in the middle of a step",
            fault=fault,
            first="done" if run.ok else "failed",
            second="done",
            sentence=f"{how}: {run.error}",
        )
    dev.stack.set_config("force_destroy", True)
    assert dev.stack.up().ok
    assert dev.stack.destroy().ok
    dev.stack.set_config("force_destroy", False)
