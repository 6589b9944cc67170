"""A change of the unit's name on a real systemd host, with one that systemd escapes. Nexus is played."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.host.played import PlayedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = ("prepare", "account", "archive", "keystore", "service")


@pytest.fixture
def server() -> Iterator[PlayedServer]:
    made = PlayedServer.on("steps")
    yield made.up()
    made.wipe()


@pytest.fixture
def renamed(server: PlayedServer) -> Iterator[PlayedServer]:
    """The same server, whose unit and install_root are to have other names."""
    made = replace(server, unit="_nexus", install_root="/srv/renamed")
    for step in STEPS[:-1]:
        made.run(step, "update")
    yield made
    made.wipe()


def test_refused_change_of_unit_leaves_former_one_running(server: PlayedServer, renamed: PlayedServer) -> None:
    host, log = server.host, f"{server.data_dir}/log"
    assert server.curl("kept", "-X", "PUT", "-d", "what people stored").endswith(" 204")
    before = server.property("MainPID")
    host.ssh(f"mv {log} {log}s && ln -s logs {log}")
    assert f"{log} is a symbolic link" in renamed.refused("service", "update")
    host.ssh("until systemctl is-active -q nexus; do sleep 0.2; done", check=False)
    assert server.property("MainPID") not in (before, "0")
    assert not host.exists("/etc/systemd/system/_nexus.service")
    host.ssh(f"rm {log} && mv {log}s {log} && cp /etc/systemd/system/nexus.service /srv/former")
    done = renamed.run("service", "update").stdout
    assert "nexus.service becomes _nexus.service" in done
    assert renamed.curl("kept") == "what people stored 200"
    assert {renamed.install_root, renamed.data_dir} <= {*renamed.property("RequiresMountsFor").split()}
    assert host.ssh("ls -d /etc/systemd/system/nexus.service /opt/nexus", check=False).stdout == ""
    assert host.ssh("ls /var/lib/nexus-registry").stdout == "_nexus\n"
    host.ssh(  # as a run leaves it that is cut when the new unit is written
        "mv /srv/former /etc/systemd/system/nexus.service && systemctl daemon-reload && systemctl -q enable nexus "
        "&& echo nexus >/var/lib/nexus-registry/_nexus/service.former-unit"
    )
    done = renamed.run("service", "update").stdout
    assert "stopped and removed nexus.service" in done
    assert "nothing needs a restart" in done


def test_drop_in_and_unit_without_install_are_named(server: PlayedServer) -> None:
    """A unit by hand takes the place of the program's, on its data."""
    host, unit = server.host, "/etc/systemd/system/nexus.service"
    host.ssh(
        f"sed -i -e '/nexus-registry/d' -e '/Install/,$d' {unit} && systemctl -q disable nexus && "
        f"mkdir {unit}.d && printf '[Service]\\nNice=5\\n' >{unit}.d/nice.conf && systemctl daemon-reload"
    )
    before = server.property("MainPID")
    said = server.refused("service", "update")
    assert said.startswith("unit: drop-ins change nexus.service")
    assert f": {unit}.d/nice.conf. Move them away" in said
    assert server.property("MainPID") == before
    other = replace(server, unit="other")
    host.ssh(f"rm -r {unit}.d")  # an enabled unit lists the file until systemd reloads
    assert f"(systemctl stop nexus; rm {unit}; systemctl daemon-reload)" in other.refused("prepare")
    done = server.run("service", "update").stdout
    assert f"taking over {unit}" in done
    assert "serves HTTP" in done


def test_stopped_unit_of_a_package_is_overridden(server: PlayedServer) -> None:
    """systemd must read the new unit, which takes precedence over the one that it has loaded."""
    host, unit = server.host, "/etc/systemd/system/nexus.service"
    packaged = unit.replace("/etc", "/usr/lib")
    host.ssh(
        f"systemctl -q disable --now nexus && sed -e /nexus-registry/d -e s/^UMask=.*/UMask=0027/ {unit} "
        f">{packaged} && rm {unit} && systemctl daemon-reload && systemctl -q enable nexus"  # enable reloads, too
    )
    try:
        assert server.property("UMask") == "0027"
        assert f"taking over {packaged}" in server.run("service", "update").stdout.replace(" /lib", " /usr/lib")
        assert server.property("FragmentPath") == unit
        assert server.property("UMask") == "0077"
    finally:
        host.ssh(f"rm -f {packaged}")
