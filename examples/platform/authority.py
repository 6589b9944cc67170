"""A certificate authority of the stack, and certificates that it issues and renews.

authority_tls.py has the same two classes, of resources of pulumi-tls.
"""

import datetime as dt
from typing import Any

import pulumi
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from nexus_registry.providers.validity import renewal_due
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

YEARS, DAYS, RENEW_BEFORE = 10, 90, 30


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _sign(
    subject: x509.Name,
    days: int,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    *extensions: tuple[x509.ExtensionType, bool],
) -> dict[str, str]:
    """A new key and its certificate in PEM, signed by the issuer or by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.timezone.utc)
    signer = issuer[1] if issuer else key
    identifiers: list[tuple[x509.ExtensionType, bool]] = [
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
    ]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=days))
    )
    for extension, critical in (*extensions, *identifiers):
        builder = builder.add_extension(extension, critical)
    return {
        "certificate": builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM).decode(),
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    }


class AuthorityProvider(ResourceProvider):
    """Creates the authority once; it is the same until it is replaced."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        constraint = (x509.BasicConstraints(ca=True, path_length=0), True)
        # By RFC 5280's order: signing of certificates and of revocation lists.
        usage = (x509.KeyUsage(False, False, False, False, False, True, True, False, False), True)
        made = _sign(_name(props["common_name"]), YEARS * 365, None, constraint, usage)
        return CreateResult("authority", {"common_name": props["common_name"], **made})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = _olds["common_name"] != _news["common_name"]
        return DiffResult(changes=changed, replaces=["common_name"] if changed else [])


class CertificateProvider(ResourceProvider):
    """Issues in create and update; diff asks for an update when the certificate is due."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("certificate", self._issue(props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = any(_olds[key] != _news[key] for key in ("hostname", "authority"))
        return DiffResult(changes=changed or renewal_due(_olds["certificate"], RENEW_BEFORE))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(self._issue(_news))

    def _issue(self, props: dict[str, Any]) -> dict[str, Any]:
        authority, key = (props[one].encode() for one in ("authority", "authority_key"))
        signer = load_pem_private_key(key, None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        made = _sign(
            _name(props["hostname"]),
            DAYS,
            (x509.load_pem_x509_certificate(authority), signer),
            (x509.SubjectAlternativeName([x509.DNSName(props["hostname"])]), False),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        )
        return {key: props[key] for key in ("hostname", "authority", "authority_key")} | made


class Authority(Resource, module="example", name="Authority"):
    """A root certificate for the stack and its key, which is a secret."""

    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]

    def __init__(self, name: str, common_name: str) -> None:
        outputs = {"certificate": None, "private_key": None}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["private_key"])
        super().__init__(AuthorityProvider(), name, {"common_name": common_name, **outputs}, secret)


class Certificate(Resource, module="example", name="Certificate"):
    """A certificate of the authority for a host name, and its key."""

    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]

    def __init__(self, name: str, hostname: str, authority: Authority) -> None:
        inputs = {"hostname": hostname, "authority": authority.certificate, "authority_key": authority.private_key}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["private_key", "authority_key"])
        super().__init__(CertificateProvider(), name, {**inputs, "certificate": None, "private_key": None}, secret)
