"""A change of version on a host with real servers: forth, back when it fails, and after a run that was killed."""

from __future__ import annotations

import json
import re
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from sandbox import host as hosts
from sandbox import rootfs
from tests.host.steps import Server

from .conftest import FULL

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD, NEW = "3.41.1-01", "3.62.0-01"
JOURNAL = "/var/lib/nexus-registry/nexus/service.upgrade"
STEP = r"$(sed -n 's/.*pid \([0-9]*\)$/\1/p' /run/nexus-registry.lock)"
KILL_THE_STEP = f"kill -9 -- -$(cut -d' ' -f5 /proc/{STEP}/stat)"
KILL_NEXUS = "kill -9 $(systemctl show --value -p MainPID nexus)"
NEXUS = "service/rest/v1"


@pytest.fixture(scope="module")
def on_host() -> Iterator[Server]:
    rootfs.install_java_8(hosts.up("upgrade"))
    made = Server.on("upgrade", version=OLD)
    yield made
    made.wipe()


@pytest.fixture
def server(on_host: Server) -> Server:
    """It runs the old version with a role, a user, a repository and a file in it; made anew if it does not."""
    made = on_host
    made.turn_to(OLD)
    if f"Server: Nexus/{OLD} " in made.curl(f"{NEXUS}/status", "-i", check=False):
        return made
    made.wipe()
    made.up()
    role = {
        "id": "team",
        "name": "team",
        "description": "",
        "privileges": ["nx-repository-view-*-*-*"],
        "roles": [],
    }
    user = {"userId": "jo", "firstName": "Jo", "lastName": "Doe", "emailAddress": "jo@test.invalid"}
    storage = {"blobStoreName": "default", "strictContentTypeValidation": True, "writePolicy": "ALLOW"}
    for path, body in (
        ("security/roles", role),
        ("security/users", {**user, "password": "jo's", "status": "active", "roles": ["team"]}),
        ("repositories/raw/hosted", {"name": "files", "online": True, "storage": storage}),
    ):
        sent = made.curl(f"{NEXUS}/{path}", "-H", "Content-Type: application/json", "-d", json.dumps(body))
        assert sent.endswith((" 200", " 201")), sent
    put = made.curl("repository/files/a.txt", "-H", "Content-Type: text/plain", "-X", "PUT", "-d", "kept")
    assert put == " 201"
    return made


@contextmanager
def when(server: Server, seen: str, then: str) -> Iterator[None]:
    """Within a tenth of a second of the first command's success on the host, the second one is run there."""
    watch = f"for i in $(seq 3000); do if {seen}; then {then}; exit; fi; sleep 0.05; done; exit 9"
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(server.host.ssh(watch, check=False).returncode))
    thread.start()
    yield
    thread.join()
    assert done == [0]


def phase(name: str) -> str:
    return f"grep -qs '^phase {name}' {JOURNAL}"


def install_new(server: Server) -> None:
    """Everything of the new version up to the step that changes the version."""
    server.turn_to(NEW)
    for step in ("prepare", "archive", "keystore"):
        server.run(step, "update")


def assert_runs(server: Server, version: str) -> None:
    """It is this version, everywhere, and holds what was made."""
    assert f"Server: Nexus/{version} " in server.curl(f"{NEXUS}/status", "-i")
    assert server.host.ssh(f"readlink {server.install_root}/nexus").stdout == f"nexus-{version}\n"
    assert server.host.read(f"{server.data_dir}/etc/nexus-registry.version") == f"{version}\n"
    assert server.served() == server.store.fingerprint
    assert '"nx-repository-view-*-*-*"' in server.curl(f"{NEXUS}/security/roles/team")
    assert '"roles" : [ "team" ]' in server.curl(f"{NEXUS}/security/users?userId=jo")
    assert server.curl("repository/files/a.txt") == "kept 200"
    until = time.monotonic() + 300
    while '"name" : "a.txt"' not in (found := server.curl(f"{NEXUS}/search?repository=files")):
        assert time.monotonic() < until, found
        time.sleep(1)
    assert not server.host.exists(JOURNAL)
    assert server.property("UnitFileState") == "enabled"


@pytest.mark.full_faults
def test_upgrade_without_rollback_is_refused(server: Server) -> None:
    copies = f"find {server.data_dir}/upgrade-copy 2>/dev/null; true"  # of a test before
    before = server.property("MainPID"), server.host.ssh(copies).stdout
    for version, said in (
        ("3.26.0-01", "which is older and can't read them. Set version to 3.41.1-01 or a newer one"),
        ("3.71.0-06", "which has no OrientDB. On version 3.70 move the data to H2 with Sonatype's"),
        ("3.62.0-02", "has no etc/jetty/jetty-https.xml. Give the archive of the vendor"),
    ):
        other = f"{server.install_root}/nexus-{version}"
        server.host.ssh(f"mkdir -p {other}/bin && cp -p /bin/true {other}/bin/nexus")
        assert said in server.refused("service", "update", version=version)
        server.host.ssh(f"rm -r {other}")
    server.host.ssh(f"cd {server.data_dir} && mv keystores /srv/ && ln -s /srv/keystores keystores")
    install_new(server)
    assert "keystores is a link or a disk of its own" in server.refused("service", "update")
    server.host.ssh(f"cd {server.data_dir} && rm keystores && mv /srv/keystores .")
    assert (server.property("MainPID"), server.host.ssh(copies).stdout) == before


def test_failed_upgrade_restores_migrated_database(server: Server) -> None:
    install_new(server)
    models = f"{server.data_dir}/db/model.properties"
    before = server.host.read(models)
    changed = f"grep -q '^Upgrade complete' {server.data_dir}/log/nexus.log"
    with when(server, changed, KILL_NEXUS), when(server, phase("back"), KILL_THE_STEP):
        killed = server.run("service", "update", check=False)
    assert killed.returncode not in (0, 1)
    server.host.ssh(
        f"printf '#!/bin/sh\\necho no such Java >&2\\nexit 83\\n' >{server.install_root}/nexus-{NEW}/bin/nexus"
    )
    done = server.run("service", "update", check=False)
    server.host.ssh(f"rm -r {server.install_root}/nexus-{NEW}")
    assert f"an earlier run was cut while it changed the version from {OLD} to {NEW}\n" in done.stdout
    assert f"version, configuration and database are those of {OLD}\nchanging the version" in done.stdout
    assert done.returncode == 1
    assert "no such Java" in done.stderr
    said = done.stderr.strip().splitlines()[-1]
    # systemd notices the end of a program that ends at once before or after its start.
    ended = r"(Nexus ended during its start after|nexus\.service could not be started\.) "
    assert re.match(rf"version: the change from {OLD} to {NEW} failed\. The reason: host: {ended}", said)
    assert said.endswith(f" Version {OLD} runs again, with its configuration and database.")
    assert server.host.read(models) == before
    assert_runs(server, OLD)


def test_upgrade_keeps_data_and_has_no_way_down(server: Server) -> None:
    if FULL:
        upgrade_killed_in_any_phase_is_completed_by_next_run(server)
    upgrade_keeps_data_and_old_version(server)
    downgrade_is_refused_and_delete_removes_versions(server)


def upgrade_killed_in_any_phase_is_completed_by_next_run(server: Server) -> None:
    install_new(server)
    for name in ("copy", "change", "start"):
        with when(server, phase(name), KILL_THE_STEP):
            assert server.run("service", "update", check=False).returncode not in (0, 1)
    server.host.reboot()
    done = server.run("service", "update")
    assert f"Nexus {NEW} is starting since then" in done.stdout
    assert "restarting" not in done.stdout


def upgrade_keeps_data_and_old_version(server: Server) -> None:
    install_new(server)
    server.run("service", "update")
    assert_runs(server, NEW)
    assert server.host.ssh(f"ls {server.data_dir}/upgrade-copy").stdout == f"{OLD}\n"
    assert server.host.exists(f"{server.install_root}/nexus-{OLD}/bin/nexus")
    assert "nothing needs a restart" in server.run("service", "update").stdout


def downgrade_is_refused_and_delete_removes_versions(server: Server) -> None:
    refused = server.refused("service", version=OLD)
    assert f"which is older and can't read them. Set version to {NEW}" in refused
    server.run("service", "delete", version=OLD)  # the state after a change that failed
    server.run("archive", "delete")
    assert not server.host.exists(server.install_root)
    assert server.host.exists(f"{server.data_dir}/db")
