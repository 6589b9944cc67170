"""The ports that a step opens in a real firewalld, which has a network namespace of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from nexus_registry.components.host import steps

from sandbox.shell import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.host import Host

# Without the drop-in the daemon would change the rules of the machine that the hosts share.
_INSTALL = """set -e
mkdir -p /etc/systemd/system/firewalld.service.d
printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/unshare -Urn /usr/sbin/firewalld --nofork --nopid\\n' \\
    >/etc/systemd/system/firewalld.service.d/namespace.conf
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends netbase nftables
apt-get install -y -q --no-install-recommends firewalld
firewall-cmd --state
"""


@pytest.fixture
def host(fresh_host: Callable[[], Host]) -> Host:
    made = fresh_host()
    made.ssh(_INSTALL)
    return made


@pytest.mark.nightly
def test_firewalld_ports_follow_open_firewall(host: Host) -> None:
    first, second = free_port(), free_port()

    def run(verb: steps.Verb, port: int, **flags: Any) -> str:
        line = steps.command(verb, {"unit": "nexus", "for": "team", "https_port": port, **flags}, sudo=False)
        return host.ssh(line, stdin=steps.stdin("port", {})).stdout

    def ports(command: str) -> set[str]:
        return {*host.ssh(f"{command} --list-ports").stdout.split()}

    def opened() -> tuple[set[str], set[str]]:
        return ports("firewall-cmd"), ports("firewall-cmd --permanent")

    assert f"does not list {first}/tcp. Set open_firewall" in run("create", first)
    host.ssh("firewall-cmd -q --add-port=9/udp")
    run("update", first, open_firewall=True)
    assert opened() == ({f"{first}/tcp", "9/udp"}, {f"{first}/tcp"}), "nothing was reloaded"
    run("update", second, open_firewall=True)
    assert opened() == ({f"{second}/tcp", "9/udp"}, {f"{second}/tcp"})
    run("update", second)
    assert opened() == ({"9/udp"}, set())
    run("update", second, open_firewall=True)
    host.ssh("systemctl stop firewalld")
    assert f"firewalld: closed {second}/tcp" in run("delete", second, open_firewall=True)
    assert ports("firewall-offline-cmd") == set()
    host.ssh("systemctl start firewalld")
    assert opened() == (set(), set())
