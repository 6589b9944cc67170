"""The engine is killed at every boundary of the whole dev stack, and the next run comes to the same end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from sandbox import demo
from sandbox.dev import Dev, passing_dev_stack
from sandbox.docker import DockerClient
from sandbox.faults.canary import Canaries
from sandbox.faults.crash_run import (
    CrashRun,
    FinalState,
    differing_keys,
    end_processes,
    final_state,
    run_and_kill,
)
from sandbox.faults.report import record
from sandbox.process import Process
from sandbox.shell import free_port
from sandbox.stack import NO_CHECKPOINTS, PulumiStack, Result

from ..lifecycle.conftest import ENGINES, NO_CLI
from .conftest import FULL

MIDDLES = {"nexus-archive": (0.3, 2.0), "nexus-service": (0.3, 4.0, 12.0), "nexus-prepare": (0.3, 3.0)}
"""Where one moment in the middle is not enough, because the call is long: seconds after its beginning."""
FAST = ("registry-repository",)
"""The resources at which the fast part kills the engine."""


@pytest.fixture(params=ENGINES if FULL else ["sandbox"])
def dev(request: pytest.FixtureRequest) -> Iterator[Dev]:
    with passing_dev_stack(f"killed-{request.param}", engine=request.param) as made:
        yield made


@pytest.fixture
def docker(dev: Dev) -> Iterator[DockerClient]:
    with dev.docker() as client:
        yield client


RunKilled = Callable[[str, Callable[[], Result]], None]


@pytest.fixture
def killed(dev: Dev) -> Iterator[RunKilled]:
    """Runs a command that is killed at every boundary until it completes; no secret may appear."""
    crash_runs: list[CrashRun] = []
    canaries = Canaries({key: value for key, value in dev.facts.items() if isinstance(value, str)})

    def run(operation: str, command: Callable[[], Result]) -> None:
        crash_runs.append(crash_run := CrashRun(dev.stack, command, middles=MIDDLES, only=() if FULL else FAST))
        with canaries.watching() as seen:
            result = crash_run.run()
        assert result.ok, result.error
        printed = "".join(one.stdout + one.error for one in [result, *(run for _, run in crash_run.results)])
        seen |= canaries.found(printed) | canaries.found(dev.stack.state_file.read_bytes())
        parts = ("etc", "home", "root", "run", "srv", "tmp", "var")
        seen |= canaries.readable_below(*(dev.host.root / part for part in parts))
        seen |= canaries.below(*(dev.host.root / logs for logs in ("var/log", "var/lib/nexus/log")))
        seen |= canaries.found(dev.host.ssh("journalctl --no-pager --all").stdout)
        assert not seen
        engine = type(dev.stack).__name__.removesuffix("Stack").lower()
        for (name, how), times in Counter((name, how.partition(",")[0]) for name, how in crash_run.kills).items():
            record(
                lane="engine",
                subject=name,
                operation=f"{operation}, engine: {engine}",
                fault={"begun": "at the beginning", "middle": "in the middle", "done": "at the end"}[how],
                first=f"killed {times} times" if times > 1 else "killed",
                second="done",
            )

        if isinstance(dev.stack, PulumiStack) and dev.stack.removed:
            record(
                lane="engine",
                subject="the file backend's `.attrs` beside a state file",
                operation=f"{operation}, engine: {engine}",
                fault="in the middle",
                first=f"killed while Pulumi wrote it, {dev.stack.removed} of the kills",
                second="done, without that file",
            )
            dev.stack.removed = 0

    yield run
    for crash_run in crash_runs:
        crash_run.end_orphans()


def in_order(dev: Dev) -> None:
    """State and server agree, and nothing is left to do."""
    refreshed = dev.stack.refresh(expect_no_changes=True)
    assert refreshed.ok, refreshed.error
    again = dev.stack.up(expect_no_changes=True)
    assert again.ok, again.error


def killed_create_ends_like_undisturbed_one(dev: Dev, docker: DockerClient, killed: RunKilled) -> None:
    """A create that is killed everywhere ends like one that is not."""
    dev.stack.set_config("purge_data", True)
    undisturbed: FinalState | None = None
    if FULL:
        assert dev.stack.up().ok
        undisturbed = final_state(dev.stack)
        assert dev.stack.destroy().ok
    killed("up (create)", dev.stack.up)
    assert not differing_keys(undisturbed or final_state(dev.stack), final_state(dev.stack))
    in_order(dev)
    demo.prove(dev, docker, say=lambda _line: None)


def killed_update_completes_and_keeps_images(dev: Dev, docker: DockerClient, killed: RunKilled) -> None:
    """An update of everything that is killed everywhere is complete and keeps the images."""
    dev.facts["registry_https_port"] = free_port()
    dev.facts["ci_password"] = "another-ci-password"
    dev.certify(key="ec", days=30)
    dev.stack.set_config("registry_https_port", dev.facts["registry_https_port"])
    dev.stack.set_config("heap_mb", 1100)
    dev.stack.set_config("admin_password", "another-admin-password", secret=True)
    dev.stack.set_config("keystore_password", "another-keystore-password", secret=True)
    dev.stack.set_config("pullers", ["reader"])
    passwords = {"ci": dev.facts["ci_password"], "reader": "reader-password"}
    dev.stack.set_config("user_passwords", passwords, secret=True)
    killed("up (update)", dev.stack.up)
    in_order(dev)
    docker.trust(dev.login_server, dev.authority.certificate_pem)
    docker.pull_anew(f"{dev.login_server}/hello-world:1")
    docker.login(dev.login_server, "reader", "reader-password")
    demo.prove(dev, docker, say=lambda _line: None)


def destroy_that_is_killed_everywhere_leaves_nothing(dev: Dev, killed: RunKilled) -> None:
    dev.stack.set_config("force_destroy", True)
    assert dev.stack.up().ok
    killed("destroy", dev.stack.destroy)
    assert dev.stack.export()["resources"] == []
    left = ("etc/systemd/system/nexus.service", "opt/nexus", "var/lib/nexus-registry", "var/lib/nexus")
    assert [one for one in left if (dev.host.root / one).exists()] == []
    assert dev.host.ssh("id nexus", check=False).returncode != 0


def test_stack_killed_at_every_boundary_is_completed(dev: Dev, docker: DockerClient, killed: RunKilled) -> None:
    """The steps of one stack, in order: each continues where the one before ended."""
    killed_create_ends_like_undisturbed_one(dev, docker, killed)
    killed_update_completes_and_keeps_images(dev, docker, killed)
    destroy_that_is_killed_everywhere_leaves_nothing(dev, killed)


@pytest.mark.full_faults
@pytest.mark.pulumi
@NO_CLI
def test_killed_create_without_checkpoints_is_completed() -> None:
    """Steps of the host that no state tells of are run again, also beside those of the killed run."""
    moments, orphans = (5.0, 15.0, 30.0), list[Process]()
    with passing_dev_stack("killed-unrecorded", engine="pulumi") as dev, dev.docker() as docker:
        try:
            for seconds in moments:
                killed, left = run_and_kill(dev.stack, lambda: dev.stack.up(env=NO_CHECKPOINTS), seconds)
                assert killed
                assert dev.stack.export()["resources"] == []
                orphans += left
            done = dev.stack.up(env=NO_CHECKPOINTS)
            assert done.ok, done.error
            in_order(dev)
            demo.prove(dev, docker, say=lambda _line: None)
        finally:
            end_processes(orphans)
    record(
        lane="engine",
        subject="the whole stack",
        operation="up (create) without checkpoints, engine: pulumi",
        fault="in the middle",
        first=f"killed {len(moments)} times",
        second="done",
    )
