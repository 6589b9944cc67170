"""Where repositories keep their content: on a file system, in a bucket, or in a group of such places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..client import NexusClient
from ..compat import S3_EXPIRATION_OPTIONAL_SINCE
from ..declare import ListProp, NexusResource, Prop, PropertyGroup, prop
from ..errors import Refused
from ..in_use import in_use, repositories_with
from ..kind import Actual
from ..names import NAME, bucket_name
from ..rest import ObjectProvider
from ..schema import boolean, choice, integer, list_of, text
from ..suggest import not_on_server
from ..unknown import is_unknown
from .s3_errors import s3_message
from .soft_quota import SoftQuota, quota_violation


class BlobStoreProvider(ObjectProvider):
    scope = "blob store"
    ignores_case = True
    collection = "/v1/blobstores/{type}"
    delete_path = "/v1/blobstores/{key}"
    list_path = "/v1/blobstores"
    list_is_complete = False

    def is_it(self, entry: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
        # The list says "File", "S3", "Azure Cloud Storage", "Google Cloud Storage" and "Group".
        return str(entry["type"]).lower().startswith(self.type) and super().is_it(entry, inputs)

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        try:
            return super().find(client, inputs)
        except Refused:  # Nexus 3.71 answers 400 for a blob store of another type.
            if self._is_listed(client, inputs):
                raise
            return None

    def observe(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        limited = actual.properties.get("soft_quota_type") is not None
        violation = quota_violation(client, inputs["name"]) if limited else ""
        actual.properties["soft_quota_violation"] = violation or None

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:
        name = self.identity(inputs)
        stores = client.get_list(self.list_path)
        if " in use" in str(error):
            return _users(client, name, stores)
        other = next((one for one in stores if one["name"].lower() == name.lower()), None)
        if other and not self.is_it(other, inputs):
            return f"name is taken by the blob store {other['name']!r} of the type {other['type']}. Choose another"
        return ""


def _users(client: NexusClient, name: str, stores: list[Any]) -> str:
    repositories = repositories_with(client, lambda one: (one.get("storage") or {}).get("blobStoreName") == name)
    groups = [one["name"] for one in stores if str(one["type"]).lower() == "group"]
    address = BlobStoreGroup.provider_class().address  # type: ignore[attr-defined]
    around = [
        f"blob store group {group!r}"
        for group in groups
        if name in client.get_object(address("{item}", {"name": group}))["members"]
    ]
    return in_use(repositories, around)


class BlobStore(NexusResource, provider=BlobStoreProvider, abstract=True):
    """What every blob store has."""

    name: Prop[str] = prop(NAME, path="name", replaces=True)
    """Name of the blob store, at most 200 characters, unique in any case."""


class FileBlobStoreProvider(BlobStoreProvider):
    type = "file"

    def is_built_in(self, actual: Actual) -> bool:
        returned = {name: value for name, value in actual.properties.items() if value is not None}
        return returned == {"name": "default", "path": "default"}


def _path(value: Any) -> str:
    """A path as Java writes it: without repeated slashes, and without one at its end."""
    path = re.sub("/+", "/", text(max_length=200)(value))
    return path.rstrip("/") or "/"


class FileBlobStore(SoftQuota, BlobStore, provider=FileBlobStoreProvider):
    """A directory on the server.

    Errors: a deletion while repositories use it, which it names.

    Source: Nexus REST ``/v1/blobstores/file``.
    """

    path: Prop[str] = prop(_path, path="path", replaces=True)
    """The directory, absolute or below ``<data_dir>/blobs``. Another one is another blob store: Nexus moves no
    content."""


_bucket = bucket_name("'-'", 63, "[a-z0-9.-]")
_google_bucket = bucket_name("'-', '_'", 222, "[a-z0-9._-]")


def _failover(value: Any) -> str:
    entry = str(text(r"[^=\s]+=[^=\s]+", hint="must be region=bucket")(value))
    _bucket(entry.partition("=")[2])
    return entry


class BucketProvider(BlobStoreProvider):
    """A store in a cloud. Its response leaves out what is not set, and what its version does not know."""

    def from_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        known = set(self.schema) & set(self.read_paths) - set(self.field_availability)
        unset = {name: self.schema[name].default for name in known if not self.schema[name].required}
        return unset | super().from_body(body)


def _wrong_account_key(inputs: Mapping[str, Any], method: str) -> Iterator[tuple[str, str]]:
    given = inputs["authentication_method"]
    if not is_unknown(given) and (given == method) != (inputs.get("account_key") is not None):
        yield "account_key", f"is required with authentication_method {method}, and with no other"


class S3Provider(BucketProvider):
    type = "s3"

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:
        return s3_message(inputs, str(error)) or super().explain(client, inputs, error)

    def to_body(self, inputs: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        body = super().to_body(inputs, base)
        configuration = body["bucketConfiguration"]
        configuration.pop("activeRegion", None)
        pairs = [entry.partition("=") for entry in configuration.pop("failoverBuckets", None) or []]
        if pairs:
            configuration["failoverBuckets"] = [{"region": one[0], "bucketName": one[2]} for one in pairs]
        return body

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        client.post(self.address(self.collection, inputs), _with_expiration(client, self.to_body(inputs), inputs))

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        body = _with_expiration(client, self.to_body(inputs, actual.body), inputs)
        client.put(self.address(self.update_path, inputs), body)

    def from_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        properties = super().from_body(body)
        if "failover_buckets" in properties:
            properties["failover_buckets"] = [
                f"{one['region']}={one['bucketName']}" for one in properties["failover_buckets"] or []
            ]
        return properties

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from super().validate(inputs)
        for one, other in (("access_key_id", "secret_access_key"), ("secret_access_key", "access_key_id")):
            if inputs.get(one) is not None and inputs.get(other) is None:
                yield other, f"is required with {one}"
        encryption = inputs.get("encryption_type")
        if inputs.get("encryption_key") is not None and not (
            is_unknown(encryption) or encryption == "kmsManagedEncryption"
        ):
            yield "encryption_key", "is for encryption_type kmsManagedEncryption. Set that, or leave it out"


def _with_expiration(client: NexusClient, body: dict[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The body for this server's version: an older one requires ``expiration`` also where it is the default."""
    if client.is_before(S3_EXPIRATION_OPTIONAL_SINCE):
        body["bucketConfiguration"]["bucket"]["expiration"] = inputs["expiration_days"]
    return body


class S3Security(PropertyGroup, optional="bucketConfiguration.bucketSecurity"):
    """How Nexus logs in to S3, where that is not by the host's own role."""

    access_key_id: Prop[str | None] = prop(
        text(), path="bucketConfiguration.bucketSecurity.accessKeyId", default=None
    )
    """Id of the access key."""
    secret_access_key: Prop[str | None] = prop(
        text(), path="bucketConfiguration.bucketSecurity.secretAccessKey", default=None, secret=True
    )
    """The access key's secret."""
    role: Prop[str | None] = prop(text(), path="bucketConfiguration.bucketSecurity.role", default=None)
    """ARN of an IAM role to assume."""
    session_token: Prop[str | None] = prop(
        text(), path="bucketConfiguration.bucketSecurity.sessionToken", default=None, secret=True
    )
    """Token of temporary credentials."""


class S3Encryption(PropertyGroup, optional="bucketConfiguration.encryption", requires=("encryption_type",)):
    """Encryption by the object store."""

    encryption_type: Prop[str | None] = prop(
        choice("s3ManagedEncryption", "kmsManagedEncryption"),
        path="bucketConfiguration.encryption.encryptionType",
        default=None,
    )
    """``s3ManagedEncryption`` or ``kmsManagedEncryption``."""
    encryption_key: Prop[str | None] = prop(
        text(), path="bucketConfiguration.encryption.encryptionKey", default=None
    )
    """Id of the key in KMS."""


class S3Connection(PropertyGroup, optional="bucketConfiguration.advancedBucketConnection"):
    """For object stores other than Amazon's."""

    endpoint: Prop[str | None] = prop(
        text(r"https?://\S+", hint="must be an http:// or https:// address"),
        path="bucketConfiguration.advancedBucketConnection.endpoint",
        default=None,
    )
    """Address of the object store."""
    signer_type: Prop[str | None] = prop(
        text(), path="bucketConfiguration.advancedBucketConnection.signerType", default=None
    )
    """Version of signatures: ``DEFAULT``, ``S3SignerType`` or ``AWSS3V4SignerType``."""
    force_path_style: Prop[bool] = prop(
        boolean, path="bucketConfiguration.advancedBucketConnection.forcePathStyle", default=False
    )
    """Name the bucket in the path, and not in the host."""
    max_connection_pool_size: Prop[int | None] = prop(
        integer(1, 2147483647),
        path="bucketConfiguration.advancedBucketConnection.maxConnectionPoolSize",
        default=None,
    )
    """How many connections Nexus may keep open."""


class S3BlobStore(S3Security, S3Encryption, S3Connection, SoftQuota, BlobStore, provider=S3Provider):
    """A bucket of Amazon S3 or of another store with its API.

    Errors: a bucket that can't be reached; a deletion while repositories use it, which it names.

    Source: Nexus REST ``/v1/blobstores/s3``.
    """

    bucket_name: Prop[str] = prop(_bucket, path="bucketConfiguration.bucket.name", replaces=True)
    """Name of the bucket; made if it is missing."""
    bucket_prefix: Prop[str] = prop(
        text(empty=True), path="bucketConfiguration.bucket.prefix", default="", replaces=True
    )
    """What each object's key begins with."""
    region: Prop[str] = prop(text(), path="bucketConfiguration.bucket.region", default="DEFAULT")
    """Region of the bucket, ``eu-central-1``; ``DEFAULT``: that of the host."""
    expiration_days: Prop[int | None] = prop(
        integer(-1, 2147483647),
        path="bucketConfiguration.bucket.expiration",
        default=3,
        until="3.80",
        unit="days",
    )
    """After how many days S3 removes what was deleted, -1: never. Later versions leave that to the bucket."""
    pre_signed_url_enabled: Prop[bool] = prop(
        boolean, path="bucketConfiguration.preSignedUrlEnabled", default=False, since="3.79", edition="pro"
    )
    """Let clients download from S3 directly."""
    failover_buckets: ListProp[str] = prop(
        list_of(_failover), path="bucketConfiguration.failoverBuckets", default=[], since="3.74", edition="pro"
    )
    """Replicas in other regions, ``region=bucket``; the order counts."""


class AzureProvider(BucketProvider):
    type = "azure"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from super().validate(inputs)
        yield from _wrong_account_key(inputs, "ACCOUNTKEY")


class AzureBlobStore(SoftQuota, BlobStore, provider=AzureProvider, edition="pro"):
    """A container of Azure Blob Storage.

    Source: Nexus REST ``/v1/blobstores/azure``.
    """

    account_name: Prop[str] = prop(
        text(r"[a-z0-9]{3,24}", hint="must be 3 to 24 lower-case letters and digits"),
        path="bucketConfiguration.accountName",
    )
    """Name of the storage account."""
    container_name: Prop[str] = prop(
        text(r"[a-z0-9][a-z0-9-]{2,62}", hint="must be 3 to 63 lower-case letters, digits and '-'"),
        path="bucketConfiguration.containerName",
        replaces=True,
    )
    """Name of the container; made if it is missing."""
    authentication_method: Prop[str] = prop(
        choice("ACCOUNTKEY", "MANAGEDIDENTITY", "ENVIRONMENTVARIABLE", upper=True),
        path="bucketConfiguration.authentication.authenticationMethod",
        default="MANAGEDIDENTITY",
    )
    """``ACCOUNTKEY``, ``MANAGEDIDENTITY`` or ``ENVIRONMENTVARIABLE``."""
    account_key: Prop[str | None] = prop(
        text(), path="bucketConfiguration.authentication.accountKey", default=None, secret=True
    )
    """Key of the account, for ``ACCOUNTKEY``."""


class GoogleSecurity(PropertyGroup, optional="bucketConfiguration.bucketSecurity"):
    """How Nexus logs in to Google, where that is not by the host's own account."""

    authentication_method: Prop[str] = prop(
        choice("applicationDefault", "accountKey"),
        path="bucketConfiguration.bucketSecurity.authenticationMethod",
        default="applicationDefault",
    )
    """``applicationDefault`` or ``accountKey``."""
    account_key: Prop[str | None] = prop(
        text(multiline=True), path="bucketConfiguration.bucketSecurity.accountKey", default=None, secret=True
    )
    """The credentials' JSON, for ``accountKey``."""


class GoogleEncryption(PropertyGroup, optional="bucketConfiguration.encryption"):
    """Encryption by Google."""

    encryption_key: Prop[str | None] = prop(
        text(), path="bucketConfiguration.encryption.encryptionKey", default=None, since="3.81"
    )
    """Id of a key in Cloud KMS. Default: a key of Google's."""


class GoogleProvider(BucketProvider):
    type = "google"

    def to_body(self, inputs: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        body = super().to_body(inputs, base)
        if inputs.get("encryption_key"):
            body["bucketConfiguration"]["encryption"]["encryptionType"] = "kmsManagedEncryption"
        return body

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from super().validate(inputs)
        yield from _wrong_account_key(inputs, "accountKey")


class GoogleBlobStore(
    GoogleSecurity, GoogleEncryption, SoftQuota, BlobStore, provider=GoogleProvider, edition="pro", since="3.74"
):
    """A bucket of Google Cloud Storage.

    Source: Nexus REST ``/v1/blobstores/google``.
    """

    bucket_name: Prop[str] = prop(_google_bucket, path="bucketConfiguration.bucket.name", replaces=True)
    """Name of the bucket; made if it is missing."""
    bucket_prefix: Prop[str | None] = prop(
        text(), path="bucketConfiguration.bucket.prefix", default=None, replaces=True
    )
    """What each object's key begins with."""
    project_id: Prop[str | None] = prop(text(), path="bucketConfiguration.bucket.projectId", default=None)
    """The project. Default: that of the credentials."""
    region: Prop[str] = prop(text(), path="bucketConfiguration.bucket.region", replaces=True)
    """Region of the bucket, ``europe-west3``."""


class GroupBlobStoreProvider(BlobStoreProvider):
    type = "group"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from super().validate(inputs)
        if isinstance(inputs["members"], list) and inputs["name"] in inputs["members"]:
            yield "members", f"names {inputs['name']!r}, which is the group itself. Leave it out"

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:
        existing = [one["name"] for one in client.get_list(self.list_path)]
        missing = not_on_server("members", inputs["members"], existing)
        return missing or super().explain(client, inputs, error)


class BlobStoreGroup(SoftQuota, BlobStore, provider=GroupBlobStoreProvider, edition="pro"):
    """Several blob stores as one.

    Source: Nexus REST ``/v1/blobstores/group``.
    """

    members: ListProp[str] = prop(list_of(text(), least=1), path="members", refers="BlobStore")
    """Names of the blob stores; ``writeToFirst`` fills the first."""
    fill_policy: Prop[str] = prop(choice("roundRobin", "writeToFirst"), path="fillPolicy", default="roundRobin")
    """``roundRobin`` or ``writeToFirst``."""
