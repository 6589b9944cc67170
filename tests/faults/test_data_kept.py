"""An image in a repository is deleted on request only, in any order of operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from nexus_registry.providers.errors import NexusError, Refused
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider

from sandbox.faults.catalogue import NEXUS
from sandbox.faults.report import record
from sandbox.shell import free_port

from ..contract.docker_api import Registry
from ..contract.tracked import Tracked
from .conftest import FULL
from .faulty_server import FaultyServer, new_process, short_timeouts

NAME, OTHER, STORE = "f-kept", "f-renamed", "f-store"
PORT = free_port()
FAULTS = st.none() | st.tuples(st.sampled_from(sorted(NEXUS)), st.integers(1, 3))
"""The fault of one request of an operation, if any."""


class Careless(RuleBasedStateMachine):
    """Edits program, state and server in any order, with faults of the network."""

    faulty: FaultyServer
    done: dict[str, int]

    def __init__(self) -> None:
        super().__init__()
        self.faulty.proxy.clear_and_wait()
        new_process()
        self.desired: dict[str, Any] = {"name": NAME, "http_port": PORT}
        self.tracked = self._new_stack()
        self.tracked.up(**self.desired)
        api = self.faulty.api
        pushed = Registry(f"http://127.0.0.1:{PORT}", auth=api.auth).push("app", "1", b"image" * 1000)
        assert pushed.status_code == 201, pushed.text

    def _new_stack(self) -> Tracked:
        """A stack whose state does not contain the repository."""
        return Tracked(DockerHostedRepositoryProvider(), self.faulty.connection)

    @contextmanager
    def _with_fault(self, fault: tuple[str, int] | None) -> Iterator[None]:
        if fault:
            self.faulty.proxy.inject(NEXUS[fault[0]], nth=fault[1])
        with short_timeouts() if fault else nullcontext():
            yield
        self.faulty.proxy.clear_and_wait()
        new_process()

    def _try(self, what: str, operation: Callable[[], Any], fault: tuple[str, int] | None) -> None:
        self.done[what] = self.done.get(what, 0) + 1
        with self._with_fault(fault):
            try:
                operation()
            except NexusError:
                return

    def _refused(self, what: str, operation: Callable[[], Any], fault: tuple[str, int] | None) -> None:
        """It fails, with or without a fault."""
        self.done[what] = self.done.get(what, 0) + 1
        with self._with_fault(fault), pytest.raises(NexusError) as caught:
            operation()
        assert fault or isinstance(caught.value, Refused)

    @rule(fault=FAULTS)
    def rename(self, fault: tuple[str, int] | None) -> None:
        self._refused("rename", lambda: self.tracked.up(**self.desired | {"name": OTHER}), fault)

    @rule(fault=FAULTS)
    def move_to_another_blob_store(self, fault: tuple[str, int] | None) -> None:
        desired = self.desired | {"blob_store_name": STORE}
        self._refused("another blob store", lambda: self.tracked.up(**desired), fault)

    @rule(fault=FAULTS)
    def rename_and_allow_it_in_one_up(self, fault: tuple[str, int] | None) -> None:
        desired = self.desired | {"name": OTHER, "force_destroy": True}
        self._refused("rename with force_destroy in one up", lambda: self.tracked.up(**desired), fault)

    @rule(fault=FAULTS)
    def delete_it(self, fault: tuple[str, int] | None) -> None:
        self._refused("delete, destroy, forced replacement", self.tracked.destroy, fault)

    @rule(fault=FAULTS)
    def take_it_into_another_stack_with_another_blob_store(self, fault: tuple[str, int] | None) -> None:
        desired = self.desired | {"blob_store_name": STORE, "adopt": True}
        self._refused("adopted with another blob store", lambda: self._new_stack().up(**desired), fault)

    @rule(fault=FAULTS, policy=st.sampled_from(["ALLOW", "ALLOW_ONCE", "DENY"]))
    def edit(self, fault: tuple[str, int] | None, policy: str) -> None:
        self.desired["write_policy"] = policy
        self._try("edit", lambda: self.tracked.up(**self.desired), fault)

    @rule(fault=FAULTS)
    def refresh(self, fault: tuple[str, int] | None) -> None:
        self._try("refresh", self.tracked.refresh, fault)

    @rule(fault=FAULTS)
    def lose_the_state_and_take_it_again(self, fault: tuple[str, int] | None) -> None:
        again = self._new_stack()
        self._try("state lost, then adopted", lambda: again.up(**self.desired | {"adopt": True}), fault)
        if again.outs is not None:
            self.tracked, self.desired = again, self.desired | {"adopt": True}

    @invariant()
    def the_image_is_there(self) -> None:
        registry = Registry(f"http://127.0.0.1:{PORT}", auth=self.faulty.api.auth)
        manifest = registry.call("GET", "/v2/app/manifests/1")
        assert manifest.status_code == 200, manifest.text
        layer = manifest.json()["layers"][0]["digest"]
        assert registry.call("GET", f"/v2/app/blobs/{layer}").content == b"image" * 1000

    def teardown(self) -> None:
        self.faulty.proxy.clear_and_wait()
        self.faulty.api.call("DELETE", f"repositories/{NAME}")


@pytest.fixture
def seeded(faulty: FaultyServer) -> Iterator[FaultyServer]:
    """The licence accepted, and another blob store."""
    with faulty.api.licensed():
        faulty.api.ok("POST", "blobstores/file", {"name": STORE, "path": STORE})
        yield faulty
        faulty.api.call("DELETE", f"blobstores/{STORE}")


def test_image_survives_any_order_of_operations(seeded: FaultyServer) -> None:
    Careless.faulty, Careless.done = seeded, {}
    few = settings(
        max_examples=40 if FULL else 6,
        stateful_step_count=12,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],  # no shrinking: each example takes seconds
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Careless, settings=few)
    for what, times in Careless.done.items():
        record(
            lane="kept",
            subject="DockerHostedRepository ᵖ with an image",
            operation="any order of operations, half of them with a fault",
            fault=what,
            first=f"{times} times",
            second="image kept",
        )
