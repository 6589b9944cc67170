"""Private keys and certificates in PEM: read, checked against each other and put in order.

Plain data in, plain data out; no clock and no network. A reason for refusing something names what is wrong and
what would be right, and quotes only what is public (names, dates and sizes), never a key or a passphrase.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from .schema import Invalid, optional_text, text

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

MAX_PEM_LENGTH = 256 * 1024
"""Characters that a PEM text may have."""

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \1-----", re.DOTALL)
_CERTIFICATE = ("CERTIFICATE", "X509 CERTIFICATE")
_OPENSSH = "OPENSSH PRIVATE KEY"
_KEY = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", _OPENSSH)
_OTHER = {
    "PUBLIC KEY": "a public key",
    "CERTIFICATE REQUEST": "a certificate request, which is not yet a certificate",
    "NEW CERTIFICATE REQUEST": "a certificate request, which is not yet a certificate",
    "TRUSTED CERTIFICATE": "OpenSSL's TRUSTED CERTIFICATE: convert it with `openssl x509`",
    "PKCS7": "a PKCS#7 bundle: convert it with `openssl pkcs7 -print_certs`",
}
TIME = "%Y-%m-%dT%H:%M:%SZ"
_RSA_BITS = 2048
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_USABLE = "Use RSA (2048 bits or more) or EC (P-256, P-384 or P-521)"


class WrongPassphrase(Invalid):
    """The private key is encrypted, and the passphrase is missing or wrong."""


@dataclass(frozen=True)
class Bundle:
    """A private key, its certificate, and the certificates that lead from there towards the root, in order."""

    key: PrivateKey
    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]


def private_key_pem(value: object) -> str:
    """The one private key in a PEM text, each line as it should be; certificates beside it are left out."""
    blocks = _blocks(value)
    keys = [(label, body) for label, body in blocks if label in _KEY]
    if len(keys) > 1:
        raise Invalid(f"holds {len(keys)} private keys. Give the one that belongs to the certificate")
    if not keys and any(label in _CERTIFICATE for label, _ in blocks):
        raise Invalid("holds a certificate and no private key. Were private_key and certificate mixed up?")
    if not keys:
        raise Invalid(_missing_block("private key", "PRIVATE KEY", blocks))
    label, body = keys[0]
    if label == _OPENSSH:
        raise Invalid("is in OpenSSH's own form. Convert a copy of it with `ssh-keygen -p -m PKCS8 -f FILE`")
    lines = [line.strip() for line in body.strip().splitlines()]
    headers = [line for line in lines if ":" in line]
    data = _base64("".join(line for line in lines if ":" not in line), "the private key")
    return _armour(label, data, headers)


def certificates_pem(value: object) -> str:
    """The certificates in a PEM text, at least one, each in the same form, without what stands around them."""
    blocks = _blocks(value)
    found = any(label in _CERTIFICATE for label, _ in blocks)
    if any(label in _KEY for label, _ in blocks):
        if not found:
            raise Invalid("holds a private key and no certificate. Were private_key and certificate mixed up?")
        raise Invalid("holds a private key too, which is kept as a secret only in private_key. Take it out here")
    if not found:
        raise Invalid(_missing_block("certificate", "CERTIFICATE", blocks))
    bodies = [body for label, body in blocks if label in _CERTIFICATE]
    return pem(_read(body, f"certificate {number}") for number, body in enumerate(bodies, 1))


def chain_pem(value: object) -> str:
    """As :func:`certificates_pem`, or an empty text for no certificate at all."""
    return certificates_pem(value) if optional_text(value).strip() else ""


def pem(certificates: Iterable[x509.Certificate]) -> str:
    """Certificates as one PEM text."""
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


def certificates_in(text_: str) -> list[x509.Certificate]:
    """The certificates of a checked PEM text, each once, in the order in which they stand."""
    return list(dict.fromkeys(x509.load_pem_x509_certificates(text_.encode()))) if text_ else []


def is_encrypted(key_pem: str) -> bool:
    """Whether a checked private key needs a passphrase."""
    return "-----BEGIN ENCRYPTED" in key_pem or "Proc-Type: 4,ENCRYPTED" in key_pem


def open_key(key_pem: str, passphrase: str | None, *, thorough: bool = True) -> PrivateKey:
    """The private key of a checked PEM text; a passphrase that is not needed is ignored.

    Args:
        key_pem: one private key.
        passphrase: opens an encrypted one.
        thorough: prove an RSA key's numbers, which takes 0.1 to 0.4 s; not needed again for a key that passed.

    Raises:
        WrongPassphrase: it is missing or does not open the key.
        Invalid: the key can't be read, or Java can't serve it.
    """
    encrypted = is_encrypted(key_pem)
    if encrypted and not passphrase:
        raise WrongPassphrase("is required, because private_key is encrypted")
    try:
        secret = passphrase.encode() if encrypted and passphrase else None
        key = load_pem_private_key(key_pem.encode(), secret, unsafe_skip_rsa_key_validation=not thorough)
    except Exception:  # the parser has many kinds, and their texts are for programmers
        if encrypted:
            raise WrongPassphrase("does not open private_key: it is wrong, or the key is damaged") from None
        raise Invalid(f"can't be read: it is damaged, or of an unknown kind. {_USABLE}") from None
    reason = public_key_error(key.public_key())
    if reason or not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise Invalid(reason or _USABLE)
    return key


def public_key_error(public_key: object) -> str:
    """Why Nexus can't serve HTTPS with such a key; an empty text when it can."""
    if isinstance(public_key, rsa.RSAPublicKey):
        short = public_key.key_size < _RSA_BITS
        return f"is an RSA key of {public_key.key_size} bits, which clients refuse. {_USABLE}" if short else ""
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        name = public_key.curve.name
        return "" if name in _CURVES else f"is an EC key on {name}, which clients refuse. {_USABLE}"
    kind = type(public_key).__name__.removeprefix("_").removesuffix("PublicKey")
    return f"is a key of the kind {kind}, which Nexus's Java or its clients can't use for HTTPS. {_USABLE}"


def find_leaf(certificates: Sequence[x509.Certificate], key: PrivateKey | None) -> x509.Certificate | None:
    """The certificate that belongs to the key; while the key is not known, the only one that is there."""
    if key is None:
        return certificates[0] if len(certificates) == 1 else None
    wanted = _public(key)
    return next((each for each in certificates if _public(each) == wanted), None)


def order_chain(leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """The issuers of ``leaf`` among ``others``, each followed by its own.

    Repetitions, the leaf itself, and another certificate of an issuer that has its place (a cross-signed root's
    self-signed form) are left out.

    Raises:
        Invalid: something in ``others`` is not part of the chain; the message names where the chain breaks.
    """
    path = [leaf]
    while not _issued(path[-1], path[-1]):
        issuers = [each for each in others if each not in path and _issued(each, path[-1])]
        if not issuers:
            break
        path.append(min(issuers, key=lambda each: _issued(each, each)))
    placed = {(each.subject, _public(each)) for each in path}
    strays = [each for each in others if (each.subject, _public(each)) not in placed]
    if not strays:
        return path[1:]
    last, stray = path[-1], format_name(strays[0].subject)
    if _issued(last, last):
        raise Invalid(f"holds {stray}, which is not part of the chain from certificate to root. Remove it")
    namesake = any(each.subject == last.issuer for each in strays)
    missing = "the one of that name has another key or no right to issue" if namesake else "that one is missing"
    raise Invalid(
        f"does not lead to the certificate: {format_name(last.subject)} was issued by {format_name(last.issuer)}, "
        f"and {missing} (found: {stray}). Give the intermediates of the certificate"
    )


def facts(certificate: x509.Certificate) -> dict[str, str | list[str]]:
    """What is public about a certificate, by the names of the outputs."""
    names: list[str] = []
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names += extension.value.get_values_for_type(x509.DNSName)
            names += [str(address) for address in extension.value.get_values_for_type(x509.IPAddress)]
    return {
        "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(),
        "not_before": iso(certificate.not_valid_before_utc),
        "not_after": iso(certificate.not_valid_after_utc),
        "subject": certificate.subject.rfc4514_string(),
        "names": names,
    }


def format_name(name: x509.Name) -> str:
    """A subject or issuer for a message: one line, at most 120 characters."""
    return f"'{' '.join(name.rfc4514_string().split())[:120]}'"


def _blocks(value: object) -> list[tuple[str, str]]:
    found = _BLOCK.findall(text(multiline=True, max_length=MAX_PEM_LENGTH)(value))
    return [(str(label), str(body)) for label, body in found]


def _missing_block(what: str, label: str, blocks: Sequence[tuple[str, str]]) -> str:
    for other, _ in blocks:
        if other in _OTHER:
            return f"holds no {what} but {_OTHER[other]}"
    return f"holds no {what} in PEM form. Give the whole text from -----BEGIN {label}----- to its END line"


def _base64(body: str, what: str) -> bytes:
    if "\\n" in body:
        raise Invalid(r"has the two characters \n where lines should end. Give it with real line breaks")
    try:
        return base64.b64decode("".join(body.split()).encode(), validate=True)
    except ValueError:
        raise Invalid(f"is damaged: {what} between its BEGIN and END lines is not base64") from None


def _armour(label: str, data: bytes, headers: Sequence[str] = ()) -> str:
    body = base64.b64encode(data).decode()
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    head = [*headers, ""] if headers else []
    return "\n".join([f"-----BEGIN {label}-----", *head, *lines, f"-----END {label}-----", ""])


def _read(body: str, what: str) -> x509.Certificate:
    data = _base64(body, what)
    try:
        certificate = x509.load_der_x509_certificate(data)
        facts(certificate)  # names, dates and extensions are decoded on access
        format_name(certificate.issuer)
        certificate.public_key()
    except Exception:  # a damaged byte gives any of the parser's many kinds
        raise Invalid(f"is damaged: {what} in it can't be read") from None
    return certificate


def _public(owner: x509.Certificate | PrivateKey) -> bytes:
    """The public key of a certificate or a private key, in one form that compares."""
    return owner.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    for extension in issuer.extensions:
        if isinstance(extension.value, x509.BasicConstraints) and not extension.value.ca and issuer != certificate:
            return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # another issuer, or a signature that can't be checked
        return False
    return True


def iso(moment: datetime) -> str:
    """A moment as the outputs give it."""
    return moment.strftime(TIME)
