"""Blob stores, routing rules, cleanup policies and other settings of the system, on a real Nexus."""

from __future__ import annotations

import time
from typing import Any

import nexus_registry.providers as providers
import pytest
from nexus_registry.providers.client import Connection, NexusClient, reset
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.repositories.raw import RawHostedRepository, RawProxyRepository
from nexus_registry.providers.security.anonymous import AnonymousAccessProvider
from nexus_registry.providers.system.blob_store import FileBlobStore
from nexus_registry.providers.system.cleanup_policy import CleanupPolicyProvider
from nexus_registry.providers.system.email import EmailProvider
from nexus_registry.providers.system.routing_rule import RoutingRuleProvider
from nexus_registry.providers.system.script import ScriptProvider
from nexus_registry.providers.system.task import Task

from .docker_api import named
from .every_version import Case, EachProperty, edit_each_property, refusal
from .tracked import Tracked

FILE: Any = FileBlobStore.provider_class
RAW_PROXY: Any = RawProxyRepository.provider_class
RAW: Any = RawHostedRepository.provider_class
TASK: Any = Task.provider_class
QUOTA = {"soft_quota_type": "spaceUsedQuota", "soft_quota_limit_bytes": 10 * 2**30}
Kind = tuple[Any, dict[str, Any], dict[str, Any], dict[str, Any], list[dict[str, Any]]]
KINDS: dict[str, Kind] = {
    "routing rule": (
        RoutingRuleProvider,
        {"matchers": ["^/com/.*", "^/a/.*"], "description": "one"},
        {"matchers": ["^/a/(?<name>[a-z]++)$"], "mode": "ALLOW"},
        {"description": "by hand"},
        [{"matchers": ["^/b/.*"]}],
    ),
    "cleanup policy": (
        CleanupPolicyProvider,
        {"format": "maven2", "criteria_last_downloaded": 30},
        {
            "criteria_last_downloaded": None,
            "criteria_last_blob_updated": 24855,
            "criteria_asset_regex": "^/tmp/.*",
        },
        {"notes": "by hand"},
        [{"criteria_asset_regex": "^/tmp/.*"}],
    ),
    "script": (
        ScriptProvider,
        {"content": "log.info('x')"},
        {"content": "log.info('y')\n"},
        {"content": "//"},
        [],
    ),
    "file blob store": (
        FILE,
        {"path": "some-blobs"},
        QUOTA,
        {**QUOTA, "soft_quota_limit_bytes": 2**40},
        [QUOTA, {**QUOTA, "soft_quota_type": "spaceRemainingQuota"}],
    ),
}


class TestKinds(EachProperty):
    """Each kind from creation to deletion."""

    @pytest.fixture(params=list(KINDS.values()), ids=list(KINDS))
    def case(self, request: pytest.FixtureRequest) -> Case:
        provider, first, edit, by_hand, edits = request.param
        return Case(provider, {"name": named("one"), **first}, edit, by_hand, edits)


def test_soft_quota_is_bytes_and_is_removed_when_left_out(connection: Connection, client: NexusClient) -> None:
    store = Tracked(FILE(), connection)
    store.up(name=named("store"), path="quota", **QUOTA)
    listed = next(one for one in client.get("/v1/blobstores") if one["name"] == store.id)
    assert listed["softQuota"] == {"type": "spaceUsedQuota", "limit": 10 * 2**30}
    assert store.up(name=store.id, path="quota") == "update"
    assert client.get(f"/v1/blobstores/file/{store.id}")["softQuota"] is None
    store.destroy()


def test_exceeded_soft_quota_is_an_output(connection: Connection) -> None:
    store, exceeded = Tracked(FILE(), connection), {**QUOTA, "soft_quota_type": "spaceRemainingQuota"}
    exceeded["soft_quota_limit_bytes"] = 2**52
    store.up(name=named("store"), path="exceeded", **exceeded)
    assert str(store.id) in str((store.outs or {})["soft_quota_violation"])
    assert store.up(name=store.id, path="exceeded", **QUOTA) == "update"
    assert (store.outs or {})["soft_quota_violation"] is None
    store.up(name=store.id, path="exceeded", **exceeded)
    assert str(store.id) in str((store.outs or {})["soft_quota_violation"])
    assert store.up(name=store.id, path="exceeded") == "update"
    assert (store.outs or {})["soft_quota_violation"] is None
    store.destroy()


def test_delete_of_routing_rule_names_repositories_that_use_it(connection: Connection) -> None:
    rule, proxy = Tracked(RoutingRuleProvider(), connection), Tracked(RAW_PROXY(), connection)
    rule.up(name=named("rule"), matchers=["^/a"])
    proxy.up(name=named("raw"), remote_url="https://example.com/", routing_rule_name=rule.id)
    said = f"is in use by repository '{proxy.id}', and was not deleted.*another resource"
    with pytest.raises(Refused, match=said):
        rule.destroy()
    proxy.destroy()
    rule.destroy()


@pytest.mark.parametrize("path", ["{}/", "{}//a", "./{}", "{}/../{}-b", "{} ä", "/tmp/{}/"])
def test_path_of_blob_store_may_have_odd_slashes(connection: Connection, path: str) -> None:
    """Nexus returns a path without repeated slashes and without one at its end."""
    store, name = Tracked(FILE(), connection), named("store")
    assert store.up(name=name, path=path.replace("{}", name)) == "create"
    assert (store.refresh(), store.up(name=name, path=path.replace("{}", name))) == ("same", "same")
    store.destroy()


def test_delete_of_blob_store_names_repositories_that_use_it(connection: Connection, client: NexusClient) -> None:
    store, repository = Tracked(FILE(), connection), named("raw")
    store.up(name=named("store"), path="used")
    storage = {"blobStoreName": store.id, "strictContentTypeValidation": True, "writePolicy": "ALLOW"}
    client.post("/v1/repositories/raw/hosted", {"name": repository, "online": True, "storage": storage})
    kept = dict(store.outs or {})
    with pytest.raises(Refused, match=f"is in use by repository '{repository}', and was not deleted"):
        store.destroy()
    client.delete(f"/v1/repositories/{repository}")
    FILE().delete(store.id, kept)
    assert FILE().read(store.id, kept).id == ""


def test_repository_keeps_policy_that_is_replaced(connection: Connection, client: NexusClient) -> None:
    """Nexus takes a deleted policy out of its repositories, some time after it has answered the deletion."""
    policy, repositories = Tracked(CleanupPolicyProvider(), connection), []
    desired: dict[str, Any] = {"name": named("policy"), "criteria_last_downloaded": 30}

    def refer(repository: Tracked, name: str) -> str:
        marks = [(policy.outs or {})["incarnation"]]
        return repository.up(name=name, cleanup_policy_names=[policy.id], incarnations=marks)

    policy.up(**desired, format="raw")
    for number in range(8):
        repositories.append(Tracked(RAW(), connection))
        assert refer(repositories[-1], named(f"raw-{number}")) == "create"
    assert policy.up(**desired, format="*") == "replace"
    assert [refer(one, one.id) for one in repositories] == ["update"] * 8
    time.sleep(0.5)
    for one in repositories:
        assert client.get(f"/v1/repositories/raw/hosted/{one.id}")["cleanup"] == {"policyNames": [policy.id]}
        assert one.refresh() == "same"
        one.destroy()
    policy.destroy()


SETTINGS = {
    "Email": Case(
        EmailProvider,
        {"host": "mail.example.com", "from_address": "nexus@example.com"},
        {},
        {},
        [
            {"from_address": "other@example.com"},
            {"username": "u", "password": "one"},
            {"start_tls_enabled": True},
            {"start_tls_enabled": True, "start_tls_required": True},
        ],
    ),
    "AnonymousAccess": Case(
        AnonymousAccessProvider, {"enabled": True}, {}, {}, [{"realm_name": "NexusAuthenticatingRealm"}]
    ),
}


@pytest.mark.parametrize("case", SETTINGS.values(), ids=SETTINGS)
def test_each_property_of_setting_is_updated_and_kept(
    case: Case, connection: Connection, client: NexusClient
) -> None:
    tracked = Tracked(case.provider(), connection)
    try:
        edit_each_property(case, tracked, client)
    finally:
        tracked.destroy()


@pytest.mark.kinds("Email")
def test_email_is_set_corrected_and_cleared(connection: Connection, client: NexusClient) -> None:
    first = {"host": "mail.example.com", "from_address": "nexus@example.com", "username": "u", "password": "one"}
    email = Tracked(EmailProvider(), connection)
    nobody = {name: first[name] for name in ("host", "from_address")}
    assert email.up(**nobody) == "create"
    assert email.refresh() == "same"
    assert email.up(**first) == "update"
    assert email.up(**first) == "same"
    assert email.refresh() == "same"
    assert email.up(**{**first, "password": "two"}) == "update", "a password that can't be read is written"
    assert email.up(**{**first, "port": 587, "start_tls_enabled": True}) == "update"
    assert client.get("/v1/email")["port"] == 587
    client.put("/v1/email", {**client.get("/v1/email"), "host": "other.example.com"})
    assert email.refresh() == "drift"
    assert email.up(**first) == "update"
    assert email.refresh() == "same"
    email.destroy()
    assert not client.get("/v1/email")["enabled"]


@pytest.mark.parametrize(
    ("kind", "inputs", "said"),
    [
        ("HttpProxy", {"http_host": "proxy", "http_port": 3128}, "but from 3.74 on"),
        ("Task", {"name": "t", "type": "repository.cleanup"}, "but from 3.74 on"),
        ("SecretsEncryptionKey", {"secret_key_id": "one"}, "but from 3.74 on"),
        ("IqAudit", {"repository_name": "maven-central"}, "but from 3.74 on"),
        ("BaseUrlCapability", {"url": "https://nexus.example.com"}, "but from 3.82 on"),
        ("SamlUser", {"user_id": "ada"}, "but from 3.86 on"),
        ("SsrfProtection", {}, "but from 3.92 on"),
        ("IpAllowlist", {"mode": "MONITOR"}, "but from 3.93 on"),
        ("UserTokens", {}, "is only in the edition Pro, and the server is OSS"),
        (
            "BlobStoreGroup",
            {"name": "g", "members": ["default"]},
            "is only in the edition Pro, and the server is OSS",
        ),
        (
            "Crowd",
            {"url": "https://crowd.example.com", "application_name": "n", "application_password": "p"},
            "is only in the edition Pro, and the server is OSS",
        ),
        (
            "Saml",
            {"entity_id": "e", "idp_metadata": "<a/>", "username_attribute": "u"},
            "is only in the edition Pro, and the server is OSS",
        ),
        ("License", {"license": "bGljZW5jZQ=="}, "404"),
        ("Iq", {"url": "https://iq.example.com", "username": "u", "password": "p"}, "404"),
        (
            "ExternalUser",
            {"user_id": "ada", "source": "LDAP", "roles": ["nx-admin"]},
            "source: LDAP is not on the server",
        ),
    ],
)
def test_kind_that_the_server_lacks_is_refused_with_the_reason(
    connection: Connection, kind: str, inputs: dict[str, Any], said: str
) -> None:
    """Core 3.71 has none of them; it lists tasks, and answers 405 to a new one."""
    assert said in refusal(getattr(providers, kind).provider_class, connection, **inputs)


def test_cleanup_policy_is_refused_by_criterion(connection: Connection) -> None:
    desired = {"name": named("policy"), "format": "raw", "criteria_release_type": "RELEASES"}
    said = refusal(CleanupPolicyProvider, connection, **desired)
    assert "criteria_release_type: is no criterion of the format raw, which has criteria_last_" in said


def test_another_type_replaces_script(connection: Connection) -> None:
    script = Tracked(ScriptProvider(), connection)
    script.up(name=named("script"), content="one")
    assert script.up(name=script.id, content="one", type="other") == "replace"
    assert script.refresh() == "same"
    script.destroy()


def test_missing_kind_is_recognised_by_response(connection: Connection) -> None:
    reset()  # no response was seen yet
    said = refusal(TASK, connection, name="t", type="repository.cleanup")
    assert "task 't': is not known to Nexus 3.71.0-06, but from 3.74 on" in said
