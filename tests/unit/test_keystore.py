"""The keystore: Java's own keytool opens what is built; a preview knows its facts; an update keeps the bytes."""

from __future__ import annotations

import base64
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any, ClassVar

import pulumi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs12
from nexus_registry.providers.keystore import Keystore
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs, Mocks

from tests.unit.certs import (
    PASSPHRASE,
    PASSWORD,
    authority,
    checked,
    encrypted,
    good,
    key_text,
    provider,
    server,
    unknown,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.pki import KeyKind

FACTS = ("fingerprint", "not_before", "not_after", "subject", "names")


def run(*command: str) -> str:
    done = subprocess.run(
        command, env={**os.environ, "STORE": PASSWORD}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize(
    ("form", "version"), [("pkcs12", "3.96.1-01"), ("pkcs12", "3.19.1-01"), ("jks", "3.96.1-01")]
)
def test_keytool_reads_key_and_whole_chain(tmp_path: Path, kind: KeyKind, form: str, version: str) -> None:
    issued = server(kind)
    chain = authority().certificate_pem + issued.chain_pem
    inputs = checked(issued=issued, chain=chain, format=form, nexus_version=version, alias="Nexus")
    made = provider.create(inputs)
    assert made.id == "keystore"
    store, copy = tmp_path / "keystore.jks", tmp_path / "copy.p12"
    store.write_bytes(base64.b64decode((made.outs or {})["content"]))
    listed = run("keytool", "-list", "-v", "-keystore", str(store), "-storepass:env", "STORE")
    assert f"Keystore type: {form.upper()}" in listed
    assert re.findall(r"(?:Alias name|Certificate chain length|Entry type): (.*)", listed) == [
        "nexus",
        "PrivateKeyEntry",
        "3",
    ]
    source = ("-srckeystore", str(store), "-srcstorepass:env", "STORE")
    target = ("-destkeystore", str(copy), "-deststoretype", "pkcs12", "-deststorepass:env", "STORE")
    run("keytool", "-importkeystore", "-noprompt", *source, *target)
    read = pkcs12.load_pkcs12(copy.read_bytes(), PASSWORD.encode())
    assert isinstance(read.key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    assert key_text(read.key) == issued.private_key_pem
    assert read.cert is not None
    line = [read.cert, *read.additional_certs]
    texts = [each.certificate.public_bytes(Encoding.PEM).decode() for each in line]
    assert texts == [issued.certificate_pem, issued.chain_pem, authority().certificate_pem]


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("3.70.4-02", ["MAC: sha1,", "pbeWithSHA1And3-KeyTripleDES-CBC"]),
        ("3.71.0-06", ["MAC: sha256,", "PBES2, PBKDF2, AES-256-CBC"]),
    ],
)
def test_older_versions_get_legacy_algorithms(tmp_path: Path, version: str, words: list[str]) -> None:
    """Nexus up to 3.70 may run on a Java 8 that does not read the newer ones."""
    store = tmp_path / "store.p12"
    made = provider.create(checked(nexus_version=version, alias="cert"))
    store.write_bytes(base64.b64decode((made.outs or {})["content"]))
    said = run("openssl", "pkcs12", "-info", "-nokeys", "-in", str(store), "-passin", "env:STORE")
    assert all(word in said for word in words), said
    assert "friendlyName: cert" in said


def test_preview_knows_facts() -> None:
    inputs = checked(password=unknown, chain=unknown)
    certificate = x509.load_pem_x509_certificate(server().certificate_pem.encode())
    assert inputs["fingerprint"] == certificate.fingerprint(hashes.SHA256()).hex()
    assert inputs["not_after"] == f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
    assert inputs["subject"] == certificate.subject.rfc4514_string()
    assert inputs["names"] == ["nexus.example.com", "127.0.0.1"]


def test_unknown_inputs_stay_unknown() -> None:
    both = server().certificate_pem + server().chain_pem
    assert checked(private_key=unknown)["subject"].startswith("CN=nexus.example.com,")
    cases: list[dict[str, Any]] = [
        {"certificate": unknown},
        {"private_key": unknown, "certificate": both},
        {"private_key": encrypted(), "private_key_passphrase": unknown, "certificate": both},
    ]
    for changes in cases:
        inputs = checked(**changes)
        assert all(inputs[name] is unknown for name in FACTS)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_encrypted_key_is_opened_and_kept(form: PrivateFormat) -> None:
    key = encrypted(form=form)
    outs = provider.create(checked(private_key=key, private_key_passphrase=PASSPHRASE)).outs or {}
    assert outs["private_key"] == key
    read = pkcs12.load_pkcs12(base64.b64decode(outs["content"]), PASSWORD.encode())
    assert isinstance(read.key, ec.EllipticCurvePrivateKey)
    assert key_text(read.key) == server().private_key_pem


def test_update_rebuilds_keystore_only_if_content_changes() -> None:
    state = provider.create(checked()).outs or {}
    again = {"private_key": encrypted(), "private_key_passphrase": PASSPHRASE}
    assert provider.diff("keystore", state, checked(**again)).changes is True
    kept = provider.update("keystore", state, checked(**again)).outs or {}
    assert kept["content"] == state["content"]
    assert kept["private_key"] == again["private_key"]
    anew: list[dict[str, Any]] = [
        {"password": "another one"},
        {"alias": "other"},
        {"format": "jks"},
        {"nexus_version": "3.19.1-01"},
        {"chain": None},
        good(server("rsa")),
    ]
    for changes in anew:
        outs = provider.update("keystore", state, checked(**changes)).outs or {}
        assert outs["content"] != state["content"]
        assert outs["fingerprint"] == checked(**changes)["fingerprint"]
    assert (provider.update("keystore", {}, checked()).outs or {})["content"]


class Registrations(MockMonitor):
    """Keeps what the program asks the engine for."""

    seen: ClassVar[list[Any]] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the SDK's name
        self.seen.append(request)
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


class Echo(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[Any, Any]]:
        return "keystore", dict(args.inputs)

    def call(self, args: Any) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


@pytest.mark.usefixtures("sdk")
def test_resource_has_type_and_secret_outputs() -> None:
    pulumi.runtime.set_mocks(Echo(), monitor=Registrations(Echo()))

    def program() -> None:
        Keystore("https", private_key="k", certificate="c", password="p")

    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    (request,) = (each for each in Registrations.seen if each.custom)
    assert request.type == "pulumi-python:dynamic/nexus:Keystore"
    assert request.deleteBeforeReplace
    secrets = {"private_key", "private_key_passphrase", "password", "content"}
    assert set(request.additionalSecretOutputs) == secrets
    assert {"private_key", "certificate", "password"} <= set(request.object)
