"""Registries that share users and roles, and one behind a proxy, on a real server and each engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.faults.proxy import FaultProxy
from sandbox.pki import Authority
from tests.lifecycle.conftest import ENGINES

from .conftest import Nexus
from .consumer import example_stack
from .docker_api import Api

every_engine = pytest.mark.parametrize("engine", ENGINES)
BEHIND_A_PROXY = """
import pulumi
from nexus_registry.components import DockerRegistry, DockerRegistryArgs

config = pulumi.Config()
registry = DockerRegistry(
    "images",
    DockerRegistryArgs(
        login_server=config.require("login_server"),
        ca=config.require("proxy_ca"),
        repository="behind-a-proxy",
        http_port=config.require_int("port_a"),
        pushers={"proxied": config.require_secret("ci_password")},
    ),
)
pulumi.export("pull_secret", registry.docker_config_json)
"""


@every_engine
def test_two_teams_share_user_and_use_existing_roles(
    engine: str, nexus: Nexus, admin: Api, tmp_path: Path
) -> None:
    ports = {"port_a": nexus.connector_port(), "port_b": nexus.connector_port()}
    passwords = {"ci_password": "ci-secret-1", "reader_password": "reader-secret-1"}
    stack = example_stack("two-teams", nexus, tmp_path, engine, **ports, **passwords)
    try:
        done = stack.up()
        assert done.ok, f"{done.error}\n{done.stdout[-3000:]}"
        users = {user["userId"]: sorted(user["roles"]) for user in admin.ok("GET", "security/users")}
        assert users["ci"] == ["team-a-images-push", "team-b-images-push"]
        assert users["reader"] == ["nx-anonymous", "team-auditors"]
        outputs = stack.outputs(show_secrets=True)
        assert outputs["push_role"] == "team-a-images-push"
        assert [*json.loads(outputs["pull_secret"])["auths"]] == outputs["login_servers"]
        assert stack.up(expect_no_changes=True).ok
        assert stack.refresh(expect_no_changes=True).ok
    finally:
        gone = stack.destroy()
    assert gone.ok, gone.error


@every_engine
def test_verification_goes_through_proxy(engine: str, nexus: Nexus, tmp_path: Path) -> None:
    port, authority = nexus.connector_port(), Authority.create("Proxy CA")
    with FaultProxy(f"http://127.0.0.1:{port}", authority) as proxy:
        address = proxy.url.removeprefix("https://")
        stack = example_stack(
            "two-teams", nexus, tmp_path, engine, port_a=port, port_b=1, ci_password="ci-secret-1"
        )
        (stack.program / "__main__.py").write_text(BEHIND_A_PROXY)
        stack.set_config("reader_password", "unused", secret=True)
        stack.set_config("login_server", address)
        stack.set_config("proxy_ca", authority.certificate_pem)
        try:
            done = stack.up()
            assert done.ok, f"{done.error}\n{done.stdout[-3000:]}"
            assert {passed.path.partition("?")[0] for passed in proxy.seen} >= {"/v2/"}
            assert [*json.loads(stack.outputs(show_secrets=True)["pull_secret"])["auths"]] == [address]
        finally:
            gone = stack.destroy()
        assert gone.ok, gone.error
