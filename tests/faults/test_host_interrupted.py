"""Each step of the dev stack is interrupted: SSH cut, the host rebooted, Nexus killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sandbox import demo
from sandbox.dev import STEPS, Dev, passing_dev_stack
from sandbox.faults.crash_run import BEGUN, MIDDLE, CrashRun
from sandbox.faults.report import record
from sandbox.faults.wire import Wire


@pytest.fixture(scope="module")
def dev() -> Iterator[Dev]:
    with passing_dev_stack("interrupted") as made:
        made.stack.set_config("purge_data", True)
        yield made


@pytest.fixture(scope="module")
def wire(dev: Dev) -> Iterator[Wire]:
    """Between the engine and the SSH port."""
    between = Wire(dev.host.ssh_port)
    dev.stack.set_config("ssh_port", between.port)
    yield between
    between.close()


def kill_nexus(dev: Dev) -> bool:
    """SIGKILL to the service's process, if it has one by now."""
    kill = "systemctl kill --kill-who=main --signal=SIGKILL nexus"
    return dev.host.ssh(kill, check=False).returncode == 0


@pytest.mark.full_faults
@pytest.mark.parametrize(
    ("fault", "only", "phases", "middles"),
    [
        ("SSH cut", STEPS, (BEGUN, MIDDLE), {"nexus-service": (0.3, 4.0, 12.0), "nexus-prepare": (0.3, 3.0)}),
        (
            "host rebooted",
            STEPS,
            (MIDDLE,),
            {
                **dict.fromkeys({*STEPS} - {"nexus-archive", "nexus-service"}, (0.05,)),
                "nexus-service": (0.3, 12.0),
            },
        ),
        ("Nexus killed while it starts", ("nexus-service",), (MIDDLE,), {"nexus-service": (4.0, 12.0)}),
    ],
    ids=["ssh-cut", "reboot", "nexus-killed"],
)
def test_up_cut_in_each_step_is_completed_by_next(
    dev: Dev,
    wire: Wire,
    fault: str,
    only: tuple[str, ...],
    phases: tuple[str, ...],
    middles: dict[str, tuple[float, ...]],
) -> None:
    interrupts: dict[str, Callable[[], bool]] = {
        "SSH cut": lambda: wire.cut() > 0,
        # SSH is cut first, because short steps would still succeed while the host shuts down.
        "host rebooted": lambda: wire.cut() > 0 and bool(dev.host.reboot()),
        "Nexus killed while it starts": lambda: kill_nexus(dev),
    }
    crash_run = CrashRun(dev.stack, dev.stack.up, interrupts[fault], middles, only, phases)
    result = crash_run.run()
    assert result.ok, result.error
    assert {step for step, _ in crash_run.kills} == {*only}
    if fault == "SSH cut":
        starts = dev.host.ssh("journalctl -o cat -t systemd -u nexus | grep -c ^Started").stdout
        assert int(starts) == 1, "the next run waits for the start that a cut run began"
    assert dev.stack.refresh(expect_no_changes=True).ok
    assert dev.stack.up(expect_no_changes=True).ok
    with dev.docker() as client:
        demo.prove(dev, client, say=lambda _line: None)
    for (step, how), run in crash_run.results:
        record(
            lane="host",
            subject=step.removeprefix("nexus-"),
            operation="up, interrupted in the middle of a step",
            fault=fault,
            first="done" if run.ok else "failed",
            second="done",
            sentence=f"{how}: {run.error}",
        )
    dev.stack.set_config("force_destroy", True)
    assert dev.stack.up().ok
    assert dev.stack.destroy().ok
    dev.stack.set_config("force_destroy", False)
