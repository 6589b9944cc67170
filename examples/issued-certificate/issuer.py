"""A certificate that is issued in the stack and renewed when it is due.

Stands for any resource that has a certificate and its key as outputs, such as those of pulumi-tls and pulumi-acme.
"""

import datetime as dt
from typing import Any

import pulumi
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from nexus_registry.providers.validity import renewal_due
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

DAYS, RENEW_BEFORE = 90, 30


class SelfSignedProvider(ResourceProvider):
    """Issues in create and update; diff asks for an update when the certificate is due."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("certificate", issue(props["hostname"]))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = _olds["hostname"] != _news["hostname"] or renewal_due(_olds["certificate"], RENEW_BEFORE)
        return DiffResult(changes=changed)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(issue(_news["hostname"]))


def issue(hostname: str) -> dict[str, str]:
    """A self-signed certificate for the name, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname)])
    names = x509.SubjectAlternativeName([x509.DNSName(hostname)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), extensions=[])
    builder = builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(days=DAYS))
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    return {
        "hostname": hostname,
        "certificate": certificate.public_bytes(Encoding.PEM).decode(),
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    }


class SelfSigned(Resource, module="example", name="SelfSigned"):
    """A self-signed certificate for a host name."""

    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]

    def __init__(self, name: str, hostname: str) -> None:
        outputs = {"certificate": None, "private_key": None}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["private_key"])
        super().__init__(SelfSignedProvider(), name, {"hostname": hostname, **outputs}, secret)
