"""`nexus-registry export` of a real server that was set up by hand: the written program changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from nexus_registry.cli.main import main
from nexus_registry.providers.client import client_for

from sandbox.faults.proxy import FaultProxy
from sandbox.stack import Result, Stack, open_stack
from tests.contract.server import Nexus

from .hand_made import PASSWORD, HandMade

pytestmark = pytest.mark.xdist_group("contract")


@pytest.fixture(scope="module")
def hand_made(nexus: Nexus, signing_key: str) -> Iterator[HandMade]:
    client = client_for({"url": nexus.url, "username": nexus.username, "password": nexus.password})
    made = HandMade(client, signing_key, nexus.connector_port())
    try:
        made.make()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def proxy(nexus: Nexus) -> Iterator[FaultProxy]:
    with FaultProxy(nexus.url) as between:
        yield between


def writes(proxy: FaultProxy) -> list[str]:
    return [f"{one.method} {one.path}" for one in proxy.seen if one.method != "GET"]


def stack_of(program: Path, nexus: Nexus, signing_key: str, work: Path) -> Stack:
    """A stack of the program, on the sandbox's engine, with the secrets that it asks for."""
    (program / ".venv").symlink_to(sys.prefix)
    stack = open_stack("sandbox", program=program, name="dev", work=work, passphrase="right")
    stack.set_config("nexus-registry:password", nexus.password, secret=True)
    for key, facts in yaml.safe_load((program / "Pulumi.yaml").read_text())["config"].items():
        if "value" not in facts:
            value = signing_key if "keypair" in key else "remote-pw-1"
            stack.set_config(key, value, secret=True)
    stack.set_config("person_02_user_password", PASSWORD, secret=True)
    return stack


def unchanged(result: Result) -> bool:
    assert result.ok, f"{result.error}\n{result.stdout[-3000:]}"
    return not any(count for operation, count in result.changes.items() if operation != "same")


def test_up_of_exported_program_writes_nothing(
    nexus: Nexus,
    hand_made: HandMade,
    proxy: FaultProxy,
    signing_key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("NEXUS_PASSWORD", nexus.password)
    assert hand_made.count >= 150
    assert len(hand_made.kinds) >= 20
    program = tmp_path / "program"
    proxy.clear()
    assert main(["export", "--url", proxy.url, "--output", str(program)]) == 0
    shown = capsys.readouterr()
    assert "not declared" not in shown.err
    assert writes(proxy) == []
    twice = {path for path, count in Counter(one.path for one in proxy.seen).items() if count > 1}
    assert {path.removeprefix("/service/rest") for path in twice} <= {"/v1/status", "/v1/security/ldap"}
    stores = sum(one.path.startswith("/service/rest/v1/blobstores/") for one in proxy.seen)
    assert len(proxy.seen) - stores < hand_made.count / 3, "a list for each kind, whatever the number of objects"
    style = ["--isolated", "--line-length", "115"]
    chosen = ["--select", "E,F,W,I,UP,B,C4,SIM,RET,PTH,PIE,RUF,N,A,ARG,S,PERF"]
    for command in (["format", "--check", *style], ["check", *style, *chosen]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."], cwd=program, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
    stack = stack_of(program, nexus, signing_key, tmp_path / "work")
    proxy.clear()
    done_up = stack.up()
    assert done_up.ok, f"{done_up.error}\n{done_up.stdout[-3000:]}"
    assert writes(proxy) == []
    assert done_up.changes["create"] >= hand_made.count
    proxy.clear()
    assert unchanged(stack.preview(expect_no_changes=True))
    assert proxy.seen == []
    assert unchanged(stack.refresh(expect_no_changes=True))
    assert writes(proxy) == []
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"deployment": stack.export()}))
    diff = ["export", "--url", proxy.url, "--diff", "--state", str(state)]
    assert main(diff) == 0, capsys.readouterr()
    user = {
        "userId": "by-hand",
        "firstName": "x",
        "lastName": "y",
        "emailAddress": "a@b.example",
        "status": "active",
    }
    hand_made.client.post("/v1/security/users", {**user, "password": PASSWORD, "roles": ["nx-admin"]})
    try:  # in a process of its own: this one has kept the lists
        command = [sys.executable, "-m", "nexus_registry.cli", *diff, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        hand_made.client.delete("/v1/security/users/by-hand")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["unmanaged"] == [{"kind": "User", "id": "by-hand"}]
    assert writes(proxy) == []
