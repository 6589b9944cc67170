"""The registry's proof on a failing network: it holds, or fails in one sentence, and the next one holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from nexus_registry.providers import registry_check
from nexus_registry.providers.registry_check import RegistryCheckProvider

from sandbox.faults.catalogue import NEXUS
from sandbox.faults.proxy import FaultProxy
from sandbox.faults.report import record
from sandbox.shell import free_port

from .conftest import FULL
from .faulty_server import FaultyServer, run, short_timeouts

NAME, PORT = "f-proved", free_port()
FAST = ("killed after", "login page", "503")


@pytest.fixture(scope="module")
def connector(faulty: FaultyServer) -> Iterator[FaultProxy]:
    """The registry's port behind a proxy of its own."""
    storage = {"blobStoreName": "default", "strictContentTypeValidation": True, "writePolicy": "ALLOW"}
    body = {"name": NAME, "online": True, "storage": storage}
    docker = {"v1Enabled": False, "forceBasicAuth": False, "httpPort": PORT}
    with faulty.api.licensed(), faulty.api.token_realm(), faulty.api.anonymous(enabled=True):
        faulty.api.ok("POST", "repositories/docker/hosted", {**body, "docker": docker})
        with FaultProxy(f"http://127.0.0.1:{PORT}") as proxy:
            yield proxy
        faulty.api.call("DELETE", f"repositories/{NAME}")


@pytest.mark.parametrize("fault", [name for name in NEXUS if (FULL or name in FAST) and not NEXUS[name].writes])
def test_registry_check_passes_or_fails_with_one_sentence(
    faulty: FaultyServer, connector: FaultProxy, fault: str
) -> None:
    inputs = {
        "login_server": connector.url.partition("://")[2],
        "scheme": "http",
        "ca": "",
        "username": "admin",
        "password": faulty.nexus.password,
        "anonymous_pull": True,
    }

    def prove() -> str:
        RegistryCheckProvider().verify(inputs)
        return "held"

    connector.clear_and_wait()
    assert prove() == "held"
    for nth in range(1, len(connector.seen) + 1):
        connector.inject(NEXUS[fault], nth=nth)
        with short_timeouts(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(registry_check, "_START_TIMEOUT", 1.0)
            first = run(prove, {"held"}, (faulty.nexus.password,))
        connector.clear_and_wait()
        second = run(prove, {"held"}, (faulty.nexus.password,))
        assert not first.wrong
        assert second.said == "done", second
        record(
            lane="nexus",
            subject="RegistryCheck ᵖ",
            operation="create",
            fault=fault,
            first=first.said,
            second=second.said,
            seconds=first.seconds,
            sentence=first.sentence,
        )
