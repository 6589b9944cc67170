"""A backup of a server that the program made, and its restore on a new host, by the commands of the page."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from shutil import copyfile
from typing import Any

import pytest
import requests

from sandbox import host as hosts
from sandbox.dev import ARCHIVE_ON_HOST, Dev, passing_dev_stack
from sandbox.host import Host
from sandbox.paths import PROJECT
from sandbox.shell import run
from tests.contract.docker_api import Registry

pytestmark = [pytest.mark.nightly, pytest.mark.xdist_group("restore")]

COLD, RESTORE = (
    textwrap.dedent(code)
    for code in re.findall(
        r"^ *```sh\n(.*?)^ *```", (PROJECT / "docs/how-to/backup.md").read_text(), re.MULTILINE | re.DOTALL
    )
)
CONTENT = b"a file of the backup" * 1000


@pytest.fixture
def dev() -> Iterator[Dev]:
    with passing_dev_stack("backup") as made:
        yield made


@pytest.fixture
def new_host() -> Iterator[Host]:
    """Bare, but for the tool that the page uses and the archive."""
    yield hosts.up("restored")
    hosts.down("restored")


def on(host: Host, commands: str) -> None:
    host.ssh(
        "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y rsync && mkdir -p /backup"
    )
    host.ssh(f"set -eu\n{commands}")


def nexus(dev: Dev, method: str, path: str, **more: Any) -> requests.Response:
    answer = requests.request(
        method, f"{dev.url}/{path}", timeout=60, auth=("admin", dev.facts["admin_password"]),
        verify=str(dev.folder / "ca/ca.pem"), **more,
    )  # fmt: skip
    answer.raise_for_status()
    return answer


def registry(dev: Dev, password: str = "") -> Registry:
    login = ("ci", password or dev.facts["ci_password"])
    return Registry(f"https://{dev.login_server}", auth=login, verify=str(dev.folder / "ca/ca.pem"))


def test_restore_on_new_host_has_what_was_saved(dev: Dev, new_host: Host) -> None:
    dev.settle()
    storage = {"blobStoreName": "default", "strictContentTypeValidation": False, "writePolicy": "ALLOW"}
    body = {"name": "files", "online": True, "storage": storage}
    nexus(dev, "POST", "service/rest/v1/repositories/raw/hosted", json=body)
    nexus(dev, "PUT", "repository/files/saved", data=CONTENT)
    assert registry(dev).push("docker-hosted/app", "1").status_code == 201
    on(dev.host, COLD)
    dev.settle(write_policy="ALLOW_ONCE", user_passwords={"ci": "changed-1"})  # after the backup

    dev.host.stop()
    run(["cp", "-a", dev.host.root / "backup", new_host.root])
    copyfile(dev.archive.path, new_host.root / ARCHIVE_ON_HOST.lstrip("/"))
    on(new_host, RESTORE)
    place = {"ssh_host": new_host.address, "ssh_host_key": new_host.host_key, "ssh_port": new_host.ssh_port}
    dev.stack.set_config("ssh_private_key", new_host.private_key, secret=True)
    dev.settle(**place)
    assert nexus(dev, "GET", "repository/files/saved").content == CONTENT
    assert registry(dev).call("GET", "/v2/docker-hosted/app/manifests/1").status_code == 200

    def write_policy() -> str:
        found = nexus(dev, "GET", "service/rest/v1/repositories/docker/hosted/docker-hosted").json()
        return str(found["storage"]["writePolicy"]).upper()

    assert write_policy() == "ALLOW"
    assert dev.stack.refresh().ok
    dev.settle()
    assert write_policy() == "ALLOW_ONCE"
    assert registry(dev, "changed-1").call("GET", "/v2/docker-hosted/app/manifests/1").status_code == 200
    assert dev.stack.up(expect_no_changes=True).ok
