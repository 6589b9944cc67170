"""A certificate authority for the sandbox: certificates that clients here trust, and ones that they must not."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KeyKind = Literal["rsa", "ec"]
_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Issued:
    """A server's key and certificate, all PEM text.

    ``private_key_pem`` is unencrypted PKCS#8. ``chain_pem`` leads from the certificate to the authority: the
    intermediate's certificate, or nothing when the authority signed it itself; the authority is not in it.
    """

    private_key_pem: str
    certificate_pem: str
    chain_pem: str


@dataclass(frozen=True)
class Authority:
    """A root certificate and its key, both PEM text; ``certificate_pem`` is what a client is told to trust."""

    certificate_pem: str
    private_key_pem: str

    @classmethod
    def create(cls, common_name: str = "Sandbox CA") -> Authority:
        """A new authority, valid for ten years."""
        key = _new_key("ec")
        name = _name(common_name)
        now = dt.datetime.now(dt.timezone.utc)
        span = (now - dt.timedelta(days=1), now + dt.timedelta(days=3650))
        certificate = _sign_authority(name, key, name, key, span, path_length=None)
        return cls(_pem(certificate), _key_pem(key))

    @classmethod
    def load(cls, folder: Path) -> Authority:
        """The authority that ``save`` left in a folder."""
        return cls((folder / "ca.pem").read_text(), (folder / "ca-key.pem").read_text())

    @classmethod
    def kept(cls, folder: Path, common_name: str = "Sandbox CA") -> Authority:
        """The authority of a folder, made there the first time."""
        if not (folder / "ca.pem").exists():
            cls.create(common_name).save(folder)
        return cls.load(folder)

    def save(self, folder: Path) -> None:
        """Write ``ca-key.pem`` (0600) and ``ca.pem`` to a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        key = folder / "ca-key.pem"
        key.touch(mode=0o600)
        key.write_text(self.private_key_pem)
        (folder / "ca.pem").write_text(self.certificate_pem)

    def issue(
        self,
        names: Sequence[str],
        *,
        key: KeyKind = "rsa",
        days: float = 90,
        not_before: dt.datetime | None = None,
        not_after: dt.datetime | None = None,
        intermediate: bool = False,
    ) -> Issued:
        """A certificate for a server with these DNS names and IP addresses, the first one its common name.

        It is valid from yesterday on for ``days`` days, unless ``not_before`` and ``not_after`` (with a time
        zone) say otherwise: in the past for an expired one, in the future for one that is not valid yet.
        ``intermediate`` puts one more authority between the root and it. Raises ``ValueError`` without a name,
        or when it would end before it begins.
        """
        if not names:
            raise ValueError("names: give at least one DNS name or IP address")
        now = dt.datetime.now(dt.timezone.utc)
        start = not_before or min(
            now - dt.timedelta(hours=1), not_after - dt.timedelta(days=1) if not_after else now
        )
        span = (start, not_after or max(start, now) + dt.timedelta(days=days))
        issuer = x509.load_pem_x509_certificate(self.certificate_pem.encode())
        issuer_key, chain = self._key, ""
        if intermediate:
            middle_key = _new_key("ec")
            middle_span = (issuer.not_valid_before_utc, issuer.not_valid_after_utc)
            name = _name(f"{_common_name(issuer)} intermediate")
            issuer = _sign_authority(name, middle_key, issuer.subject, issuer_key, middle_span, path_length=0)
            issuer_key, chain = middle_key, _pem(issuer)
        server_key = _new_key(key)
        certificate = (
            _builder(_name(names[0]), server_key, issuer.subject, issuer_key, span)
            .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True, key_encipherment=key == "rsa"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(issuer_key, hashes.SHA256())
        )
        return Issued(_key_pem(server_key), _pem(certificate), chain)

    @property
    def _key(self) -> _Key:
        key = load_pem_private_key(self.private_key_pem.encode(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key


_Span = tuple[dt.datetime, dt.datetime]


def _builder(
    subject: x509.Name, key: _Key, issuer: x509.Name, issuer_key: _Key, span: _Span
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(span[0])
        .not_valid_after(span[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _sign_authority(
    subject: x509.Name, key: _Key, issuer: x509.Name, issuer_key: _Key, span: _Span, path_length: int | None
) -> x509.Certificate:
    return (
        _builder(subject, key, issuer, issuer_key, span)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def _usage(**granted: bool) -> x509.KeyUsage:
    uses = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"]
    uses += ["key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{use: granted.get(use, False) for use in uses})


def _new_key(kind: KeyKind) -> _Key:
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: _Key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
