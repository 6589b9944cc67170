"""Accounts and data directories on a real host: shared, left over, mounted, and given away. Nexus is played."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.host.doctor import doctor
from tests.host.played import PlayedServer
from tests.host.steps import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = "/var/lib/nexus"


@pytest.fixture(scope="module")
def host_server() -> Iterator[Server]:
    made = PlayedServer.on("steps")
    yield made
    made.wipe()


@pytest.fixture
def server(host_server: Server) -> Iterator[Server]:
    """No account, no data directory and no fact is on the host."""
    yield host_server
    host_server.host.ssh(f"umount {DATA}/deep {DATA} 2>/dev/null; rm -rf /var/lib/other")
    host_server.wipe()


def owner(server: Server, path: str = DATA) -> str:
    return server.host.ssh(f"stat -c '%U:%G %a' {path}").stdout.strip()


def test_purge_empties_mount_and_keeps_mount_point(server: Server) -> None:
    server.host.ssh(f"mkdir -p {DATA} && mount -t tmpfs tmpfs {DATA}")
    server.run("account")
    server.host.ssh(f"mkdir {DATA}/lost+found {DATA}/blobs && touch {DATA}/.hidden {DATA}/blobs/b")
    said = server.run("account", "delete", purge_data=True).stdout
    assert f"{DATA} is empty and stays: it is the mount point of a file system of its own" in said
    assert server.host.ssh(f"ls -A {DATA}").stdout == "lost+found\n"
    assert server.host.ssh(f"stat -c %m {DATA}").stdout == f"{DATA}\n"
    server.run("account", "delete", purge_data=True)


def test_purge_refuses_mounts_below_and_removes_nothing(server: Server) -> None:
    server.run("account")
    server.host.ssh(f"mkdir {DATA}/deep {DATA}/blobs; mount -t tmpfs tmpfs {DATA}/deep && touch {DATA}/deep/mine")
    refused = server.refused("account", "delete", purge_data=True)
    assert refused.startswith(f"purge_data: other file systems are mounted in {DATA}: {DATA}/deep. Nothing was")
    assert server.host.exists(f"{DATA}/deep/mine")
    assert server.host.exists(f"{DATA}/blobs")
    server.host.ssh(f"umount {DATA}/deep")
    server.run("account", "delete", purge_data=True)
    assert not server.host.exists(DATA)


def test_next_system_user_does_not_get_data_that_stays(server: Server) -> None:
    server.run("account")
    server.host.ssh(f"install -D -o nexus -g nexus -m 0600 /dev/null {DATA}/blobs/image")
    uid = server.host.ssh("id -u nexus").stdout.strip()
    server.run("account", "delete")
    assert server.host.ssh("getent passwd nexus; getent group nexus", check=False).stdout == ""
    assert owner(server) == "root:root 700"
    server.host.ssh(f"useradd -r -M -u {uid} stranger")
    assert server.host.ssh(f"runuser -u stranger -- cat {DATA}/blobs/image", check=False).returncode != 0
    server.run("account")
    assert owner(server, f"{DATA}/blobs/image") == "nexus:nexus 600"
    server.host.ssh("userdel stranger")


def test_delete_keeps_group_that_existed_before(server: Server) -> None:
    server.host.ssh("groupadd -r nexus")
    gid = server.host.ssh("getent group nexus").stdout
    server.run("account")
    server.run("account", "delete")
    assert server.host.ssh("getent group nexus").stdout == gid
    assert server.host.ssh("getent passwd nexus", check=False).stdout == ""


def test_delete_keeps_group_that_became_another_users(server: Server) -> None:
    server.run("account")
    server.host.ssh("useradd -r -M -g nexus friend")
    assert "the group nexus stays: it is the user friend's" in server.run("account", "delete").stdout
    server.host.ssh("userdel friend; groupdel nexus")


@pytest.mark.parametrize("made_by_first", [True, False])
def test_shared_account_is_removed_with_last_unit(server: Server, made_by_first: bool) -> None:
    """Then the data directories of both belong to root, because the next account may get its number."""
    first, last = server, replace(server, unit="other", data_dir="/var/lib/other")
    for one in (first, last) if made_by_first else (last, first):
        one.run("account")
    said = first.run("account", "delete").stdout
    assert f"the user nexus stays: {last.unit}.service runs under it" in said or not made_by_first
    assert owner(server, last.data_dir) == owner(server, first.data_dir) == "nexus:nexus 750"
    assert "removed the user nexus" in last.run("account", "delete").stdout
    assert owner(server, last.data_dir) == owner(server, first.data_dir) == "root:root 700"
    assert server.host.ssh("getent group nexus; ls /var/lib/nexus-registry", check=False).stdout == ""


def test_data_directories_in_each_other_are_refused(server: Server) -> None:
    server.run("account")
    other = replace(server, unit="other", data_dir=f"{DATA}/other")
    assert (
        f"data_dir: of {DATA}/other and {DATA}, the data directory of nexus.service, one lies in"
        in other.refused("account")
    )


def test_owner_stays_under_running_process(server: Server) -> None:
    server.run("account")
    hold = f"runuser -u nexus -- sh -c 'exec 3>{DATA}/held; exec sleep 600' >/dev/null 2>&1 </dev/null & sleep 1; "
    pid = server.host.ssh(f"{hold} pgrep -u nexus sleep").stdout.strip()
    moved = replace(server, user="registry", group="registry")
    said = moved.run("account", "update").stdout
    assert f"is in use by sleep (pid {pid}) of another account: the service step gives it to" in said
    assert owner(server) == "nexus:nexus 750"
    server.host.ssh(f"kill {pid}")
    moved.run("account", "update")
    assert owner(server, f"{DATA}/held") == "registry:registry 644"
    assert "removed the user registry" in moved.run("account", "delete").stdout
    assert server.host.ssh("getent passwd nexus registry", check=False).stdout == ""


def test_user_that_shares_uid_is_compared_by_number(server: Server, tmp_path: Path) -> None:
    server.host.ssh("groupadd -r -g 977 alias && groupadd -r -o -g 977 nexus")
    server.host.ssh("useradd -r -M -u 977 -g 977 alias && useradd -r -M -o -u 977 -g 977 nexus")
    assert server.host.ssh("id -un 977").stdout == "alias\n"
    server.up()
    assert f"{DATA}/etc/ssl/keystore.jks is there" in server.run("keystore", "update").stdout
    assert "nothing needs a restart" in server.run("service", "update").stdout
    assert doctor(server, tmp_path)[0] == 0
    for step in ("service", "account"):
        server.run(step, "delete")
    assert server.host.ssh("getent passwd nexus").stdout
    server.host.ssh("userdel nexus; userdel alias; groupdel nexus; groupdel alias; true")


@pytest.mark.parametrize(
    ("setup", "flags", "said"),
    [
        (
            "ln -s /tmp /srv/link",
            {"data_dir": "/srv/link/nexus"},
            "data_dir: /srv/link/nexus leads to /tmp/nexus: the service has a /tmp and /var/tmp of its own",
        ),
        (
            "ln -s /tmp /srv/link",
            {"install_root": "/srv/link/nexus"},
            "install_root: /srv/link/nexus leads to /tmp/nexus: the service has",
        ),
        (
            "ln -s /tmp/java /srv/link && mkdir /tmp/java",
            {"java_home": "/srv/link", "java_major": None},
            "java_home: /srv/link leads to /tmp/java: the service has",
        ),
        ("ln -s /var /srv/link", {"data_dir": "/srv/link/lib"}, "data_dir: /var/lib belongs to the system"),
        (
            "ln -s /srv/data /srv/link",
            {"data_dir": "/srv/data", "install_root": "/srv/link/opt"},
            "install_root: /srv/link/opt lies in data_dir /srv/data",
        ),
        (
            "mkdir -p /opt/nexus/nexus-3.71.0-06 && ln -s nexus-3.71.0-06 /opt/nexus/nexus",
            {"data_dir": "/opt/nexus/nexus/data"},
            "data_dir: /opt/nexus/nexus/data lies in the program of one version",
        ),
    ],
)
def test_symlinked_places_are_refused(server: Server, setup: str, flags: dict[str, Any], said: str) -> None:
    server.host.ssh(setup)
    refused = server.refused("prepare", **flags)
    server.host.ssh("rm -rf /srv/link /tmp/java /opt/nexus")
    assert refused.startswith(said)


def test_only_root_can_hold_lock(server: Server) -> None:
    server.host.ssh("touch /run/nexus-registry.lock && chmod 644 /run/nexus-registry.lock")
    server.run("account")
    assert owner(server, "/run/nexus-registry.lock") == "root:root 600"


def test_destroy_removes_service_whose_create_failed(server: Server) -> None:
    """The state has no resource of a service whose create failed, so the deletes of the other steps remove it."""
    for step in ("prepare", "account", "archive", "keystore"):
        server.run(step)
    program = f"{server.install_root}/nexus-{server.version}/bin/nexus"
    server.host.ssh(f"printf '#!/bin/sh\\nexec sleep 600\\n' >{program}")
    assert "Nexus does not answer after 3 s" in server.refused("service", start_timeout=3)
    assert server.property("ActiveState") == "active"
    server.run("keystore", "delete")
    server.run("archive", "delete")
    server.run("account", "delete", purge_data=True)
    server.run("prepare", "delete")
    left = server.host.ssh(
        "find /etc/systemd/system -name nexus.service; "
        f"ls -d {DATA} {server.install_root} /var/lib/nexus-registry; getent passwd nexus; pgrep -x sleep",
        check=False,
    )
    assert left.stdout == ""
    assert server.property("LoadState") == "not-found"
