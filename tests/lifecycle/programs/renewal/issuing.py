"""An issuing resource: a certificate for localhost, renewed when it is due."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pulumi
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from nexus_registry.providers.validity import renewal_due
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult


class IssuedProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("issued", self._issue(props))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=renewal_due(olds["certificate"], 30))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(self._issue(news))

    def _issue(self, props: dict[str, Any]) -> dict[str, Any]:
        days = json.loads(Path(props["authority"]).read_text())
        key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.timezone.utc)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), extensions=[])
        builder = builder.not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(days))
        certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
        return {
            "authority": props["authority"],
            "certificate": certificate.public_bytes(Encoding.PEM).decode(),
            "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        }


class Issued(Resource, module="test", name="Issued"):
    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]

    def __init__(self, name: str, authority: str) -> None:
        outputs = {"certificate": None, "private_key": None}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["private_key"])
        super().__init__(IssuedProvider(), name, {"authority": authority, **outputs}, secret)
