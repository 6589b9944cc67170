"""What the keystore refuses, with which message, and what it ignores."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from nexus_registry.providers.keystore import KeystoreProvider
from nexus_registry.providers.validity import renewal_due
from pulumi.output import Unknown

from sandbox.pki import Authority
from tests.unit.certs import (
    PASSPHRASE,
    PASSWORD,
    authority,
    checked,
    encrypted,
    good,
    key_text,
    nameless,
    namesake,
    provider,
    server,
)

NOW = dt.datetime.now(dt.timezone.utc)
OTHER = Authority.create("Other CA").issue(["other.example.com"], key="ec", intermediate=True)
DAMAGED = "-----BEGIN {0}-----\nTUlJQg==\n-----END {0}-----\n"
REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("no PEM", {"private_key": "hunter2"}, "private_key", "holds no private key in PEM form"),
    ("damaged key", {"private_key": DAMAGED.format("PRIVATE KEY")}, "private_key", "can't be read"),
    (
        "no base64",
        {"private_key": "-----BEGIN PRIVATE KEY-----\n*\n-----END PRIVATE KEY-----"},
        "private_key",
        "damaged",
    ),
    ("damaged certificate", {"certificate": DAMAGED.format("CERTIFICATE")}, "certificate", "certificate 1 in it"),
    (
        "damaged chain",
        {"chain": OTHER.chain_pem + DAMAGED.format("CERTIFICATE")},
        "chain",
        "certificate 2 in it can't be read",
    ),
    ("no chain", {"chain": "see attachment"}, "chain", "holds no certificate in PEM form"),
    ("request", {"certificate": DAMAGED.format("CERTIFICATE REQUEST")}, "certificate", "certificate request"),
    ("escaped", {"certificate": server().certificate_pem.replace("\n", "\\n")}, "certificate", "real line breaks"),
    ("certificate as key", {"private_key": server().certificate_pem}, "private_key", "mixed up"),
    ("key as certificate", {"certificate": server().private_key_pem}, "certificate", "mixed up"),
    ("key in chain", {"chain": server().chain_pem + server().private_key_pem}, "chain", "private key too"),
    (
        "chain as certificate",
        {"certificate": server().chain_pem, "chain": server().certificate_pem},
        "certificate",
        "mixed up",
    ),
    (
        "other key",
        {"private_key": OTHER.private_key_pem},
        "private_key",
        "belong to the certificate 'CN=nexus.example.com,",
    ),
    ("two keys", {"private_key": 2 * server().private_key_pem}, "private_key", "holds 2 private keys"),
    ("no passphrase", {"private_key": encrypted()}, "private_key_passphrase", "is required"),
    (
        "wrong passphrase",
        {"private_key": encrypted(), "private_key_passphrase": "not-" + PASSPHRASE},
        "private_key_passphrase",
        "does not open private_key",
    ),
    ("OpenSSH", {"private_key": DAMAGED.format("OPENSSH PRIVATE KEY")}, "private_key", "ssh-keygen -p -m PKCS8"),
    ("short", {"private_key": key_text(rsa.generate_private_key(65537, 1024))}, "private_key", "1024 bits"),  # noqa: S505
    ("curve", {"private_key": key_text(ec.generate_private_key(ec.SECP256K1()))}, "private_key", "secp256k1"),
    ("Ed25519", {"private_key": key_text(ed25519.Ed25519PrivateKey.generate())}, "private_key", "Ed25519"),
    (
        "expired",
        good(server(not_after=dt.datetime(2020, 2, 29, 12, tzinfo=dt.timezone.utc))),
        "certificate",
        "expired on 2020-02-29T12:00:00Z",
    ),
    (
        "too early",
        good(server(not_before=dt.datetime(2100, 1, 1, tzinfo=dt.timezone.utc))),
        "certificate",
        "not valid before 2100-01-01T00:00:00Z",
    ),
    (
        "other chain",
        {"chain": OTHER.chain_pem},
        "chain",
        "and that one is missing (found: '",
    ),
    ("namesake", {"chain": namesake()}, "chain", "the one of that name has another key"),
    ("gap", {"chain": authority().certificate_pem}, "chain", "that one is missing (found: '"),
    (
        "stray",
        {"chain": server().chain_pem + authority().certificate_pem + OTHER.chain_pem},
        "chain",
        "not part of the chain",
    ),
    (
        "stray beside",
        {"certificate": server().certificate_pem + OTHER.chain_pem, "chain": None},
        "certificate",
        "is missing",
    ),
    ("short password", {"password": "s3cr3"}, "password", "fewer than 6 characters"),
    ("umlaut", {"password": "s3cr3t-ü"}, "password", "printable ASCII"),
    ("obfuscated", {"password": "OBF:1v2j1uum1xtv"}, "password", "OBF:"),
    ("environment", {"password": "ENV:PASSWORD"}, "password", "ENV:"),
    ("space", {"password": "s3cr3t "}, "password", "begins or ends with a space"),
    ("alias", {"alias": "zertifikät"}, "alias", "printable ASCII"),
    ("format", {"format": "pem"}, "format", "must be one of pkcs12, jks"),
    ("version", {"nexus_version": "latest"}, "nexus_version", "such as 3.71.0-06"),
    ("no key", {"private_key": None}, "private_key", "is required"),
    ("no names", {**good(nameless()), "chain": None}, "certificate", "Have it issued with the host's name there"),
    (
        "other host",
        {"hostname": "registry.example.com"},
        "hostname",
        "is none of the names that the certificate is for (nexus.example.com, 127.0.0.1)",
    ),
    ("host with port", {"hostname": "nexus.example.com:5000/x"}, "hostname", "without port"),
    ("days", {"renew_before": -1}, "renew_before", "must be from 0 to 3650"),
]


@pytest.mark.parametrize(
    ("changes", "name", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_bad_certificate_is_refused_by_property(changes: dict[str, Any], name: str, reason: str) -> None:
    failures = provider.check({}, good(**changes)).failures
    assert [failure.property for failure in failures] == [name]
    assert reason in failures[0].reason
    secrets = {good(**changes).get(key) for key in ("private_key", "password", "private_key_passphrase")}
    bodies = {line for secret in secrets if secret for line in secret.splitlines() if "-----" not in line}
    assert not any(secret in failures[0].reason for secret in bodies if secret != "*")


@pytest.mark.parametrize(
    ("names", "hostname", "taken"),
    [
        (["nexus.example.com"], "Nexus.Example.com.", True),
        (["*.example.com"], "nexus.example.com", True),
        (["*.example.com"], "example.com", False),
        (["*.example.com"], "a.nexus.example.com", False),
        (["10.0.0.1", "::1"], "[0:0::1]", True),
        (["10.0.0.1"], "10.0.0.2", False),
        (["nexus.example.com"], None, True),
    ],
)
def test_certificate_covers_hosts_like_clients(names: list[str], hostname: str | None, taken: bool) -> None:
    issued = authority().issue(names, key="ec")
    failures = provider.check({}, {**good(issued, chain=None), "hostname": hostname}).failures
    assert [failure.property for failure in failures] == ([] if taken else ["hostname"])


@pytest.mark.parametrize(
    ("days", "renew_before", "due"), [(29, 30, True), (31, 30, False), (1, 0, False), (-1, 30, True)]
)
def test_renewal_is_due_days_before_end(days: int, renew_before: int, due: bool) -> None:
    until = NOW + dt.timedelta(days=days)
    issued = server(not_before=NOW - dt.timedelta(days=90), not_after=until)
    for known in (issued.certificate_pem, f"{until:%Y-%m-%dT%H:%M:%SZ}"):
        assert renewal_due(known, renew_before, NOW) is due


def spaced(text: str) -> str:
    return "  Bag Attributes\r\n" + text.replace("\n", "\r\n  ") + "\n# end\n"


def test_order_and_white_space_of_pem_are_no_change() -> None:
    leaf, middle, root = server().certificate_pem, server().chain_pem, authority().certificate_pem
    state = provider.create(checked(chain=middle + root)).outs or {}
    same: list[dict[str, Any]] = [
        {"chain": root + middle},
        {"chain": spaced(middle + leaf + root + middle)},
        {"certificate": middle + root + leaf, "chain": None},
        {"certificate": root + leaf, "chain": middle},
        {"certificate": spaced(leaf), "chain": middle + root, "private_key": spaced(server().private_key_pem)},
        {"chain": middle + root, "private_key": leaf + server().private_key_pem, "alias": "CERT"},
        {"chain": middle + root, "nexus_version": "3.96.1-01", "format": "pkcs12"},
    ]
    for changes in same:
        inputs = checked(**changes)
        assert inputs["chain"] == middle + root
        assert inputs["certificate"] == leaf
        assert provider.diff("keystore", state, inputs).changes is False
    assert provider.diff("keystore", state, checked()).changes is True


def cross_signed(not_after: dt.datetime) -> str:
    """The test authority's name and key, certified by another, older authority."""
    mine, issuer = (
        x509.load_pem_x509_certificate(each.certificate_pem.encode())
        for each in (authority(), authority("Old CA"))
    )
    key = load_pem_private_key(authority("Old CA").private_key_pem.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    builder = x509.CertificateBuilder().subject_name(mine.subject).issuer_name(issuer.subject)
    builder = builder.public_key(mine.public_key()).serial_number(4711)
    builder = builder.not_valid_before(not_after - dt.timedelta(days=2)).not_valid_after(not_after)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def test_cross_signed_root_replaces_self_signed_form() -> None:
    new, old, middle = authority().certificate_pem, authority("Old CA").certificate_pem, server().chain_pem
    crossed = cross_signed(NOW + dt.timedelta(days=1))
    assert checked(chain=new + old + crossed + middle)["chain"] == middle + crossed + old


def test_expired_certificate_in_chain_is_refused() -> None:
    expired = cross_signed(dt.datetime(2021, 9, 30, 14, 1, 15, tzinfo=dt.timezone.utc))
    (failure,) = provider.check({}, good(chain=server().chain_pem + expired)).failures
    assert failure.property == "chain"
    assert "expired on 2021-09-30T14:01:15Z ('" in failure.reason
    assert "O=Test CA" in failure.reason
    assert "or leave it out" in failure.reason


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.builds(Unknown),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
LABELS = st.sampled_from(["CERTIFICATE", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY", "PKCS7"])
BLOCKS = st.builds(
    lambda label, data: f"-----BEGIN {label}-----\n{base64.b64encode(data).decode()}\n-----END {label}-----",
    LABELS,
    st.binary(max_size=40),
)
TEXTS = st.sampled_from([server().certificate_pem, server().chain_pem, OTHER.private_key_pem, encrypted()])
NAMES = [*KeystoreProvider.schema, "content", "nonsense"]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(["private_key", "certificate", "chain"]), st.integers(0, 2000), st.integers(0, 255))
def test_damaged_byte_gives_no_traceback(name: str, place: int, byte: int) -> None:
    begin, *lines, end = good()[name].splitlines()
    data = bytearray(base64.b64decode("".join(lines)))
    data[place % len(data)] = byte
    damaged = "\n".join([begin, base64.b64encode(data).decode(), end])
    provider.check({}, {**good(), name: damaged})


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES | BLOCKS | TEXTS, max_size=4))
def test_any_input_gives_no_traceback_and_no_secret(changes: dict[str, Any]) -> None:
    news = {**good(private_key=encrypted(), private_key_passphrase=PASSPHRASE), **changes}
    result = provider.check({}, news)
    said = " ".join(failure.reason for failure in result.failures)
    assert PASSWORD not in said
    assert PASSPHRASE not in said
    provider.diff("keystore", result.inputs, result.inputs)
