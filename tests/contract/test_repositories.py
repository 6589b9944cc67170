"""Repositories of the formats that Core has, on a real server: raw, maven and apt, hosted, proxy and group."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import nexus_registry.providers as providers
import pytest
from nexus_registry.providers import crud
from nexus_registry.providers.client import Connection, NexusClient, client_for
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.repositories.lifecycle import namesake

from docs.examples import OPENPGP_KEY

from .docker_api import named
from .every_version import Case, EachProperty, refusal
from .server import Nexus
from .tracked import Tracked

RAW: Any = providers.RawHostedRepository.provider_class
RAW_GROUP: Any = providers.RawGroupRepository.provider_class
REMOTE = "https://example.com/repository"
LOGIN = {"authentication_username": "somebody", "authentication_password": "remote-pw-1"}
EDITS: dict[str, list[dict[str, Any]]] = {
    "Proxy": [
        {"remote_url": "http://localhost:1/other/"},
        {"content_max_age": -1},
        {"routing_rule_name": "contract-rule"},
        {"authentication_type": "username", **LOGIN, "authentication_preemptive": False},
        {
            "authentication_type": "ntlm",
            **LOGIN,
            "authentication_ntlm_host": "host",
            "authentication_ntlm_domain": "domain",
        },
    ],
    "MavenProxy": [{"authentication_type": "username", **LOGIN, "authentication_preemptive": True}],
    "RawGroup": [{"member_names": ["raw-member-2", "raw-member-1"]}],
    "MavenGroup": [{"member_names": ["maven-snapshots"]}],
    "AptHosted": [{"signing_keypair": OPENPGP_KEY}],
    "Repository": [{"cleanup_policy_names": ["contract-policy"]}],
}
"""Edits that a test can't think of, for the kinds with this in their name."""
KINDS = ["RawHosted", "RawProxy", "RawGroup", "MavenHosted", "MavenProxy", "MavenGroup", "AptHosted", "AptProxy"]


@pytest.fixture(scope="module")
def connection(core: Callable[[], Nexus]) -> Connection:
    nexus = core()
    connection: Connection = {"url": nexus.url, "username": nexus.username, "password": nexus.password}
    client = client_for(connection)
    rule = {"name": "contract-rule", "description": "", "mode": "BLOCK", "matchers": ["/secret/.*"]}
    client.post("/v1/routing-rules", rule)
    policy = {"name": "contract-policy", "format": "*", "notes": "", "criteriaLastDownloaded": 30}
    client.post("/internal/cleanup-policies", policy)
    for member in ("raw-member-1", "raw-member-2"):
        Tracked(provider_of("RawHosted")(), connection).up(name=member)
    return connection


def provider_of(kind: str) -> type[NexusProvider]:
    found: type[NexusProvider] = getattr(providers, f"{kind}Repository").provider_class
    return found


class TestCoreFormats(EachProperty):
    """Each kind from creation to deletion."""

    @pytest.fixture(
        params=[pytest.param(one, marks=pytest.mark.kinds(f"{one}Repository"), id=one) for one in KINDS]
    )
    def case(self, request: pytest.FixtureRequest) -> Case:
        kind = request.param
        first: dict[str, Any] = {"name": named(kind.lower())}
        edit: dict[str, Any] = {"strict_content_type_validation": False}
        if kind.endswith("Proxy"):
            first["remote_url"] = REMOTE
            edit = {"content_max_age": 60, **edit}
        if kind == "RawGroup":
            first["member_names"] = ["raw-member-1", "raw-member-2"]
            edit = {"member_names": ["raw-member-2", "raw-member-1"], **edit}
        if kind == "MavenGroup":
            first["member_names"] = ["maven-releases", "maven-snapshots"]
            edit = {"member_names": ["maven-snapshots"], **edit}
        if kind.startswith("Apt"):
            first["distribution"] = "bookworm"
        if kind == "AptHosted":
            first["signing_keypair"] = request.getfixturevalue("signing_key")
        provider = provider_of(kind)
        own = [one for part, some in EDITS.items() if part in f"{kind}Repository" for one in some]
        edits = [one for one in own if one.keys() <= provider.schema.keys()]
        return Case(provider, first, edit, {"online": False}, edits)


def test_another_blob_store_or_name_replaces(connection: Connection) -> None:
    client = client_for(connection)
    store, name = named("store"), named("raw")
    client.post("/v1/blobstores/file", {"name": store, "path": store})
    tracked = Tracked(provider_of("RawHosted")(), connection)
    tracked.up(name=name)
    assert tracked.up(name=name, blob_store_name=store) == "replace"
    assert tracked.up(name=f"{name}-2", blob_store_name=store) == "replace"
    assert namesake(client, name) is None
    gone = Tracked(tracked.provider, connection, tracked.id, tracked.inputs, tracked.outs)
    assert tracked.up(name=f"{name}-2".upper(), blob_store_name=store) == "replace"
    gone.destroy()
    assert tracked.refresh() == "same"
    tracked.destroy()
    client.delete(f"/v1/blobstores/{store}")


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("RawGroup", {"member_names": ["raw-membr-1"]}, "member_names: raw-membr-1 is not on .*raw-member-1"),
        (
            "RawGroup",
            {"member_names": ["maven-releases"]},
            "member_names: maven-releases is not of the format raw",
        ),
        (
            "MavenGroup",
            {"member_names": ["raw-member-1"]},
            "member_names: raw-member-1 is not of the format maven2",
        ),
        ("RawHosted", {"name": "maven-releases"}, "name is taken by the maven2 hosted repository"),
        ("RawHosted", {"blob_store_name": "nope"}, "blob_store_name: nope is not on the server.*default"),
        (
            "RawProxy",
            {"remote_url": REMOTE, "routing_rule_name": "contract-rul"},
            "routing_rule_name is None, desired 'contract-rul'.*removed again",
        ),
        (
            "RawProxy",
            {"remote_url": REMOTE, "authentication_type": "username", **LOGIN, "authentication_preemptive": True},
            "authentication_preemptive: is not stored by this server.*removed again",
        ),
    ],
    ids=["no member", "raw member", "maven member", "name", "blob store", "routing rule", "preemptive"],
)
def test_refusal_names_property_and_remedy(
    connection: Connection, kind: str, given: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crud, "_PAUSES", (0.1,))
    provider = provider_of(kind)
    desired = {"name": named("refused"), **given}
    assert re.search(said, refusal(provider, connection, **desired))
    there = {one["name"]: one["format"] for one in client_for(connection).get_list("/v1/repositories")}
    assert there.get(desired["name"]) in (None, "maven2")


@pytest.mark.parametrize(
    ("kind", "given", "wrong"),
    [
        ("RawGroup", {"name": "a", "member_names": ["b", "a"]}, "member_names"),
        ("RawGroup", {"name": "a", "member_names": []}, "member_names"),
        ("RawGroup", {"name": "a", "member_names": ["b", "b"]}, "member_names"),
        ("RawProxy", {"name": "a", "remote_url": "ftp://x"}, "remote_url"),
        ("RawProxy", {"name": "a", "remote_url": "example.com"}, "remote_url"),
        ("RawProxy", {"name": "a", "remote_url": "https://u:p@example.com"}, "remote_url"),
        ("RawProxy", {"name": "a"}, "remote_url"),
        ("AptHosted", {"name": "a", "distribution": "b", "signing_keypair": "no key"}, "signing_keypair"),
        (
            "RawProxy",
            {"name": "a", "remote_url": REMOTE, "authentication_type": "bearerToken"},
            "authentication_bearer_token",
        ),
    ],
)
def test_bad_input_is_refused_before_call(kind: str, given: dict[str, Any], wrong: str) -> None:
    nowhere = {"url": "http://localhost:1", "username": "admin", "password": "x"}
    provider = provider_of(kind)
    failures = provider().check({}, {"connection": nowhere, **given}).failures
    assert [one.property for one in failures] == [wrong]


def test_members_of_a_group_are_deleted_at_once(connection: Connection, client: NexusClient) -> None:
    """Two members that are replaced in one ``up`` are deleted at once. Nexus itself loses one of two deletions."""
    for _ in range(3):
        members = [Tracked(RAW(), connection) for _ in range(4)]
        group = Tracked(RAW_GROUP(), connection)
        for one in members:
            one.up(name=named("member"))
        group.up(name=named("group"), member_names=[one.id for one in members])
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(Tracked.destroy, members))
        existing = [one["name"] for one in client.get_list("/v1/repositories")]
        assert not [one.id for one in members if one.id in existing]
        group.destroy()


def test_missing_content_disposition_is_inline(connection: Connection, client: NexusClient) -> None:
    """Nexus serves ``INLINE`` for a Maven repository without the property, and returns null."""
    path, name = "/v1/repositories/maven/hosted", named("files")
    files = Tracked(provider_of("MavenHosted")(), connection)
    files.up(name=name)
    body = client.get_object(f"{path}/{name}")
    assert body["maven"].pop("contentDisposition") == "ATTACHMENT"
    client.put(f"{path}/{name}", body)
    assert client.get_object(f"{path}/{name}")["maven"]["contentDisposition"] is None
    assert files.refresh() == "drift"
    assert files.up(name=name) == "update"
    assert client.get_object(f"{path}/{name}")["maven"]["contentDisposition"] == "ATTACHMENT"
    files.destroy()
