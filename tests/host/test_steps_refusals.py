"""What the host steps refuse, and how they wait for each other, on a real host without a Nexus."""

from __future__ import annotations

import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.host.steps import Server

if TYPE_CHECKING:
    from collections.abc import Iterator


NAME = "step archive of unit nexus, since 12:00:00, pid 42"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server.on("steps")
    made.run("prepare")
    yield made
    made.wipe()


def test_archive_with_other_checksum_is_refused(server: Server) -> None:
    expected = "0" * 64
    refused = server.refused("archive", sha256=expected)
    assert refused.startswith("archive_sha256: the checksum of file:///srv/")
    assert f" is {server.sha256}, not {expected}. " in refused
    assert not server.host.ssh("ls -A /opt/nexus").stdout


def test_archive_of_another_version_is_refused(server: Server) -> None:
    assert "contains nexus-3.71.0-06, not nexus-3.72.0-04" in server.refused("archive", version="3.72.0-04")
    assert not server.host.ssh("ls -A /opt/nexus").stdout


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"url": "file:///srv/none.tar.gz"}, "archive_url: file:///srv/none.tar.gz could not be downloaded"),
        ({"url": "http://127.0.0.1:9/n.tar.gz"}, "archive_url: http://127.0.0.1:9/n.tar.gz could not be"),
        ({"url": "ftp://host/n.tar.gz"}, "archive_url: must begin with https://, http:// or file:///"),
        ({"url": None, "path": "/srv/none"}, "archive_path: there is no file /srv/none on the host"),
        ({"url": None}, "archive_url: is required, unless archive_path is given"),
        ({"path": "/srv/nexus.tar.gz"}, "archive_url: excludes archive_path"),
    ],
)
def test_missing_archive_is_refused(server: Server, source: dict[str, Any], said: str) -> None:
    assert said in server.refused("archive", **source)


def test_archive_on_host_unpacks_versions_side_by_side(server: Server) -> None:
    server.host.ssh("mkdir -p /opt/nexus/nexus-3.70.1-02/bin")
    assert "the checksum holds" in server.run("archive", url=None, path="/srv/nexus.tar.gz").stdout
    assert "from this archive" in server.run("archive", url=None, path="/srv/nexus.tar.gz").stdout
    server.run("archive", "delete")
    assert server.host.ssh("ls /opt/nexus").stdout == "nexus-3.70.1-02\n"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"heap_mb": 9_999_999}, "heap_mb: 9999999 MB is more than two thirds of this host's"),
        ({"min_disk_mb": 99_999_999}, "min_disk_mb: install_root /opt/nexus has"),
        ({"java_home": "/opt/java"}, "java_home: there is no working /opt/java/bin/java"),
        ({"java_major": 8}, "no package openjdk-8-jre-headless. Install Java 8 by hand and name it in java_home"),
        ({"java_package": "no-such-java"}, "has no package no-such-java. "),
        ({"java_major": None, "java_package": "x"}, "java_package: the archive of this version contains its Java"),
    ],
)
def test_unsuitable_host_is_refused(server: Server, flags: dict[str, Any], said: str) -> None:
    assert said in server.refused("prepare", **flags)


def test_java_of_another_version_is_refused(server: Server) -> None:
    server.run("prepare")
    home = server.host.ssh("cat /var/lib/nexus-registry/nexus/prepare.java-home").stdout.strip()
    refused = server.refused("prepare", java_home=home, java_major=8)
    assert refused.startswith(f"java_home: {home} is Java 17, and this version of Nexus needs Java 8. Give")
    assert f"Java 17 is at {home}" in server.run("prepare", java_home=home).stdout
    assert "the archive brings its own" in server.run("prepare", java_major=None).stdout


def test_unreadable_keystore_is_not_installed(server: Server) -> None:
    for step in ("prepare", "account", "archive"):
        server.run(step)
    good = server.store
    server.store = type(good)(good.content, "not the password", good.fingerprint)
    assert "can't open it with keystore_password" in server.refused("keystore")
    server.store = type(good)(good.content, good.password, "ab" * 32)
    assert "not " + "ab" * 32 in server.refused("keystore")
    server.store = type(good)(good.content, " blanks ", good.fingerprint)
    assert "must not begin or end with a blank" in server.refused("keystore")
    server.store = good
    assert not server.host.exists(f"{server.data_dir}/etc/ssl/keystore.jks")


def test_symlinks_for_root_are_refused(server: Server) -> None:
    server.run("account")
    server.host.ssh(f"rm -rf {server.data_dir}/etc && ln -s /etc {server.data_dir}/etc")
    assert "is a symbolic link: root does not write through it" in server.refused("keystore")
    server.host.ssh(f"rm {server.data_dir}/etc")


def test_user_without_sudo_is_refused(server: Server) -> None:
    assert "data directory" in server.run("account", login="deploy").stdout
    refused = server.refused("account", login="limited")
    assert refused == (
        "ssh.user: sudo does not let limited become root without a password (a password is required). "
        "Add a NOPASSWD rule for limited to sudoers, without requiretty, or connect as root."
    )


def test_root_is_no_user_for_nexus(server: Server) -> None:
    assert "user: Nexus must not run as root" in server.refused("account", user="root")


def test_second_step_waits_and_names_first(server: Server) -> None:
    lock = "/run/nexus-registry.lock"
    holder = f"rm -f /tmp/go; exec 9>>{lock}; flock 9; echo '{NAME}' >{lock}; "
    holder += f"until [ -e /tmp/go ] && pgrep -x flock; do sleep 0.1; done; : >{lock}"
    hold = threading.Thread(target=server.host.ssh, args=(holder,))
    hold.start()
    server.host.ssh(f"until grep -q 'pid 42$' {lock}; do sleep 0.1; done")
    refused = server.refused("account", lock_timeout=1)
    server.host.ssh("touch /tmp/go")
    waited = server.run("account").stdout
    hold.join()
    assert refused == f"host: another step is running here: {NAME}. Run again when it has ended."
    assert f"waiting for another step on this host: {NAME}" in waited


def test_two_steps_run_one_after_other(server: Server) -> None:
    server.run("archive", "delete")
    done: list[subprocess.CompletedProcess[str]] = []
    steps = [threading.Thread(target=lambda: done.append(server.run("archive"))) for _ in range(2)]
    for step in steps:
        step.start()
    for step in steps:
        step.join()
    shown = "".join(each.stdout for each in done)
    assert shown.count("unpacked Nexus") == 1
    assert "waiting for another step on this host: step archive of unit nexus, since" in shown
    assert "from this archive" in shown
