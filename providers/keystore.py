"""The keystore that Nexus serves HTTPS from: key, certificate and chain in PEM in, PKCS#12 or JKS out."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

import pulumi
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from pulumi.dynamic import CreateResult, UpdateResult

from . import certificates, validity
from .certificates import Bundle, PrivateKey, WrongPassphrase
from .compat import MODERN_PKCS12_SINCE, parse
from .declare import DeclaredResource, Prop, prop
from .provider import Provider
from .schema import PROVIDER_KEY, Invalid, choice, integer, optional_text, text
from .unknown import is_unknown

LEGACY_ALGORITHMS, MODERN_ALGORITHMS = "3.70 or earlier", "3.71 or later"
"""The normalised values of ``nexus_version``: an upgrade within one of them is no change."""

_FACTS = ("fingerprint", "not_before", "not_after", "subject", "names")


def algorithm_set(value: object) -> str:
    """The set of algorithms for a Nexus version."""
    if value in (LEGACY_ALGORITHMS, MODERN_ALGORITHMS):
        return str(value)
    try:
        return LEGACY_ALGORITHMS if parse(optional_text(value)) < MODERN_PKCS12_SINCE else MODERN_ALGORITHMS
    except ValueError:
        raise Invalid("must be a version such as 3.71.0-06") from None


def store_password(value: object) -> str:
    """A password that the tools of Java, Jetty and a configuration file read alike."""
    password = str(optional_text(value))
    if len(password) < 6:
        raise Invalid("has fewer than 6 characters, which Java refuses. Choose a longer one")
    if not re.fullmatch(r"[ -~]+", password):
        raise Invalid(
            "holds a character other than printable ASCII, which Java reads differently by version and locale. "
            "Choose letters, digits and ASCII punctuation"
        )
    if password != password.strip():
        raise Invalid("begins or ends with a space, which configuration files drop. Choose another one")
    if password.startswith(("OBF:", "CRYPT:", "ENV:")):
        raise Invalid("begins with OBF:, CRYPT: or ENV:, which Jetty takes for an encoding. Choose another one")
    return password


def alias_name(value: object) -> str:
    """An alias as Java keeps it: in lower case."""
    hint = "must be 1 to 100 printable ASCII characters, with no space at either end"
    return str(text(r"[!-~]([ -~]{0,98}[!-~])?", hint=hint)(value)).lower()


def problems(inputs: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, str]]:
    """The errors at ``now``, as (property, reason). Unknown values are not checked."""
    key: PrivateKey | None = None
    if _key_known(inputs):
        try:
            key = _key(inputs, thorough=True)
        except WrongPassphrase as error:
            yield "private_key_passphrase", str(error)
        except Invalid as error:
            yield "private_key", str(error)
    if is_unknown(inputs["certificate"]):
        return
    given = certificates.certificates_in(inputs["certificate"])
    leaf = certificates.find_leaf(given, key)
    if leaf is None and key is not None:
        subject = certificates.format_name(given[0].subject)
        if certificates.find_leaf(_others(inputs), key):
            yield "certificate", f"holds {subject}, and the one for private_key is in chain. Were they mixed up?"
            return
        yield "private_key", f"does not belong to the certificate {subject}. Give the key it was requested with"
        leaf = certificates.find_leaf(given, None)
    if leaf is None:
        return
    if key is None and (reason := certificates.public_key_error(leaf.public_key())):
        yield "certificate", f"is for a key that can't be used. It {reason}"
    if reason := validity.validity_error(leaf, now):
        yield "certificate", reason
    hostname = inputs.get("hostname")
    if wrong := validity.hostname_error(leaf, None if is_unknown(hostname) else hostname):
        yield wrong
    if is_unknown(inputs.get("chain")):
        return
    place = "chain" if inputs.get("chain") else "certificate"
    try:
        chain = certificates.order_chain(leaf, _others(inputs))
    except Invalid as error:
        yield place, str(error)
        return
    for each in chain:
        if reason := validity.validity_error(each, now):
            yield place, f"holds a certificate that {reason}, or leave it out"


def bundle(properties: Mapping[str, Any]) -> Bundle:
    """The key, certificate and ordered chain of checked properties, all known; raises :class:`Invalid`."""
    key = _key(properties, thorough=False)
    leaf = certificates.find_leaf(certificates.certificates_in(properties["certificate"]), key)
    if leaf is None:
        raise Invalid("private_key: does not belong to certificate. Give the key it was requested with")
    return Bundle(key, leaf, tuple(certificates.order_chain(leaf, _others(properties))))


def build(properties: Mapping[str, Any]) -> bytes:
    """The keystore of checked properties, all known; other bytes each time (salts, JKS also the time)."""
    parts = bundle(properties)
    password, alias = properties["password"], properties["alias"]
    if properties["format"] == "jks":
        return _jks(parts, alias, password)
    older = properties["nexus_version"] == LEGACY_ALGORITHMS
    mac = hashes.SHA1() if older else hashes.SHA256()  # noqa: S303 - SHA-1 and 3DES are all that early Java 8 reads
    kind = pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC if older else pkcs12.PBES.PBESv2SHA256AndAES256CBC
    builder = PrivateFormat.PKCS12.encryption_builder().key_cert_algorithm(kind).hmac_hash(mac)
    encryption = builder.build(password.encode())
    return pkcs12.serialize_key_and_certificates(alias.encode(), parts.key, parts.leaf, parts.chain, encryption)


class KeystoreProvider(Provider):
    """Builds the bytes in create and update only, because they differ each time."""

    kind = "keystore"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from problems(inputs, datetime.now(timezone.utc))

    def computed_inputs(self, olds: Mapping[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Adds the public facts, and splits what was given into the certificate and its ordered chain."""
        if is_unknown(inputs["certificate"]):
            return {**inputs, **dict.fromkeys(_FACTS, inputs["certificate"])}
        key = _key(inputs, thorough=False) if _key_known(inputs) else None
        leaf = certificates.find_leaf(certificates.certificates_in(inputs["certificate"]), key)
        if leaf is None:
            key_or_passphrase = (inputs["private_key"], inputs.get("private_key_passphrase"))
            return {**inputs, **dict.fromkeys(_FACTS, next(filter(is_unknown, key_or_passphrase)))}
        inputs = {**inputs, **certificates.facts(leaf)}
        if is_unknown(inputs.get("chain")):
            return inputs
        chain = certificates.pem(certificates.order_chain(leaf, _others(inputs)))
        inputs.pop("chain", None)
        return {**inputs, "certificate": certificates.pem([leaf]), **({"chain": chain} if chain else {})}

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("keystore", _outs(props, _content(props)))

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:  # noqa: ARG002
        """Rebuild the keystore, unless no input of its content changes (such as the encryption of the key)."""
        kept = olds.get("content")
        return UpdateResult(_outs(news, kept if kept and _recipe(olds) == _recipe(news) else _content(news)))


class Keystore(DeclaredResource, provider=KeystoreProvider):
    """A keystore with one private key, its certificate and its chain, as Java reads it.

    It is made on the machine that runs Pulumi and kept encrypted in the state; nothing is written elsewhere. The
    bytes differ each time they are built, so they are built when the resource is created and again only when
    something changes that goes into them. Every change is an update in place.

    The id is always ``keystore``: an id stays for the whole life of a resource, which a renewed certificate's
    fingerprint or a changed alias would not, and there is nothing outside the state to be found by it.

    A PEM text may be at most 256 KiB long; white space, line ends, text around the blocks and the order of the
    chain have no meaning, so a change of them is no change. A preview knows all outputs but ``content`` from the
    arguments.

    Errors, each on the property at fault, in a preview too: a text that is not PEM, is damaged, or was mixed up
    with another; a key that does not belong to the certificate, is too short or of a kind that can't be served; a
    missing or wrong passphrase; a certificate, in the chain too, that has expired or is not valid yet; a chain
    that does not lead to the certificate, or holds others; a certificate that names no host in its subjectAltName,
    or not ``hostname``, which Docker refuses; a password that Java or Jetty would not take. The dates
    are checked in every preview and update, so an expired certificate is refused until it is renewed.

    See https://help.sonatype.com/en/configuring-ssl.html and the ``keytool`` reference of the JDK.
    """

    private_key: Prop[str] = prop(certificates.private_key_pem, secret=True)
    """PEM (PKCS#8, or the older RSA and EC forms), one key: RSA of 2048 bits or more, or EC on P-256, P-384 or
    P-521. Certificates beside it in the text are ignored."""
    certificate: Prop[str] = prop(certificates.certificates_pem)
    """PEM. May hold the intermediates too, in any order: the certificate is the first that belongs to the key. May
    not hold the key."""
    chain: Prop[str | None] = prop(certificates.chain_pem, default=None)
    """PEM of the intermediates in any order, with the root or without it. Kept in order, and without the
    certificate itself and repetitions."""
    private_key_passphrase: Prop[str | None] = prop(optional_text, secret=True, default=None)
    """Opens ``private_key`` when it is encrypted; ignored when it is not."""
    password: Prop[str] = prop(store_password, secret=True)
    """Opens the store and the key in it: 6 printable ASCII characters or more, no space at the ends, not beginning
    with ``OBF:``, ``CRYPT:`` or ``ENV:``."""
    format: Prop[str] = prop(choice("pkcs12", "jks"), default="pkcs12")
    """``pkcs12``, or ``jks``, the older form, which needs ``pyjks``."""
    alias: Prop[str] = prop(alias_name, default="cert")
    """The name of the key in the keystore: 1 to 100 printable ASCII characters, kept in lower case as
    Java does."""
    nexus_version: Prop[str] = prop(algorithm_set, default=MODERN_ALGORITHMS)
    """Such as ``3.71.0-06``. Up to 3.70 a PKCS#12 store is made with PBE-SHA1-3DES and a SHA-1 MAC, which every
    Java 8 reads; from 3.71 on with AES-256 and SHA-256, which Java 8u301 and later read. Kept as ``3.70 or
    earlier`` or ``3.71 or later``."""
    hostname: Prop[str | None] = prop(
        text(r"[^\s/]+", hint="must be a name or address, without port"), default=None
    )
    """The name or address that clients use, which the certificate must be for. Default: any."""
    renew_before: Prop[int] = prop(integer(0, 3650), default=30, unit="days")
    """From this many days (0 to 3650) before the certificate's end on, ``preview`` and ``up`` warn that it is due;
    0 turns it off. What issues certificates in the same stack can renew them in that ``up``, see
    :func:`.validity.renewal_due`."""
    content: Prop[str] = prop(computed=True, secret=True)
    """The keystore, base64. A preview knows it when nothing changes."""
    fingerprint: Prop[str] = prop(computed=True)
    """SHA-256 of the certificate (DER), 64 lower-case hex digits, no colons."""
    not_before: Prop[str] = prop(computed=True)
    """From when the certificate is valid, such as ``2027-01-31T12:00:00Z`` (UTC)."""
    not_after: Prop[str] = prop(computed=True)
    """Until when it is valid."""
    subject: Prop[str] = prop(computed=True)
    """The certificate's subject as RFC 4514 writes it, such as ``CN=nexus.example.com``."""
    names: Prop[list[str]] = prop(computed=True)
    """DNS names, then IP addresses, for which the certificate is valid (subjectAltName)."""

    def _registered(self) -> None:
        facts = (self.not_after, self.subject, self.renew_before)
        pulumi.Output.all(*facts).apply(self._warn_if_due)

    def _warn_if_due(self, known: list[Any]) -> None:
        not_after, subject, renew_before = known
        if not_after and validity.renewal_due(not_after, int(renew_before)):
            pulumi.log.warn(
                f"certificate: {subject!r} ends on {not_after}, in less than the {int(renew_before)} days of "
                "renew_before. Give a renewed one",
                resource=self,
            )


def _key_known(inputs: Mapping[str, Any]) -> bool:
    key = inputs["private_key"]
    if is_unknown(key):
        return False
    return not (certificates.is_encrypted(key) and is_unknown(inputs.get("private_key_passphrase")))


def _key(properties: Mapping[str, Any], *, thorough: bool) -> PrivateKey:
    passphrase = properties.get("private_key_passphrase")
    known = passphrase if isinstance(passphrase, str) else None
    return certificates.open_key(properties["private_key"], known, thorough=thorough)


def _others(properties: Mapping[str, Any]) -> list[Any]:
    """The certificates of both texts; a chain that is not known counts as none."""
    chain = properties.get("chain")
    return certificates.certificates_in(
        properties["certificate"] + ("" if not chain or is_unknown(chain) else chain)
    )


def _recipe(properties: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Every input of the content; ``None`` when it is not known."""
    try:
        parts = bundle(properties)
        form = properties["format"]
        key = parts.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        algorithms = properties["nexus_version"] if form == "pkcs12" else ""
        return key, parts.leaf, parts.chain, properties["password"], properties["alias"], form, algorithms
    except (KeyError, ValueError):
        return None


def _content(properties: Mapping[str, Any]) -> str:
    return base64.b64encode(build(properties)).decode()


def _outs(properties: Mapping[str, Any], content: str) -> dict[str, Any]:
    return {**{name: value for name, value in properties.items() if name != PROVIDER_KEY}, "content": content}


def _jks(parts: Bundle, alias: str, password: str) -> bytes:
    import jks  # imported here, because it is large and rarely needed

    key = parts.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    chain = [each.public_bytes(Encoding.DER) for each in (parts.leaf, *parts.chain)]
    entry = jks.PrivateKeyEntry.new(alias, chain, key, "pkcs8")
    return bytes(jks.KeyStore.new("jks", [entry]).saves(password))
