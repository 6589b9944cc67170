"""What the kinds of security and system refuse in check, by property, and which of them exclude each other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import nexus_registry.providers as declared
import pytest
from nexus_registry.providers import engine
from nexus_registry.providers.client import client_for
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.declare import NexusResource
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.patterns import java_regex, quartz_cron
from nexus_registry.providers.run import Run
from nexus_registry.providers.schema import Invalid
from pulumi.runtime.rpc import UNKNOWN

from sandbox.pki import Authority

from .fake import Response, serve

SERVER = {"url": "https://nexus.example.com", "username": "admin", "password": "pw"}
S3 = {"name": "s3", "bucket_name": "some-bucket"}
GOOGLE = {"name": "g", "region": "europe-west3"}
LDAP = {"name": "ldap", "host": "ldap.example.com", "search_base": "dc=example,dc=com"}
TASK = {"name": "t", "type": "repository.cleanup"}
MONTHLY = {**TASK, "schedule": "monthly", "start_date": "2026-01-31T02:30:00Z", "recurring_days": [999]}
NEWEST = {"name": "c", "format": "maven2", "retain": 3, "sort_by": "version"}
VIEW = {"name": "v", "format": "raw", "repository": "*", "actions": ["READ"]}


@pytest.mark.parametrize(
    ("kind", "inputs", "server", "said"),
    [
        (
            "Task",
            TASK,
            {"version": "3.71.0-06"},
            "connection: task: is not known to Nexus 3.71.0-06, but from 3.74",
        ),
        ("AuditCapability", {}, {"version": "3.81.0"}, "from 3.82 on"),
        ("UserTokens", {}, {"edition": "community"}, "only in the edition Pro, and the server is community"),
        ("UserTokens", {}, {"edition": "pro", "version": "3.94.0"}, ""),
        (
            "Task",
            MONTHLY,
            {"version": "3.82.0-01"},
            "recurring_days: 999 is not known to Nexus 3.82.0-01, but from",
        ),
        ("Task", {**MONTHLY, "recurring_days": [1]}, {"version": "3.82.0-01"}, ""),
        ("CleanupPolicy", NEWEST, {"version": "3.63.0-01"}, "sort_by: is not known to Nexus 3.63.0-01, but from"),
        ("CleanupPolicy", NEWEST, {"version": "3.77.0-08", "edition": "pro"}, ""),
        ("Task", MONTHLY, {"version": "3.94.0-01"}, ""),
    ],
)
def test_missing_feature_of_server_is_refused_in_preview(
    kind: str, inputs: dict[str, Any], server: dict[str, str], said: str
) -> None:
    failures = refused(kind, **inputs, connection={**SERVER, **server})
    assert len(failures) == bool(said)
    assert said in "".join(f"{name}: {reason}" for name, reason in failures.items())


def refused(kind: str, **inputs: Any) -> dict[str, str]:
    provider = getattr(declared, kind).provider_class()
    failures = provider.check({}, {"connection": SERVER, **inputs}).failures
    return {failure.property: failure.reason for failure in failures}


@pytest.mark.parametrize(
    ("kind", "inputs", "names"),
    [
        ("FileBlobStore", {"name": "f", "path": "f"}, []),
        ("FileBlobStore", {"name": "f", "path": "f", "soft_quota_type": "spaceUsedQuota",
                           "soft_quota_limit_bytes": 0}, ["soft_quota_limit_bytes"]),
        ("FileBlobStore", {"name": "f", "path": "f", "soft_quota_type": "spaceUsedQuota"},
         ["soft_quota_limit_bytes"]),
        ("S3BlobStore", S3, []),
        ("S3BlobStore", {**S3, "bucket_name": "Some_Bucket"}, ["bucket_name"]),
        ("S3BlobStore", {**S3, "bucket_name": "a..b"}, ["bucket_name"]),
        ("S3BlobStore", {**S3, "bucket_name": "10.0.0.1"}, ["bucket_name"]),
        ("S3BlobStore", {**S3, "access_key_id": "a"}, ["secret_access_key"]),
        ("S3BlobStore", {**S3, "encryption_key": "a"}, ["encryption_key", "encryption_type"]),
        ("GoogleBlobStore", {**GOOGLE, "bucket_name": "some_bucket.example.com"}, []),
        ("GoogleBlobStore", {**GOOGLE, "bucket_name": "_some"}, ["bucket_name"]),
        ("GoogleBlobStore", {**GOOGLE, "bucket_name": "Some"}, ["bucket_name"]),
        ("GoogleBlobStore", {**GOOGLE, "bucket_name": "a" * 222}, []),
        ("GoogleBlobStore", {**GOOGLE, "bucket_name": "a" * 223}, ["bucket_name"]),
        ("GoogleBlobStore", {**GOOGLE, "bucket_name": "10.0.0.1"}, ["bucket_name"]),
        ("RawProxyRepository", {"name": "p", "remote_url": "https://x", "negative_cache_time_to_live": -1},
         ["negative_cache_time_to_live"]),
        ("BlobStoreGroup", {"name": "g", "members": ["g"]}, ["members"]),
        ("RoutingRule", {"name": "r", "matchers": ["^/(a"]}, ["matchers"]),
        ("RoutingRule", {"name": "r", "matchers": []}, ["matchers"]),
        ("CleanupPolicy", {"name": "c", "format": "raw"}, ["criteria_last_blob_updated"]),
        ("CleanupPolicy", {"name": "c", "format": "raw", "criteria_asset_regex": "a{1,99999999999}"},
         ["criteria_asset_regex"]),
        ("PypiProxyRepository", {"name": "p", "remote_url": "https://x", "index_path": "/a" * 60 + "?"},
         ["index_path"]),
        ("License", {"license": "é"}, ["license"]),
        ("Task", {**TASK, "schedule": "once", "start_date": "9999-12-31T23:59:59-14:00"}, ["start_date"]),
        ("LdapServer", {**LDAP, "auth_scheme": "none"}, []),
        ("LdapServer", LDAP, ["auth_password", "auth_username"]),
        ("LdapServer", {**LDAP, "auth_scheme": "NONE", "ldap_groups_as_roles": True, "group_type": "dynamic"},
         ["user_member_of_attribute"]),
        ("SslTrust", {"certificate": "no certificate"}, ["certificate"]),
        ("SslTrust", {"certificate": "".join(Authority.create(one).certificate_pem for one in "ab")},
         ["certificate"]),
        ("ActiveRealms", {"realms": ["DockerToken"]}, ["realms"]),
        ("ApplicationPrivilege", {"name": "a", "domain": "*", "actions": ["start", "STOP", "ASSOCIATE",
                                  "DISASSOCIATE"]}, []),
        ("ApplicationPrivilege", {"name": "a", "domain": "tasks", "actions": ["RUN"]}, ["actions"]),
        ("RepositoryViewPrivilege", {**VIEW, "actions": ["RUN"]}, ["actions"]),
        ("RepositoryViewPrivilege", {**VIEW, "actions": []}, ["actions"]),
        ("HttpProxy", {"http_host": "proxy.example.com", "http_port": 3128}, []),
        ("HttpProxy", {"http_host": "http://proxy.example.com"}, ["http_host"]),
        ("HttpProxy", {"https_port": 3128, "https_password": "canary"}, ["https_host", "https_username"]),
        ("UserTokens", {"expiration_days": 0}, ["expiration_days"]),
        ("Crowd", {"url": "a.example.com", "application_name": "n", "application_password": "canary"}, ["url"]),
        ("Saml", {"entity_id": "e", "username_attribute": "u", "idp_metadata": "no XML"}, ["idp_metadata"]),
        ("ExternalUser", {"user_id": "u", "source": "default", "roles": ["r"]}, ["source"]),
        ("IpAllowlist", {"mode": "enforce", "entries": {"10.0.0.0/8": "office", "::1": ""}}, []),
        ("IpAllowlist", {"mode": "ENFORCE", "entries": {"10.0.0.1/8": ""}}, ["entries"]),
        ("IpAllowlist", {"mode": "ENFORCE", "entries": {"10.0.0.256": ""}}, ["entries"]),
        ("IpAllowlist", {"mode": "ENFORCE"}, ["entries"]),
        ("SsrfProtection", {"allowed_ips": ["10.0.0"]}, ["allowed_ips"]),
        ("SsrfProtection", {"allowed_ips": ["10.0.0.0/8"]}, ["allowed_ips"]),
        ("SsrfProtection", {"allowed_domains": ["*.example.com"]}, ["allowed_domains"]),
        ("SsrfProtection", {"allowed_domains": ["https://a"]}, ["allowed_domains"]),
        ("License", {"license": "canary!"}, ["license"]),
        ("Iq", {"url": "https://iq.example.com"}, ["password", "username"]),
        ("Iq", {"url": "https://iq.example.com", "authentication_type": "pki"}, []),
        ("IqAudit", {"repository_name": "r", "enabled": False, "enabled_quarantine": True}, ["enabled"]),
        ("Task", {**TASK, "schedule": "cron"}, ["cron_expression"]),
        ("Task", {**TASK, "schedule": "cron", "cron_expression": "30 2 * * *"}, ["cron_expression"]),
        ("Task", {**TASK, "cron_expression": "0 30 2 * * ?"}, ["cron_expression"]),
        ("Task", {**TASK, "schedule": "daily", "start_date": "2026-01-31"}, ["start_date"]),
        ("Task", {**TASK, "schedule": "daily", "start_date": "2026-01-31T02:30:00Z"}, []),
        ("Task", {**TASK, "schedule": "weekly", "start_date": "2026-01-31T02:30:00Z", "recurring_days": [8]},
         ["recurring_days"]),
        ("Task", MONTHLY, []),
        ("Task", {**MONTHLY, "recurring_days": [1, 999]}, ["recurring_days"]),
        ("Task", {**TASK, "schedule": "fortnightly"}, ["schedule"]),
        ("Task", {**TASK, "time_zone_offset": "CET"}, ["time_zone_offset"]),
        ("GlobalWebhookCapability", {"url": "ftp://a", "names": []}, ["names", "url"]),
        ("GlobalWebhookCapability", {"url": "https://user:canary@a", "names": ["audit"]}, ["url"]),
        ("RutAuthCapability", {"http_header": "X: Y"}, ["http_header"]),
        ("Email", {"host": "m", "from_address": "nobody"}, ["from_address"]),
        ("Email", {"host": "m", "from_address": "a@b", "password": "canary"}, ["username"]),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_property(kind: str, inputs: dict[str, Any], names: list[str]) -> None:
    failures = refused(kind, **inputs)
    assert sorted(failures) == names
    assert "canary" not in str(failures)


@pytest.mark.parametrize(
    "expression",
    [
        "^/a/.*",
        r"\Q(\E",
        r"(?<name>a)\k<name>",
        r"\p{L}+",
        "a++",
        "(?i)a",
        "(?>a)",
        "[a-z&&[^b]]",
        r"(?<=a{1,3})b",
        "^*/a$+",
        r"\b*[^*$][^^?]\B?\$*",
        pytest.param("(" * 3000 + ")" * 3000, id="nested"),
    ],
)
def test_regular_expressions_of_java_pass(expression: str) -> None:
    assert java_regex(expression) == expression


@pytest.mark.parametrize("expression", ["(a", "a)", "[a", "*a", "a\\", "(*a)"])
def test_invalid_regex_is_refused(expression: str) -> None:
    with pytest.raises(Invalid, match="is no regular expression"):
        java_regex(expression)


@pytest.mark.parametrize(
    "schedule",
    [
        "0 30 2 * * ?",
        "0 0/15 8-18 ? * MON-FRI",
        "0 0 1 L * ?",
        "0 0 1 ? jan,jul 2#1 2030",
        "0 0 1 15W * ?",
        "0 0 1 LW * ?",
        "0 0 1 L-3 * ?",
        "0 0 1 ? * FRIL",
        "0 0 1 ? * 6L",
        "*/5 * * * * ?",
        "0 0/5 * * * ?",
        "0 0 1 1,15 * ?",
    ],
)
def test_schedules_of_quartz_pass(schedule: str) -> None:
    assert quartz_cron(schedule) == schedule.upper()


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("30 2 * * *", "6 or 7 fields"),
        ("0 60 2 * * ?", "'60' is no minutes"),
        ("0 0 2 * * *", "exactly one"),
        ("0 0 2 ? * ?", "exactly one"),
        ("0 0 2 * FOO ?", "'FOO' is no month"),
        ("0 0/0 2 * * ?", "'0/0' is no minutes"),
        ("0 0/60 2 * * ?", "'0/60' is no minutes"),
        ("0 0 2 32W * ?", "'32W' is no day of month"),
        ("0 0 2 L,15 * ?", "'L' is no day of month"),
        ("0 0 2 ? * FOOL", "'FOOL' is no day of week"),
        ("0 0 2 ? * 2#6", "'2#6' is no day of week"),
        ("0 0 2 ? * MON#1,FRI", "'MON#1' is no day of week"),
        ("0 0 2 * * ? 1969", "'1969' is no year"),
        ("0 /5 * * * ?", "'/5' is no minutes"),
        ("0 0,*/5 * * * ?", r"'0,\*/5' is no minutes"),
        ("0 0 2 */2 * ?", r"'\*/2' is no day of month"),
        ("0 0 2 ? * MON-FRI/2", "'MON-FRI/2' is no day of week"),
        ("0 0 2 L-3W * ?", "'L-3W' is no day of month"),
    ],
)
def test_invalid_schedules_are_refused(schedule: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        quartz_cron(schedule)


@pytest.mark.parametrize(
    ("kind", "inputs", "unknown"),
    [
        ("AzureBlobStore", {"name": "a", "account_name": "abc", "container_name": "abc", "account_key": "k"},
         "authentication_method"),
        ("GoogleBlobStore", {"name": "g", "bucket_name": "abc", "region": "r", "account_key": "k"},
         "authentication_method"),
        ("S3BlobStore", {**S3, "encryption_key": "k"}, "encryption_type"),
        ("LdapServer", LDAP, "auth_scheme"),
        ("LdapServer", {**LDAP, "auth_scheme": "NONE"}, "ldap_groups_as_roles"),
        ("RawProxyRepository", {"name": "r", "remote_url": "https://x"}, "authentication_preemptive"),
    ],
)  # fmt: skip
def test_unknown_value_may_be_the_right_one(kind: str, inputs: dict[str, Any], unknown: str) -> None:
    """In a preview, any value may come from a resource that is still to be created."""
    assert refused(kind, **{**inputs, unknown: UNKNOWN}) == {}


@pytest.mark.parametrize("first", ["ActiveRealms", "RealmActivation"])
def test_list_of_realms_and_one_realm_exclude_each_other(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NexusProvider, "run", Run())
    inputs: dict[str, dict[str, Any]] = {
        "ActiveRealms": {"realms": ["NexusAuthenticatingRealm"]},
        "RealmActivation": {"realm": "DockerToken"},
    }
    answers = []
    for kind in sorted(inputs, key=lambda one: one != first):
        monkeypatch.setattr(
            engine, "_request", lambda kind=kind: SimpleNamespace(urn=f"urn:pulumi:a::b::c::{kind}")
        )
        answers.append(refused(kind, **inputs[kind]))
    assert answers[0] == {}
    assert first in next(iter(answers[1].values()))
    assert "exclude each other" in next(iter(answers[1].values()))


def test_server_is_asked_again_before_its_version_refuses_a_kind() -> None:
    """The same ``up`` may have upgraded it after the response that had the version."""
    version = ["3.71.0-06"]
    provider: Any = declared.SsrfProtection.provider_class()
    with serve(lambda _: Response(headers={"Server": f"Nexus/{version[0]} (OSS)"})) as fake:
        client = client_for({"url": fake.url, "username": "admin", "password": "pw"})
        client.login()
        inputs = {"connection": {"url": fake.url}}
        with pytest.raises(Refused, match=r"is not known to Nexus 3\.71\.0-06"):
            provider._refuse_unavailable(client, inputs)
        version[0] = "3.94.0-01"
        provider._refuse_unavailable(client, inputs)


def test_every_kind_has_the_same_lifecycle() -> None:
    """So the fault matrix runs for one kind of each base class."""
    operations = ("check", "diff", "create", "read", "update", "delete")
    kinds = [one for name in declared.__all__ if isinstance(one := getattr(declared, name), type)]
    providers = {one.provider_class for one in kinds if issubclass(one, NexusResource)}
    own = {
        f"{one.__name__}.{name}"
        for one in providers
        for name in operations
        if getattr(one, name) is not getattr(NexusProvider, name)
    }
    # Its object, an account, exists before and after; the fault matrix runs for it as well.
    assert own == {f"AdminPasswordProvider.{name}" for name in ("create", "read", "update", "delete")}
    assert len(providers) > 100
