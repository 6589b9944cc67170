"""What the kinds of security and system refuse in check, by property, and which of them exclude each other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import nexus_registry.providers as declared
import pytest
from nexus_registry.providers import engine
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.patterns import java_regex, quartz_cron
from nexus_registry.providers.run import Run
from nexus_registry.providers.schema import Invalid

from sandbox.pki import Authority

SERVER = {"url": "https://nexus.example.com", "username": "admin", "password": "pw"}
S3 = {"name": "s3", "bucket_name": "some-bucket"}
LDAP = {"name": "ldap", "host": "ldap.example.com", "search_base": "dc=example,dc=com"}
VIEW = {"name": "v", "format": "raw", "repository": "*", "actions": ["READ"]}


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
        ("BlobStoreGroup", {"name": "g", "members": ["g"]}, ["members"]),
        ("RoutingRule", {"name": "r", "matchers": ["^/(a"]}, ["matchers"]),
        ("RoutingRule", {"name": "r", "matchers": []}, ["matchers"]),
        ("CleanupPolicy", {"name": "c", "format": "raw"}, ["criteria_last_blob_updated"]),
        ("LdapServer", {**LDAP, "auth_scheme": "none"}, []),
        ("LdapServer", LDAP, ["auth_password", "auth_username"]),
        ("LdapServer", {**LDAP, "auth_scheme": "NONE", "ldap_groups_as_roles": True, "group_type": "dynamic"},
         ["user_member_of_attribute"]),
        ("SslTrust", {"certificate": "no certificate"}, ["certificate"]),
        ("SslTrust", {"certificate": "".join(Authority.create(one).certificate_pem for one in "ab")},
         ["certificate"]),
        ("ActiveRealms", {"realms": ["DockerToken"]}, ["realms"]),
        ("RepositoryViewPrivilege", {**VIEW, "actions": ["RUN"]}, ["actions"]),
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
    ],
)
def test_regular_expressions_of_java_pass(expression: str) -> None:
    assert java_regex(expression) == expression


@pytest.mark.parametrize("expression", ["(a", "a)", "[a", "*a", "a\\"])
def test_expressions_that_do_not_compile_are_refused(expression: str) -> None:
    with pytest.raises(Invalid, match="is no regular expression"):
        java_regex(expression)


@pytest.mark.parametrize(
    "schedule",
    ["0 30 2 * * ?", "0 0/15 8-18 ? * MON-FRI", "0 0 1 L * ?", "0 0 1 ? jan,jul 2#1 2030", "0 0 1 15W * ?"],
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
    ],
)
def test_schedules_that_can_not_be_parsed_are_refused(schedule: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        quartz_cron(schedule)


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
