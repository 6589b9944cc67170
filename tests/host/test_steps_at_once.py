"""Two machines that run the same `up` at once, on a server with an IPv6 address and noexec data."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.host.steps import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = ("prepare", "account", "archive", "keystore", "service")


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server.on("steps", more={"service": {"address": "::1"}})
    disk = made.data_dir
    made.host.ssh(f"mkdir -p {disk} && mount --bind {disk} {disk} && mount -o remount,bind,noexec,nosuid {disk}")
    yield made
    made.host.ssh(f"systemctl stop {made.unit}; umount {disk}")
    made.wipe()


def test_two_ups_at_once_make_one_server_at_ipv6_address(server: Server) -> None:
    def up(_machine: int) -> str:
        return "".join(server.run(step, lock_timeout=3000).stdout for step in STEPS)

    with ThreadPoolExecutor() as machines:
        shown = list(machines.map(up, range(2)))
    everything = "".join(shown)
    assert everything.count("unpacked Nexus") == 1
    assert everything.count("starting nexus.service") == 1
    assert everything.count("nothing needs a restart") == 1
    listeners = server.host.ssh("ss -ltn").stdout
    assert f"[::1]:{server.ports[1]}" in listeners
    assert (
        server.host.ssh(
            f"curl -skg -o /dev/null -w '%{{http_code}}' https://[::1]:{server.ports[1]}/service/rest/v1/status"
        ).stdout
        == "200"
    )
