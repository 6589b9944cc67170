"""Bad input of repositories and blob stores, for every kind that has the property, by the property's name."""

from __future__ import annotations

from typing import Any

import pytest
from nexus_registry.providers.client import Connection
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.errors import NexusError
from nexus_registry.providers.run import Run

from docs.examples import OPENPGP_KEY, inputs_of
from sandbox.pki import Authority
from tests.contract.tracked import Tracked
from tests.tested import kinds

from .fake import Request, Response, Script, serve


def having(name: str) -> list[str]:
    """The kinds of repository with a property of this name."""
    return [
        kind
        for kind, cls in kinds().items()
        if kind.endswith("Repository") and name in cls.declared_properties and cls.declared_properties[name].check
    ]


def failures(kind: str, **inputs: Any) -> dict[str, str]:
    """What ``check`` says of the smallest inputs that the kind takes, changed by ``inputs``; ``...``: left out."""
    cls = kinds()[kind]
    needed = {**inputs_of(cls), "name": "one"}
    desired = {name: value for name, value in {**needed, **inputs}.items() if value is not ...}
    connection = {"url": "http://localhost:1", "username": "admin", "password": "x"}
    found = cls.provider_class().check({}, {"connection": connection, **desired}).failures
    return {one.property: one.reason for one in found}


@pytest.mark.parametrize("kind", having("member_names"))
def test_group_with_itself_is_refused(kind: str) -> None:
    assert failures(kind) == {}
    assert list(failures(kind, member_names=["first", "one"])) == ["member_names"]


@pytest.mark.parametrize("kind", having("writable_member"))
def test_writable_member_that_is_no_member_is_refused(kind: str) -> None:
    assert failures(kind, member_names=["a", "b"], writable_member="b") == {}
    found = failures(kind, member_names=["a", "b"], writable_member="c")
    assert found == {"writable_member": "must be one of member_names, not 'c'."}


@pytest.mark.parametrize("kind", having("remote_url"))
def test_proxy_without_usable_remote_url_is_refused(kind: str) -> None:
    assert failures(kind) == {}
    required = kinds()[kind].declared_properties["remote_url"].required
    assert list(failures(kind, remote_url=...)) == (["remote_url"] if required else [])
    ports = ("https://example.com:99999", "https://[::1")
    for value in ("", "none", "example.com", "ftp://example.com", "https://a..example.com", *ports):
        assert list(failures(kind, remote_url=value)) == ["remote_url"], value


LOGIN = {"authentication_type": "username", "authentication_username": "u", "authentication_password": "p"}


@pytest.mark.parametrize("inputs", [{"use_trust_store": True}, {"authentication_preemptive": True, **LOGIN}])
@pytest.mark.parametrize("kind", having("remote_url"))
def test_property_for_https_is_refused_without_it(kind: str, inputs: dict[str, Any]) -> None:
    assert failures(kind, remote_url="https://example.com", **inputs) == {}
    found = failures(kind, remote_url="http://example.com", **inputs)
    assert found == {next(iter(inputs)): "is for a remote_url that begins with https://. Leave it out."}


@pytest.mark.parametrize(
    ("kind", "inputs", "said"),
    [
        (
            "AptProxyRepository",
            {"enforce_distribution": True, "distribution": None},
            {"distribution": "is required with enforce_distribution."},
        ),
        ("RoutingRule", {"name": "none"}, {"name": "must not be 'None', which Nexus keeps for itself."}),
        ("CleanupPolicy", {"retain": 3, "sort_by": "size"}, {"sort_by": "must be one of version, date."}),
    ],
)
def test_value_that_server_refuses_is_refused(kind: str, inputs: dict[str, Any], said: dict[str, str]) -> None:
    assert failures(kind, **inputs) == said


RSA_KEY = Authority.create("signing").issue(["a"], key="rsa").private_key_pem
ENCRYPTED = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0123456789ABCDEF\n\n"
OPENPGP = {
    "taken": [
        OPENPGP_KEY,
        OPENPGP_KEY.replace("BLOCK-----\n\n", "BLOCK-----\nVersion: BCPG v1\nComment: some\n\n"),
        OPENPGP_KEY.replace("\n", "\r\n"),
        OPENPGP_KEY.replace("=QOFM\n", ""),
    ],
    "refused": [
        RSA_KEY,
        OPENPGP_KEY.replace("PRIVATE", "PUBLIC"),
        OPENPGP_KEY.replace("lFgE", "mDME"),  # the packet of a public key
        OPENPGP_KEY.replace("lFgE", "canary!!"),
        OPENPGP_KEY.replace("lFgE", "lFg"),
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n-----END PGP PRIVATE KEY BLOCK-----",
    ],
}
OTHER_KEYS = ("EC PRIVATE KEY", "DSA PRIVATE KEY", "OPENSSH PRIVATE KEY")
RSA = {
    "taken": [
        RSA_KEY,
        RSA_KEY.replace("KEY-----\n", f"KEY-----\n{ENCRYPTED}", 1).replace("PRIVATE", "RSA PRIVATE"),
    ],
    "refused": [
        OPENPGP_KEY,
        RSA_KEY.replace("PRIVATE", "PUBLIC"),
        *(RSA_KEY.replace("PRIVATE KEY", other) for other in OTHER_KEYS),
        "-----BEGIN PRIVATE KEY-----\ncanary!\n-----END PRIVATE KEY-----",
    ],
}


@pytest.mark.parametrize("kind", having("signing_keypair"))
def test_invalid_signing_key_is_refused_without_its_text(kind: str) -> None:
    values = RSA if kind.startswith("Alpine") else OPENPGP
    for value in values["taken"]:
        assert failures(kind, signing_keypair=value) == {}
    for value in ("canary", *values["refused"]):
        found = failures(kind, signing_keypair=value)
        assert list(found) == ["signing_keypair"], value
        assert not any(line in str(found) for line in value.split("\n") if line)


S3_KEY = {"access_key_id": "AK1", "secret_access_key": "canary"}
MEMBERS = [{"name": "images", "format": "raw", "type": "hosted", "storage": {"blobStoreName": "one"}}]
STORES = [{"name": "one", "type": "File"}, {"name": "all", "type": "Group"}]


def answers(status: int, refusal: Any) -> Script:
    """A server that refuses writes, has one repository and two blob stores, of which one is a group."""
    there = {
        "/v1/status": {},
        "/v1/repositories": MEMBERS,
        "/v1/repositorySettings": MEMBERS,
        "/v1/blobstores": STORES,
        "/v1/security/content-selectors": [],
        "/v1/blobstores/group/all": {"name": "all", "members": ["one"]},
        "/v1/blobstores/file/one": {"path": "one"},
    }

    def script(request: Request) -> Response:
        path = request.path.removeprefix("/service/rest")
        if request.method != "GET":
            return Response(status, refusal)
        return Response(200, there[path]) if path in there else Response(404, "")

    return script


@pytest.fixture
def no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NexusProvider, "run", Run())


@pytest.mark.parametrize(
    ("kind", "inputs", "refusal", "said"),
    [
        ("RawGroupRepository", {"member_names": ["imags"]}, [{"id": "memberNames", "message": "not found"}],
         "member_names: imags is not on the server. Did you mean images?"),
        ("ContentSelector", {"expression": "frmat =="}, [{"id": "expression", "message": "Invalid CSEL: x"}],
         "expression: Invalid CSEL: x"),
        ("BlobStoreGroup", {"members": ["on"]}, [{"id": "members", "message": "not found"}],
         "members: on is not on the server. Did you mean one?"),
        ("S3BlobStore", {"bucket_name": "some", **S3_KEY}, "Insufficient permissions to create bucket some",
         "access_key_id: S3 does not let the key 'AK1' use the bucket 'some'. Give it the permissions"),
        ("S3BlobStore", {"bucket_name": "some"}, "Access denied. Please check the credentials",
         "access_key_id: S3 does not let the host's own role use the bucket 'some'"),
        ("S3BlobStore", {"bucket_name": "some", "endpoint": "https://s3.example.com"},
         "Cause: Unable to execute HTTP request: s3.example.com", "endpoint: Nexus does not reach https://s3.ex"),
    ],
)  # fmt: skip
def test_refusal_of_server_names_property(
    kind: str, inputs: dict[str, Any], refusal: Any, said: str, no_run: None
) -> None:
    with serve(answers(400, refusal)) as server:
        connection: Connection = {"url": server.url, "username": "admin", "password": "pw"}
        tracked = Tracked(kinds()[kind].provider_class(), connection)  # type: ignore[arg-type]
        with pytest.raises(NexusError) as caught:
            tracked.up(name="new", **inputs)
    assert said in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "configuration", "unset", "unknown"),
    [
        (
            "S3BlobStore",
            {"bucket": {"name": "some", "region": "DEFAULT", "prefix": ""}, "advancedBucketConnection": None},
            {"access_key_id": None, "encryption_type": None, "endpoint": None, "max_connection_pool_size": None},
            {"secret_access_key", "failover_buckets"},
        ),
        (
            "AzureBlobStore",
            {"accountName": "some", "containerName": "some"},
            {"authentication_method": "MANAGEDIDENTITY", "soft_quota_type": None},
            {"account_key"},
        ),
        (
            "GoogleBlobStore",
            {"bucket": {"name": "some", "region": "europe-west3"}},
            {"authentication_method": "applicationDefault", "bucket_prefix": None, "project_id": None},
            {"account_key", "encryption_key"},
        ),
    ],
)
def test_missing_fields_of_bucket_are_unset(
    kind: str, configuration: dict[str, Any], unset: dict[str, Any], unknown: set[str]
) -> None:
    """Secrets and fields that an older version does not know stay unknown."""
    provider: Any = kinds()[kind].provider_class()
    read = provider.from_body({"name": "some", "bucketConfiguration": configuration})
    assert unset.items() <= read.items()
    assert not unknown & set(read)


def test_blob_store_in_use_is_kept_and_its_users_are_named(no_run: None) -> None:
    provider: Any = kinds()["FileBlobStore"].provider_class()
    with serve(answers(400, [{"id": "*", "message": "Blob store is in use"}])) as server:
        state = {"name": "one", "path": "one", "connection": {"url": server.url, "username": "a", "password": "b"}}
        with pytest.raises(NexusError, match="in use by repository 'images', blob store group 'all', and was not"):
            provider.delete("one", state)


def test_content_selector_in_use_is_kept_and_its_users_are_named(no_run: None) -> None:
    provider: Any = kinds()["ContentSelector"].provider_class()
    fault = "ERROR: (ID a-b) java.lang.IllegalStateException: Content selector one is in use and cannot be deleted"
    privileges = [
        {"name": "nx-all"},
        {"name": "p", "contentSelector": "one"},
        {"name": "q", "contentSelector": "two"},
    ]

    def script(request: Request) -> Response:
        return Response(500, fault) if request.method == "DELETE" else Response(200, privileges)

    with serve(script) as server:
        state = {"name": "one", "expression": "a", "connection": {"url": server.url, "password": "b"}}
        with pytest.raises(
            NexusError, match=r"in use by privilege 'p', and was not deleted.*declare another resource"
        ):
            provider.delete("one", state)
