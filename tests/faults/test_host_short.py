"""Shortage and damage on the host: disk, archive, package manager."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.faults.report import record
from tests.host.steps import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server.on("short")
    made.run("prepare")
    yield made
    made.host.ssh("umount /opt/nexus /var/lib/nexus/etc/ssl; true")
    made.wipe()


def noted(fault: str, step: str, said: str, first: str = "refused") -> None:
    record(
        lane="host",
        subject=step,
        operation="create, on a host where something runs short",
        fault=fault,
        first=first,
        second="done",
        sentence=said,
    )


def test_full_disk_while_unpacking_leaves_nothing(server: Server) -> None:
    server.host.ssh("mkdir -p /opt/nexus && mount -t tmpfs -o size=100m tmpfs /opt/nexus")
    said = server.refused("archive")
    assert said.startswith("install_root: the disk of /opt/nexus is full. Free space"), said
    assert server.host.ssh("ls -A /opt/nexus").stdout.strip() == ""
    server.host.ssh("mount -o remount,size=2g /opt/nexus")
    server.run("archive")
    assert server.host.exists("/opt/nexus/nexus-3.71.0-06/bin/nexus")
    noted("disk full while unpacking", "archive", said)


def test_full_disk_keeps_old_keystore(server: Server) -> None:
    server.run("account")
    server.run("archive")
    server.run("keystore")
    folder = f"{server.data_dir}/etc/ssl"
    server.host.ssh(
        f"cp -a {folder}/keystore.jks /root/kept && mount -t tmpfs -o size=16k tmpfs {folder} && "
        f"cp -a /root/kept {folder}/keystore.jks && head -c 1m /dev/zero > {folder}/filler; true"
    )
    before = server.host.ssh(f"sha256sum < {folder}/keystore.jks").stdout
    other = server.with_store(type(server.store).make("another password"))
    said = other.refused("keystore", "update")
    assert "Free space on the disk of /var/lib/nexus/etc/ssl" in said
    assert server.host.ssh(f"sha256sum < {folder}/keystore.jks").stdout == before
    server.host.ssh(f"rm {folder}/filler")
    other.run("keystore", "update")
    assert server.host.ssh(f"ls -A {folder}").stdout.split() == ["keystore.jks"]
    noted("disk full while writing the keystore", "keystore", said)


def test_truncated_archive_is_refused(server: Server) -> None:
    server.run("archive", "delete")
    server.host.ssh("cp /srv/nexus.tar.gz /srv/cut.tar.gz && truncate -s -1000 /srv/cut.tar.gz")
    said = server.refused("archive", url="file:///srv/cut.tar.gz")
    assert "archive_sha256" in said
    server.run("archive")
    noted("archive corrupted", "archive", said)


def test_another_package_manager_is_waited_for_by_name(server: Server) -> None:
    lock = "import fcntl, time; f = open('/var/lib/dpkg/lock-frontend', 'w'); fcntl.lockf(f, 2); time.sleep(7)"
    server.host.ssh("dpkg --remove --force-depends curl >/dev/null 2>&1")
    server.host.ssh(f'python3 -c "{lock}" >/dev/null 2>&1 </dev/null & sleep 0.5')
    shown = server.run("prepare").stdout
    assert "waiting for another package manager: python3 (pid " in shown
    assert "installing curl" in shown
    noted("package manager locked by another process", "prepare", shown, first="done")
