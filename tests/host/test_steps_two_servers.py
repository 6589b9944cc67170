"""Two servers on one host: one behind links to /home, below a context path, which gets another user. Nexus is
played."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.host.played import PlayedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS = ("prepare", "account", "archive", "keystore", "service")
HEAP = {step: {"heap_mb": 700} for step in ("prepare", "service")}


@pytest.fixture(scope="module")
def first() -> Iterator[PlayedServer]:
    made = PlayedServer.on("steps", more=HEAP)
    yield made.up()
    made.wipe()


@pytest.fixture(scope="module")
def second(first: PlayedServer) -> Iterator[PlayedServer]:
    """Its unit is an instance of a template made by hand; its directories and Java lead into /home by links."""
    template = "[Service]\nExecStart=/srv/disk/program/nexus/bin/nexus run\n"
    first.host.ssh("cat >/etc/systemd/system/nexus@.service", stdin=template)
    first.host.ssh("mkdir -p /home/disk && ln -sfn /home/disk /srv/disk")
    java = first.host.ssh("cat /var/lib/nexus-registry/nexus/prepare.java-home").stdout.strip()
    first.host.ssh(f"cp -a $(readlink -f {java}) /home/disk/java")
    made = replace(
        first,
        unit="nexus@second",
        install_root="/srv/disk/program",
        data_dir="/srv/disk/data",
        context_path="/nexus",
        ports=PlayedServer(first.host, first.store, "").ports,
        more={
            "prepare": {"heap_mb": 700, "java_home": "/srv/disk/java", "java_major": None},
            "keystore": {"java_home": "/srv/disk/java"},
            "service": {"heap_mb": 700, "java_home": "/srv/disk/java"},
        },
    )
    yield made.up()
    made.wipe()
    made.host.ssh(
        "rm -rf /srv/disk /home/disk /srv/stores /etc/systemd/system/nexus@.service; "
        "for user in registry third; do userdel $user; done 2>/dev/null; true"
    )


def test_both_servers_serve_from_places_of_their_own(first: PlayedServer, second: PlayedServer) -> None:
    for server in (first, second):
        assert server.curl("service/rest/v1/status/writable").endswith("200")
        for step in STEPS:
            server.run(step, "update")
    assert "nothing needs a restart" in second.run("service", "update").stdout


def test_server_serves_below_its_context_path_alone(second: PlayedServer) -> None:
    """Its start was waited for and its first password replaced there; a change of the path restarts it once."""
    assert "nexus-context-path=/nexus\n" in second.host.read("/home/disk/data/etc/nexus.properties")
    assert second.curl("kept").endswith(" 200")
    assert not second.host.exists("/home/disk/data/admin.password")
    assert replace(second, context_path="/").curl("kept").endswith(" 404")
    for path in ("/a/b.c", "/", "/nexus"):
        moved = replace(second, context_path=path)
        assert moved.run("service", "update").stdout.count("restarting nexus@second.service") == 1
        assert moved.curl("kept").endswith(" 200")


def test_install_root_of_another_server_is_refused(first: PlayedServer, second: PlayedServer) -> None:
    for step in ("prepare", "service"):
        refused = second.refused(step, install_root=first.install_root)
        assert refused.startswith("install_root: nexus.service runs from /opt/nexus. Give each server"), refused


def test_another_user_takes_over_with_one_stop(first: PlayedServer, second: PlayedServer) -> None:
    """The server writes until the service step stops it; the former account stays while the first server has it.

    A further change of the user, which fails, is undone.
    """
    before = second.property("MainPID")
    second.host.ssh(
        "install -d -o nexus -g nexus /srv/stores/linked/content /srv/stores/other && "
        "chown nexus:nexus /srv/stores/linked && ln -s /srv/stores/linked /home/disk/data/linked"
    )
    second.user = second.group = "registry"
    second.run("prepare", "update")
    assert "the service step gives it to registry:registry" in second.run("account", "update").stdout
    second.run("keystore", "update")
    assert second.property("MainPID") == before
    assert second.curl("service/rest/v1/status/writable").endswith("200")
    assert second.served() == second.store.fingerprint
    assert second.curl("kept", "-X", "PUT", "-d", "what people stored").endswith(" 204")
    refused = second.refused("service", "update", http_port=first.host.ssh_port)
    assert refused.startswith(f"http_port: {first.host.ssh_port} is in use by sshd"), refused
    assert second.property("MainPID") == before
    done = second.run("service", "update").stdout
    assert done.count("stopping nexus@second.service") == 1
    assert second.property("User") == "registry"
    owned_by_others = "find /home/disk/data /srv/stores/linked ! -user registry -o ! -group registry"
    assert second.host.ssh(owned_by_others).stdout == ""
    assert "give it by hand: chown -R registry:registry /srv/stores/other" in done  # it may be the first server's
    assert second.curl("kept") == "what people stored 200"
    assert "nothing needs a restart" in second.run("service", "update").stdout
    change_of_owner_that_fails_is_undone(second)


def change_of_owner_that_fails_is_undone(second: PlayedServer) -> None:
    second.user = second.group = "third"
    second.run("account", "update")
    unit = "/etc/systemd/system/nexus@second.service"
    second.host.ssh(f"mount --bind {unit} {unit} && mount -o remount,bind,ro {unit}")
    refused = second.run("service", "update", check=False)
    second.host.ssh(f"umount {unit}")
    assert refused.returncode == 1, refused.stdout
    assert "giving /srv/disk/data back to its former owner" in refused.stdout
    owners = "stat -c %U /home/disk/data /srv/stores/linked/content"
    assert second.host.ssh(f"rm /home/disk/data/linked; {owners}").stdout == "registry\n" * 2
    done = second.run("account", "update").stdout + second.run("service", "update").stdout
    assert second.property("User") == "third"
    assert second.host.ssh(f"{owners}; rm -r /srv/stores").stdout == "third\n" * 2, done
    assert second.host.ssh("getent passwd registry; getent group registry", check=False).stdout == ""


def test_delete_of_one_leaves_other_running(first: PlayedServer, second: PlayedServer) -> None:
    pid = second.property("MainPID")
    for step in reversed(STEPS):
        first.run(step, "delete")
    assert second.property("MainPID") == pid
    assert second.curl("service/rest/v1/status/writable").endswith("200")
    assert not first.host.exists("/opt/nexus")
    account = first.host.ssh(f"getent passwd {first.user}", check=False).stdout
    assert bool(account) == (second.user == first.user)
    first.up()


def test_no_file_of_server_is_open_to_others(second: PlayedServer) -> None:
    """Nobody but root and the service reads data and facts, and nobody but root writes program and unit."""
    found = second.host.ssh(
        "find /home/disk/data /var/lib/nexus-registry /run/nexus-registry /run/nexus-registry.lock "
        "\\( -type f -o -type d \\) -perm /007; "
        "find /home/disk/program /etc/systemd/system/nexus@second.service "
        "! -type l \\( ! -user root -o -perm /022 \\)"
    ).stdout
    assert found == ""
    secrets = second.host.ssh(
        f"for pid in $(pgrep -u {second.user}); do cat /proc/$pid/environ /proc/$pid/cmdline; done"
    ).stdout
    assert "/bin/nexus" in secrets
    assert second.admin_password not in secrets
    assert second.store.password not in secrets
