"""The example ``platform``: two servers, what they hand on, who takes it, and a destroy from another machine."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import requests
from nexus_registry.cli.registry import Target, examine
from requests.auth import HTTPBasicAuth

from sandbox import host as hosts
from sandbox.archive import nexus_archive
from sandbox.host import Host
from sandbox.paths import PROJECT
from sandbox.shell import free_port, run
from sandbox.stack import SandboxStack, Stack, default_engine, open_stack
from sandbox.tools import tool
from tests.contract.consumer import another_machine

pytestmark = pytest.mark.xdist_group("platform")

EXAMPLE = PROJECT / "examples/platform"
ARCHIVE = "/srv/nexus.tar.gz"
TOOL = b"#!/bin/sh\necho a tool of the team web\n"


@dataclass
class Platform:
    """The stack of the example, with both of its servers on one host."""

    folder: Path
    host: Host
    stack: Stack
    passwords: dict[str, dict[str, str]]
    outputs: dict[str, Any] = field(default_factory=dict)


TLS_IS_HERE = default_engine() == "pulumi" and bool(shutil.which("pulumi-resource-tls"))
AUTHORITIES = [
    pytest.param(
        "authority_tls",
        marks=[
            pytest.mark.pulumi,
            pytest.mark.skipif(default_engine() != "pulumi", reason="pulumi-tls needs the Pulumi CLI"),
        ],
    ),
    pytest.param("authority", marks=[pytest.mark.nightly] if TLS_IS_HERE else []),
]
"""The modules of the example that issue certificates. Each night runs both, and so does a machine that may have to
do without the plugin of pulumi-tls."""


def require_tls_plugin(stack: Stack) -> None:
    """Download the plugin of pulumi-tls as an ``up`` does, unless it is on PATH."""
    if TLS_IS_HERE:
        return
    command = ["pulumi", "plugin", "install", "resource", "tls", version("pulumi-tls")]
    done = run(command, env=os.environ | {"PULUMI_HOME": str(stack.work / "home")}, check=False)
    if done.returncode:
        pytest.skip("pulumi-resource-tls is not on PATH and can't be downloaded")


@pytest.fixture(params=AUTHORITIES)
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("platform")
    shutil.copytree(EXAMPLE, program := folder / "program")
    stack = open_stack(program=program, name="dev", work=folder / "work", passphrase="right")
    if request.param == "authority_tls":
        require_tls_plugin(stack)
    host, archive = hosts.up("platform"), nexus_archive()
    shutil.copyfile(archive.path, host.root / ARCHIVE.lstrip("/"))
    (program / ".venv").symlink_to(sys.prefix)
    main = program / "__main__.py"
    # The binaries of the test may go at its end without an up before, which only allows that.
    text = main.read_text().replace('name="binaries",', 'name="binaries", force_destroy=True,')
    main.write_text(text.replace("from authority import", f"from {request.param} import"))
    teams: dict[str, Any] = {}
    for team in ("web", "data"):
        place = dict.fromkeys(("unit", "user", "group"), f"nexus-{team}")
        place |= {"install_root": f"/opt/nexus-{team}", "data_dir": f"/var/lib/nexus-{team}"}
        ports = {"http_port": free_port(), "https_port": free_port()}
        teams[team] = {
            "hostname": "localhost",
            "ssh_host_key": host.host_key,
            "registry_port": free_port(),
            "server": {"ssh_host": host.address, **place, **ports},
        }
    both = {"version": archive.version, "archive_sha256": archive.sha256, "archive_path": ARCHIVE, "heap_mb": 800}
    accounts = ("admin", "keystore", "ci", "cluster")
    passwords = {team: {account: f"{team}-{account}-canary" for account in accounts} for team in teams}
    for key, value in {"teams": teams, "server": both, "ssh_port": host.ssh_port}.items():
        stack.set_config(key, value)
    for key, secret in {"passwords": passwords, "ssh_private_key": host.private_key}.items():
        stack.set_config(key, secret, secret=True)
    yield Platform(folder, host, stack, passwords)
    hosts.down("platform")


def two_teams_have_a_registry_each(platform: Platform) -> None:
    stack = platform.stack
    done = stack.up()
    assert done.ok, f"{done.error}\n{done.stdout[-3000:]}"
    again = stack.preview(expect_no_changes=True)
    assert again.ok, again
    platform.outputs = stack.outputs(show_secrets=True)
    kept = stack.state_file.read_text()
    assert "canary" not in kept
    assert "PRIVATE KEY" not in kept
    shown = stack.outputs()
    for secret in ("pull_secrets", "docker_config", "binaries"):
        assert "canary" not in json.dumps(shown[secret]), secret


def pull_secrets_hold_login_that_works(platform: Platform, team: str) -> None:
    outputs, address = platform.outputs, platform.outputs["login_servers"][team]
    manifest = outputs["pull_secrets"][team]
    assert (manifest["kind"], manifest["type"]) == ("Secret", "kubernetes.io/dockerconfigjson")
    one = json.loads(base64.b64decode(manifest["data"][".dockerconfigjson"]))
    both = json.loads(outputs["docker_config"])
    assert one["auths"] == {address: both["auths"][address]}
    username, _, password = base64.b64decode(one["auths"][address]["auth"]).decode().partition(":")
    assert (username, password) == ("cluster", platform.passwords[team]["cluster"])
    right = Target(f"https://{address}", ca=outputs["ca"], username=username, password=password)
    assert list(examine(right)) == []


def play_fetches_binaries(platform: Platform) -> None:
    """With Ansible itself, over SSH, and over HTTPS with the certificate that the stack issued."""
    folder, host, binaries = platform.folder, platform.host, platform.outputs["binaries"]
    (folder / "ca.pem").write_text(binaries["ca"])
    login = HTTPBasicAuth("ci", platform.passwords["web"]["ci"])
    address = f"{binaries['teams']['web']['url']}/tools/hello"
    requests.put(address, data=TOOL, auth=login, verify=str(folder / "ca.pem"), timeout=60).raise_for_status()
    (folder / "binaries.json").write_text(json.dumps(binaries))
    wanted = {"path": "tools/hello", "sha256": hashlib.sha256(TOOL).hexdigest(), "dest": "/usr/local/bin/hello"}
    (folder / "files.json").write_text(json.dumps({"team": "web", "files": [wanted]}))
    (folder / "ansible.cfg").touch()
    known = f"-o UserKnownHostsFile={host.folder}/known_hosts -o StrictHostKeyChecking=yes"
    (folder / "inventory").write_text(
        f"machine ansible_host={host.address} ansible_port={host.ssh_port} ansible_user=root "
        f"ansible_ssh_private_key_file={host.folder}/id_ed25519 ansible_ssh_common_args='{known}' "
        "ansible_python_interpreter=/usr/bin/python3\n"
    )
    given = ["-i", f"{folder}/inventory", "-e", f"@{folder}/binaries.json", "-e", f"@{folder}/files.json"]
    env = {
        **os.environ,
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_CONFIG": f"{folder}/ansible.cfg",
        "LC_ALL": "C.UTF-8",
    }
    command = [str(tool("ansible", "ansible-playbook")), *given, f"{EXAMPLE}/play.yml"]
    assert "changed=3 " in run(command, env=env).stdout
    assert host.ssh("hello").stdout == "a tool of the team web\n"
    assert "changed=0 " in run(command, env=env).stdout


def another_stack_takes_what_platform_exports(platform: Platform, tmp_path: Path) -> None:
    program = platform.folder / "program/consumer"
    (program / ".venv").symlink_to(sys.prefix)
    state, engine = platform.stack.state_file, default_engine()
    if engine == "pulumi":
        (tmp_path / "state").symlink_to(state.parents[3])
    stack = open_stack(engine, program=program, name="prod", work=tmp_path, passphrase="right")
    if isinstance(stack, SandboxStack):
        stack.references = [platform.stack]
    stack.set_config("platform", "organization/platform/dev")
    stack.set_config("team", "data")
    done = stack.up()
    assert done.ok, f"{done.error}\n{done.stdout[-3000:]}"
    handed_on = stack.outputs(show_secrets=True)
    assert handed_on["login_server"] == platform.outputs["login_servers"]["data"]
    assert handed_on["pull_secret"] == platform.outputs["pull_secrets"]["data"]
    assert stack.outputs()["pull_secret"] == "[secret]"
    assert stack.destroy().ok


def destroy_from_another_machine(platform: Platform, tmp_path: Path) -> None:
    stack, host = platform.stack, platform.host
    with another_machine(stack, tmp_path) as (other, env):
        done = other.destroy(env=env)
        assert done.ok, f"{done.error}\n{done.stdout[-3000:]}"
    assert stack.export()["resources"] == []
    for team in ("web", "data"):
        assert not host.exists(f"/etc/systemd/system/nexus-{team}.service")
        assert not host.exists(f"/opt/nexus-{team}")
        assert host.exists(f"/var/lib/nexus-{team}/db")
    assert not host.exists("/var/lib/nexus-registry")


def test_platform_from_up_to_destroy(platform: Platform, tmp_path: Path) -> None:
    """One stack's life, in order."""
    two_teams_have_a_registry_each(platform)
    for team in ("web", "data"):
        pull_secrets_hold_login_that_works(platform, team)
    play_fetches_binaries(platform)
    (tmp_path / "consumer").mkdir()
    another_stack_takes_what_platform_exports(platform, tmp_path / "consumer")
    destroy_from_another_machine(platform, tmp_path / "other")
