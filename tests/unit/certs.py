"""Keys and certificates for the tests of the keystore, and its inputs made of them."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from nexus_registry.providers.keystore import KeystoreProvider
from pulumi.output import Unknown

from sandbox.pki import Authority, Issued, KeyKind

PASSWORD = "Tr0ub4dor&3 \"<'$"
PASSPHRASE = "open-sesame-4711"
provider = KeystoreProvider()
unknown = cast("Any", Unknown)()


@cache
def authority(name: str = "Test CA") -> Authority:
    return Authority.create(name)


@cache
def server(
    kind: KeyKind = "ec", not_before: dt.datetime | None = None, not_after: dt.datetime | None = None
) -> Issued:
    names = ["nexus.example.com", "127.0.0.1"]
    return authority().issue(names, key=kind, intermediate=True, not_before=not_before, not_after=not_after)


@cache
def nameless() -> Issued:
    """A self-signed certificate as they were once: with a common name and no subjectAltName."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nexus.example.com")])
    return Issued(key_text(key), self_signed(name, key), "")


@cache
def namesake() -> str:
    """A certificate with the name of the intermediate that issued ``server()``, and with another key."""
    intermediate = x509.load_pem_x509_certificate(server().chain_pem.encode())
    return self_signed(intermediate.subject, ec.generate_private_key(ec.SECP256R1()))


def self_signed(name: x509.Name, key: ec.EllipticCurvePrivateKey, *hosts: x509.GeneralName) -> str:
    now = dt.datetime.now(dt.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(90))
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def good(issued: Issued | None = None, **changes: Any) -> dict[str, Any]:
    issued = issued or server()
    texts = {"private_key": issued.private_key_pem, "certificate": issued.certificate_pem}
    given = {**texts, "chain": issued.chain_pem, "password": PASSWORD, **changes}
    return {name: value for name, value in given.items() if value is not None}


def checked(**changes: Any) -> dict[str, Any]:
    result = provider.check({}, good(**changes))
    assert [(failure.property, failure.reason) for failure in result.failures] == []
    return result.inputs


def encrypted(passphrase: str = PASSPHRASE, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    key = load_pem_private_key(server().private_key_pem.encode(), None)
    return key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(passphrase.encode())).decode()


def key_text(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
