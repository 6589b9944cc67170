"""The demo and an upgrade on the vendor's archive."""

from __future__ import annotations

import json

import pytest
from nexus_registry.providers.compat import release

from sandbox import demo
from sandbox.archive import VERSION, nexus_archive
from sandbox.dev import passing_dev_stack
from tests.host.steps import Server

REST = "service/rest/v1"
JSON = ("-H", "Content-Type: application/json")


def test_demo() -> None:
    """A bare host becomes a registry that the real Docker client uses, and the second ``up`` changes nothing."""
    with passing_dev_stack("vendor", engine="sandbox") as dev, dev.docker() as docker:
        created = dev.stack.up()
        assert created.ok, created.error
        demo.prove(dev, docker, say=print)
        again = dev.stack.up(expect_no_changes=True)
        assert again.ok, again.error


def test_upgrade_keeps_data() -> None:
    """The archive replaces Nexus Core, keeps its data, and has the docker format."""
    archive = nexus_archive()
    if release(archive.version) <= release(VERSION):
        pytest.skip(f"{archive.name} is not newer than {VERSION}")
    server = Server.on("vendor-upgrade", version=VERSION).up()
    try:
        storage = {"blobStoreName": "default", "strictContentTypeValidation": True, "writePolicy": "ALLOW"}
        raw = json.dumps({"name": "files", "online": True, "storage": storage})
        assert server.curl(f"{REST}/repositories/raw/hosted", *JSON, "-d", raw).endswith(" 201")
        put = server.curl("repository/files/a.txt", "-H", "Content-Type: text/plain", "-X", "PUT", "-d", "kept")
        assert put == " 201"

        server.put_archive(archive)
        for step in ("prepare", "archive", "keystore", "service"):
            server.run(step, "update")
        assert server.host.ssh(f"readlink {server.install_root}/nexus").stdout == f"nexus-{archive.version}\n"
        eula, _, status = server.curl(f"{REST}/system/eula").rpartition(" ")
        if status == "200":
            accepted = json.dumps({**json.loads(eula), "accepted": True})
            assert server.curl(f"{REST}/system/eula", *JSON, "-d", accepted).endswith(" 204")
        assert server.curl("repository/files/a.txt") == "kept 200"
        docker = json.dumps(
            {"name": "images", "online": True, "storage": storage}
            | {"docker": {"v1Enabled": False, "forceBasicAuth": True}}
        )
        assert server.curl(f"{REST}/repositories/docker/hosted", *JSON, "-d", docker).endswith(" 201")
    finally:
        server.wipe()
