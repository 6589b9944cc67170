"""Privileges, content selectors, trusted certificates and the list of realms, on a real Nexus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from nexus_registry.providers.client import Connection, NexusClient
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.security import privilege as privileges
from nexus_registry.providers.security.active_realms import ActiveRealmsProvider
from nexus_registry.providers.security.content_selector import ContentSelectorProvider
from nexus_registry.providers.security.ssl_trust import SslTrustProvider
from nexus_registry.providers.system.script import ScriptProvider

from sandbox.pki import Authority

from .docker_api import named
from .every_version import ACTIVE_REALMS, Case, EachProperty, refusal
from .tracked import Tracked

VIEW: Any = privileges.RepositoryViewPrivilege.provider_class
REPOSITORIES: list[dict[str, Any]] = [{"format": "*"}, {"repository": "maven-releases"}, {"actions": ["READ"]}]
KINDS: dict[str, tuple[Any, dict[str, Any], dict[str, Any], list[dict[str, Any]]]] = {
    "repository view": (
        VIEW,
        {"format": "maven2", "repository": "*", "actions": ["read", "BROWSE"]},
        {"actions": ["ALL"]},
        REPOSITORIES,
    ),
    "repository admin": (
        privileges.RepositoryAdminPrivilege.provider_class,
        {"format": "maven2", "repository": "*", "actions": ["EDIT", "ADD", "DELETE", "READ", "BROWSE"]},
        {"format": "*", "actions": ["READ"]},
        REPOSITORIES,
    ),
    "application": (
        privileges.ApplicationPrivilege.provider_class,
        {
            "domain": "logging",
            "actions": ["READ", "EDIT", "ADD", "DELETE", "ASSOCIATE", "DISASSOCIATE", "START", "STOP"],
        },
        {"actions": ["ALL"], "domain": "tasks"},
        [{"domain": "tasks"}, {"actions": ["READ"]}],
    ),
    "wildcard": (
        privileges.WildcardPrivilege.provider_class,
        {"pattern": "nexus:metrics:*"},
        {"pattern": "nexus:logging:read"},
        [],
    ),
    "content selector": (
        ContentSelectorProvider,
        {"expression": 'format == "raw" and\npath =^ "/public/"'},
        {"expression": 'format == "raw"'},
        [{"expression": 'format == "raw"'}],
    ),
}


class TestKinds(EachProperty):
    """Each kind from creation to deletion."""

    @pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
    def case(self, request: pytest.FixtureRequest) -> Case:
        provider, first, edit, edits = request.param
        return Case(provider, {"name": named("one"), **first}, edit, {"description": "by hand\nor so"}, edits)


class TestPrivilegesOnOthers(EachProperty):
    """Privileges on a content selector and on a script, which have to be there."""

    @pytest.fixture(
        params=[
            pytest.param("content selector", marks=pytest.mark.kinds("RepositoryContentSelectorPrivilege")),
            pytest.param("script", marks=pytest.mark.kinds("ScriptPrivilege")),
        ]
    )
    def case(self, request: pytest.FixtureRequest, connection: Connection) -> Iterator[Case]:
        names = named("other"), named("second")
        edits: list[dict[str, Any]] = [{"actions": ["READ"]}]
        if request.param == "script":
            others = [Tracked(ScriptProvider(), connection) for _ in names]
            more, key = {"content": "log.info('x')"}, "script_name"
            provider: Any = privileges.ScriptPrivilege.provider_class
            first: dict[str, Any] = {"actions": ["READ", "RUN", "BROWSE", "EDIT", "ADD", "DELETE"]}
        else:
            others = [Tracked(ContentSelectorProvider(), connection) for _ in names]
            more, key = {"expression": 'format == "raw"'}, "content_selector"
            provider = privileges.RepositoryContentSelectorPrivilege.provider_class
            first = {"format": "maven2", "repository": "*", "actions": ["READ", "BROWSE"]}
            edits = REPOSITORIES
        for other, name in zip(others, names, strict=True):
            other.up(name=name, **more)
        first |= {"name": named("one"), key: names[0]}
        edits = [*edits, {key: names[1]}]
        yield Case(provider, first, {"actions": ["ALL"]}, {"description": "by hand"}, edits)
        for other in others:
            other.destroy()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"name": "nx-all"}, "name: 'nx-all' is taken by a privilege of the type wildcard"),
        ({"name": "p-bad", "repository": "maven-releses"}, "repository: maven-releses.*mean maven-releases"),
    ],
)
def test_privilege_is_refused_by_property(connection: Connection, inputs: dict[str, Any], said: str) -> None:
    first = {"format": "maven2", "repository": "*", "actions": ["READ"]}
    assert re.search(said, refusal(VIEW, connection, **{**first, **inputs}))


def test_invalid_content_selector_is_refused(connection: Connection) -> None:
    said = refusal(ContentSelectorProvider, connection, name="s-bad", expression="frmat == ")
    assert "expression: Invalid CSEL: parsing error" in said


def test_delete_of_content_selector_names_privileges_that_use_it(connection: Connection) -> None:
    selector = Tracked(ContentSelectorProvider(), connection)
    provider: Any = privileges.RepositoryContentSelectorPrivilege.provider_class
    privilege = Tracked(provider(), connection)
    selector.up(name=named("selector"), expression='format == "raw"')
    first = {"content_selector": selector.id, "format": "maven2", "repository": "*", "actions": ["READ"]}
    privilege.up(name=named("reads"), **first)
    with pytest.raises(Refused, match=f"is in use by privilege '{privilege.id}', and was not deleted"):
        selector.destroy()
    privilege.destroy()
    selector.destroy()


@pytest.mark.kinds("SslTrust")
def test_trusted_certificate_is_created_read_and_deleted(connection: Connection, client: NexusClient) -> None:
    first, second = (Authority.create(named("trust")).certificate_pem for _ in range(2))
    trust = Tracked(SslTrustProvider(), connection)
    assert trust.up(certificate=f"around it\n{first}") == "create"
    assert trust.up(certificate=first) == "same"
    assert trust.refresh() == "same"
    assert Tracked(SslTrustProvider(), connection).up(certificate=first) == "create"
    assert (trust.outs or {})["fingerprint"] == trust.id
    assert trust.up(certificate=second) == "replace"
    client.delete(f"/v1/security/ssl/truststore/{trust.id}")
    assert trust.refresh() == "gone"
    assert trust.up(certificate=second) == "create"
    trust.destroy()
    assert not [one for one in client.get("/v1/security/ssl/truststore") if one["id"] == trust.id]


@pytest.mark.kinds("ActiveRealms")
def test_active_realms_are_set_corrected_and_restored(connection: Connection, client: NexusClient) -> None:
    before = client.get(ACTIVE_REALMS)
    realms = Tracked(ActiveRealmsProvider(), connection)
    try:
        assert realms.up(realms=["DefaultRole", "NexusAuthenticatingRealm"]) == "create"
        assert client.get(ACTIVE_REALMS) == ["DefaultRole", "NexusAuthenticatingRealm"]
        assert realms.refresh() == "same"
        assert realms.up(realms=["NexusAuthenticatingRealm", "DefaultRole"]) == "update", "the order counts"
        client.put(ACTIVE_REALMS, ["NexusAuthenticatingRealm"])
        assert realms.refresh() == "drift"
        assert realms.up(realms=["NexusAuthenticatingRealm", "DefaultRole"]) == "update"
        said = refusal(ActiveRealmsProvider, connection, realms=["NexusAuthenticatingRealm", "DefaultRol"])
        assert "realms: DefaultRol is not on the server. Did you mean DefaultRole?" in said
    finally:
        realms.destroy()
    assert client.get(ACTIVE_REALMS) == before
