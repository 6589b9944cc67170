"""A NexusServer that is renamed, or replaced, keeps its host. Nexus is played; host, SSH and engine are real."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox import host as hosts
from sandbox.pki import Authority
from sandbox.stack import open_stack
from tests.host.played import PlayedServer

from .conftest import ENGINES, PASSPHRASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.stack import Stack

VERSION = "3.19.1-01"
"""A version without a REST API, so that the component consists of host steps."""


@pytest.fixture
def server() -> Iterator[PlayedServer]:
    yield PlayedServer.on("renamed-server", version=VERSION, admin_password="admin-1")
    hosts.down("renamed-server")


@pytest.fixture
def stack(request: pytest.FixtureRequest, server: PlayedServer, tmp_path: Path) -> Stack:
    program = tmp_path / "program"
    shutil.copytree(Path(__file__).parent / "programs/server", program)
    (program / ".venv").symlink_to(sys.prefix)
    made = open_stack(request.param, program=program, name="dev", work=tmp_path / "work", passphrase=PASSPHRASE)
    host, issued = server.host, Authority.create("Test CA").issue(["localhost", "127.0.0.1"])
    ssh = {"host": host.address, "port": host.ssh_port, "host_key": host.host_key}
    host.ssh("apt-get update -q && apt-get install -y -q openjdk-17-jre-headless")
    arguments = {
        "version": VERSION,
        "archive_path": "/srv/nexus.tar.gz",
        "archive_sha256": server.sha256,
        "java_home": host.ssh("ls -d /usr/lib/jvm/java-17-*").stdout.split()[0],
        "hostname": "localhost",
        "http_port": server.ports[0],
        "https_port": server.ports[1],
        "address": "127.0.0.1",
        "certificate": issued.certificate_pem,
        "chain": issued.chain_pem,
        "purge_data": True,
    }
    made.set_config("name", "nexus")
    made.set_config("ssh", {**ssh, "private_key": host.private_key}, secret=True)
    made.set_config("arguments", arguments)
    for key, value in {"admin_password": "admin-1", "keystore_password": "keystore-1"}.items():
        made.set_config(key, value, secret=True)
    made.set_config("private_key", issued.private_key_pem, secret=True)
    return made


@pytest.mark.parametrize("stack", ENGINES, indirect=True)
def test_renamed_or_replaced_server_is_kept(stack: Stack, server: PlayedServer) -> None:
    done = stack.up()
    assert done.ok, done
    server.curl("kept", "-X", "PUT", "-d", "what people stored")
    process = server.property("MainPID")
    for name, alias in (("server", ""), ("nexus", ""), ("other", "nexus")):
        stack.set_config("name", name)
        stack.set_config("alias", alias)
        done = stack.up()
        assert done.ok, done
        assert (server.curl("kept"), server.property("MainPID")) == ("what people stored 200", process)
        assert stack.up(expect_no_changes=True).ok
    (service,) = (one["urn"] for one in stack.export()["resources"] if one["urn"].endswith("other-service"))
    done = stack.up(replace=[service])
    assert done.ok, done
    assert server.curl("kept") == "what people stored 200"
    assert stack.up(expect_no_changes=True).ok
    assert stack.destroy().ok
    left = server.host.ssh("ls -d /etc/systemd/system/nexus.service /opt/nexus /var/lib/nexus*", check=False)
    assert left.stdout == ""
