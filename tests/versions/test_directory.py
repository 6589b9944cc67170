"""LDAP servers: the verification that the stand-in plays binds and searches in a real OpenLDAP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nexus_registry.providers.client import Connection, NexusClient, client_for
from nexus_registry.providers.security.ldap import LdapServerOrderProvider, LdapServerProvider
from nexus_registry.providers.security.ssl_trust import SslTrustProvider

from sandbox.directory import BASE, Directory
from tests.contract.docker_api import named
from tests.contract.every_version import Case, Lifecycle, refusal
from tests.contract.server import Nexus
from tests.contract.tracked import Tracked
from tests.lifecycle.conftest import ENGINES

from .engine import comes_up_and_stays, server_stack

PROGRAM = """
import pulumi
from nexus_registry.providers import ActiveRealms, LdapServer, LdapServerOrder

config = pulumi.Config()
password = config.require_secret("bind_password")
given = config.require_object("ldap")
first, second = (LdapServer(name, name=name, auth_password=password, **given) for name in ("first", "second"))
LdapServerOrder(
    "order", names=[second.name, first.name], incarnations=[second.incarnation, first.incarnation]
)
ActiveRealms("realms", realms=["NexusAuthenticatingRealm", "DefaultRole"])
pulumi.export("users", first.mapped_users)
"""
VERSION = "3.94.0-01"
SERVERS = "/v1/security/ldap"
pytestmark = pytest.mark.xdist_group("contract")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    started = Directory(tmp_path_factory.mktemp("directory")).start(["ada", "grace", "katherine"])
    yield started
    started.stop()


@pytest.fixture(scope="module")
def connection(nexus: Nexus) -> Iterator[Connection]:
    nexus.play(VERSION)
    yield {"url": nexus.url, "username": nexus.username, "password": nexus.password}
    nexus.play()


def ldap(directory: Directory, **inputs: Any) -> dict[str, Any]:
    """The inputs of a server that works, changed by ``inputs``."""
    return {
        "name": named("ldap"),
        "protocol": "LDAP",
        "host": "localhost",
        "port": directory.port,
        "search_base": BASE,
        "user_base_dn": "ou=people",
        "auth_username": directory.admin,
        "auth_password": directory.password,
        **inputs,
    }


@pytest.mark.kinds("LdapServer", on="stand-in")
class TestLdapServer(Lifecycle):
    """From creation to deletion."""

    @pytest.fixture
    def case(self, directory: Directory) -> Case:
        edit = {"user_subtree": True, "user_ldap_filter": "(uid=ada)"}
        return Case(LdapServerProvider, ldap(directory), edit, {"max_incidents_count": 9})


@pytest.mark.kinds("LdapServer", on="stand-in")
def test_users_are_counted_at_each_change(connection: Connection, directory: Directory) -> None:
    server = Tracked(LdapServerProvider(), connection)
    inputs = ldap(directory)
    server.up(**inputs)
    assert (server.outs or {})["mapped_users"] == 3
    server.up(**inputs, user_ldap_filter="(uid=ada)")
    assert (server.outs or {})["mapped_users"] == 1
    assert server.refresh() == "same"
    assert (server.outs or {})["mapped_users"] == 1
    server.destroy()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"auth_password": "wrong-secret-1"}, f"auth_password: {{ldap}} refuses the bind as 'cn=admin,{BASE}'"),
        ({"port": 1}, "host: Nexus can't query ldap://localhost:"),
        ({"user_base_dn": "ou=robots"}, f"search_base: Nexus finds no user below 'ou=robots,{BASE}'"),
        ({"user_ldap_filter": "(uid=nobody)"}, "and the filter '(uid=nobody)'"),
        ({"search_base": "dc=example,dc=org"}, "search_base: {ldap} has no entry 'ou=people,dc=example,dc=org'"),
        (
            {"auth_scheme": "NONE", "auth_username": None, "auth_password": None},
            "auth_scheme: {ldap} does not accept NONE",
        ),
    ],
    ids=["password", "port", "nobody", "filter", "base", "anonymous"],
)
def test_failing_directory_is_refused_before_write(
    connection: Connection, client: NexusClient, directory: Directory, inputs: dict[str, Any], said: str
) -> None:
    desired = ldap(directory, **inputs)
    message = refusal(LdapServerProvider, connection, **desired)
    assert said.format(ldap=f"ldap://localhost:{directory.port}") in message
    assert "secret-1" not in message
    assert desired["name"] not in [one["name"] for one in client.get(SERVERS)]


def test_wrong_password_changes_no_server(
    connection: Connection, client: NexusClient, directory: Directory
) -> None:
    server, inputs = Tracked(LdapServerProvider(), connection), ldap(directory)
    server.up(**inputs)
    before = client.get(SERVERS)
    with pytest.raises(Exception, match=r"auth_password: .* refuses the bind"):
        server.up(**{**inputs, "auth_password": "wrong-secret-1", "user_subtree": True})
    assert client.get(SERVERS) == before
    assert server.up(**inputs, user_subtree=True) == "update"
    server.destroy()


def test_ldaps_needs_trust_in_authority_of_directory(connection: Connection, directory: Directory) -> None:
    tls = {"protocol": "LDAPS", "port": directory.tls_port}
    assert "use_trust_store: Nexus does not trust" in refusal(
        LdapServerProvider, connection, **ldap(directory, **tls)
    )
    trust, server = Tracked(SslTrustProvider(), connection), Tracked(LdapServerProvider(), connection)
    trust.up(certificate=directory.authority.certificate_pem)
    assert server.up(**ldap(directory, **tls, use_trust_store=True)) == "create"
    server.destroy()
    trust.destroy()


def test_missing_directory_is_accepted_on_request(connection: Connection, directory: Directory) -> None:
    server = Tracked(LdapServerProvider(), connection)
    inputs = ldap(directory, port=1)
    assert server.up(**inputs, verify_connection=False) == "create"
    assert (server.outs or {})["mapped_users"] is None
    assert server.up(**{**inputs, "port": directory.port}) == "update"
    assert (server.outs or {})["mapped_users"] == 3
    server.destroy()


@pytest.mark.kinds("LdapServerOrder", on="stand-in")
def test_servers_are_put_in_order(connection: Connection, client: NexusClient, directory: Directory) -> None:
    servers = [Tracked(LdapServerProvider(), connection) for _ in range(2)]
    for one in servers:
        one.up(**ldap(directory))
    first, second = (one.id for one in servers)
    order = Tracked(LdapServerOrderProvider(), connection)
    assert order.up(names=[second, first]) == "create"
    assert [one["name"] for one in client.get(SERVERS)] == [second, first]
    assert order.up(names=[second, first]) == "same"
    assert order.refresh() == "same"
    assert order.up(names=[first, second]) == "update"
    client.post(f"{SERVERS}/change-order", [second, first])
    assert order.refresh() == "drift"
    assert order.up(names=[first, second]) == "update"
    assert order.up(names=[second]) == "update", "the other one comes last"
    assert order.refresh() == "same"
    assert order.up(names=[first, second]) == "update"
    order.destroy()
    assert [one["name"] for one in client.get(SERVERS)] == [first, second]
    for one in servers:
        one.destroy()


def test_older_server_takes_directory_unverified(
    nexus: Nexus, connection: Connection, directory: Directory
) -> None:
    nexus.play()
    client_for(connection).login()
    try:
        server = Tracked(LdapServerProvider(), connection)
        assert server.up(**ldap(directory, auth_password="wrong-secret-1")) == "create"
        assert server.outs is not None
        assert "mapped_users" not in server.outs or server.outs["mapped_users"] is None
        server.destroy()
    finally:
        nexus.play(VERSION)
        client_for(connection).login()


@pytest.mark.parametrize("engine", ENGINES)
def test_stack_with_directory_is_created_unchanged_and_destroyed(
    nexus: Nexus, connection: Connection, client: NexusClient, directory: Directory, tmp_path: Path, engine: str
) -> None:
    """The kinds that need a directory, and the list of realms, which excludes what other stacks have."""
    realms = client.get("/v1/security/realms/active")
    given = ldap(directory)
    stack = server_stack(engine, tmp_path, PROGRAM, nexus)
    stack.set_config("bind_password", given.pop("auth_password"), secret=True)
    del given["name"]
    stack.set_config("ldap", given)
    comes_up_and_stays(stack)
    assert stack.outputs()["users"] == 3
    assert [one["name"] for one in client.get(SERVERS)] == ["second", "first"]
    assert directory.password not in stack.state_file.read_text()
    assert stack.destroy().ok
    assert client.get(SERVERS) == []
    assert client.get("/v1/security/realms/active") == realms
