"""A keystore that the host makes of its own files, by three shells with the real openssl."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import load_pem_x509_certificate
from cryptography.x509.oid import NameOID
from nexus_registry.providers.compat import MODERN_PKCS12_SINCE

from sandbox.packages import ensure
from sandbox.pki import Authority
from tests.unit.certs import key_text, self_signed
from tests.unit.steps_shell import run

AES_256_CBC = bytes.fromhex("60864801650304012a")  # its object identifier
NAME, PASSWORD = "nexus.example.com", "s3cr3t 'word'"


@pytest.fixture(scope="module")
def authority() -> Authority:
    ensure("openssl")
    return Authority.create("Test CA")


def build(
    shell: list[str], folder: Path, *, hostname: str = NAME, version: str = "3.71.0-06", after: str = ""
) -> str:
    """What is said when a keystore is made of cert.pem and key.pem in the folder."""
    body = f"""
        FACTS={folder}/facts arg_version={version} arg_hostname={hostname} arg_alias=cert verb=create
        arg_certificate_path={folder}/cert.pem arg_private_key_path={folder}/key.pem
        build_from_host {folder}/new {folder}/keystore
        printf '%s' "$fingerprint"
        {after}
    """
    return run(shell, body, step="keystore", secrets={"KEYSTORE_PASSWORD": PASSWORD})


def put(folder: Path, authority: Authority, name: str = NAME, **options: object) -> str:
    """Issue a certificate into the folder; returns its fingerprint."""
    issued = authority.issue([name, "192.0.2.7"], key="ec", **options)  # type: ignore[arg-type]
    (folder / "cert.pem").write_text(issued.certificate_pem + issued.chain_pem)
    (folder / "key.pem").write_text(issued.private_key_pem)
    return load_pem_x509_certificate(issued.certificate_pem.encode()).fingerprint(hashes.SHA256()).hex()


@pytest.mark.parametrize("modern", [True, False])
def test_keystore_holds_certificate_and_its_key(
    shell: list[str], modern: bool, authority: Authority, tmp_path: Path
) -> None:
    """From MODERN_PKCS12_SINCE on with AES, before without."""
    major, minor = MODERN_PKCS12_SINCE
    version = f"{major}.{minor}.0-01" if modern else f"{major}.{minor - 1}.9-01"
    fingerprint = put(tmp_path, authority)
    assert build(shell, tmp_path, version=version) == fingerprint
    key, certificate, _ = pkcs12.load_key_and_certificates((tmp_path / "new").read_bytes(), PASSWORD.encode())
    assert key is not None
    assert certificate is not None
    assert certificate.fingerprint(hashes.SHA256()).hex() == fingerprint
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    assert (AES_256_CBC in (tmp_path / "new").read_bytes()) is modern


def test_keystore_of_same_files_is_kept(shell: list[str], authority: Authority, tmp_path: Path) -> None:
    put(tmp_path, authority)
    place = f'cat {tmp_path}/new >{tmp_path}/keystore; save_fact keystore.source "$build_source"'
    build(shell, tmp_path, after=place)
    first = (tmp_path / "keystore").read_bytes()
    build(shell, tmp_path)
    assert (tmp_path / "new").read_bytes() == first
    renewed = put(tmp_path, authority)
    assert build(shell, tmp_path) == renewed
    assert (tmp_path / "new").read_bytes() != first


def test_keystore_of_former_certificate_is_not_kept(
    shell: list[str], authority: Authority, tmp_path: Path
) -> None:
    """The keystore of these files lies beside, because the service step has not installed it yet."""
    put(tmp_path, authority)
    build(shell, tmp_path, after=f"cat {tmp_path}/new >{tmp_path}/keystore")
    renewed = put(tmp_path, authority)
    build(shell, tmp_path, after='save_fact keystore.source "$build_source"')
    assert build(shell, tmp_path) == renewed
    _, certificate, _ = pkcs12.load_key_and_certificates((tmp_path / "new").read_bytes(), PASSWORD.encode())
    assert certificate is not None
    assert certificate.fingerprint(hashes.SHA256()).hex() == renewed


def test_fingerprint_host_is_what_keystore_step_found(shell: list[str], tmp_path: Path) -> None:
    saved = f"FACTS={tmp_path}/facts; save_fact keystore.fingerprint {'ab' * 32}"
    assert run(shell, f"{saved}; plain_fingerprint host", step="keystore") == "ab" * 32


def test_unusable_files_are_refused_by_argument(shell: list[str], authority: Authority, tmp_path: Path) -> None:
    fingerprint = put(tmp_path, authority)
    assert build(shell, tmp_path, hostname="192.0.2.7") == fingerprint
    assert "hostname: the certificate" in build(shell, tmp_path, hostname="other.example.com")
    key = (tmp_path / "key.pem").read_text()
    put(tmp_path, authority)
    (tmp_path / "key.pem").write_text(key)
    assert "private_key_path: the key" in build(shell, tmp_path)
    (tmp_path / "key.pem").write_text("none")
    assert "private_key_path: " in build(shell, tmp_path)
    (tmp_path / "key.pem").unlink()
    assert f"private_key_path: {tmp_path}/key.pem is not a file" in build(shell, tmp_path)
    past = dt.datetime.now(dt.timezone.utc) - dt.timedelta(hours=1)
    put(tmp_path, authority, not_before=past - dt.timedelta(90), not_after=past)
    assert "expired on" in build(shell, tmp_path)
    (tmp_path / "cert.pem").write_text("none")
    assert "certificate_path: " in build(shell, tmp_path)


@pytest.mark.parametrize(
    ("names", "hostname", "said"),
    [
        ((), NAME, "certificate_path: the first certificate in {0}/cert.pem names no host in its subjectAltName"),
        ((x509.RFC822Name("a@b.example"),), "192.0.2.7", "certificate_path: the first certificate in"),
        (
            (x509.IPAddress(ip_address("192.0.2.7")),),
            NAME,
            f"hostname: the certificate in {{0}}/cert.pem is not for {NAME}",
        ),
        ((x509.IPAddress(ip_address("2001:db8::7")),), "2001:db8::7", ""),
        ((x509.DNSName("*.example.com"),), NAME, ""),
    ],
    ids=["none", "e-mail alone", "address alone", "IPv6 address", "wildcard"],
)
def test_common_name_does_not_count(
    shell: list[str], tmp_path: Path, names: tuple[x509.GeneralName, ...], hostname: str, said: str
) -> None:
    """Clients read the subjectAltName only; openssl falls back to the common name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname)])
    (tmp_path / "cert.pem").write_text(self_signed(subject, key, *names))
    (tmp_path / "key.pem").write_text(key_text(key))
    shown = build(shell, tmp_path, hostname=hostname)
    assert shown.startswith(said.format(tmp_path))
    assert (tmp_path / "new").exists() is not bool(said), shown


XML = '<Set name="KeyStorePassword">{}</Set>'


@pytest.mark.parametrize(
    ("files", "placed"),
    [
        ({}, {"keystore.jks": "new"}),
        ({"facts/service.certificate": "ab", "data/etc/ssl/keystore.jks": "ours"}, {"keystore.jks": "new"}),
        (
            {"data/etc/ssl/keystore.jks": "ours", "data/etc/jetty/jetty-https.xml": XML.format("pw")},
            {"keystore.jks": "new"},
        ),
        (
            {"data/etc/ssl/keystore.jks": "ours", "data/etc/jetty/jetty-https.xml": XML.format("former")},
            {"keystore.jks": "ours", "keystore.jks.next": "new"},
        ),
        ({"data/etc/ssl/keystore.jks": "new"}, {"keystore.jks": "new"}),
        ({"data/etc/ssl/keystore.jks": "by hand"}, {"keystore.jks": "by hand", "keystore.jks.next": "new"}),
        (
            {"data/etc/ssl/keystore.jks": "ours", "facts/keystore.written": sha256(b"ours").hexdigest()},
            {"keystore.jks": "new"},
        ),
    ],
    ids=["first", "renewal without XML", "renewal", "other password", "same", "set up by hand", "before a start"],
)
def test_keystore_in_use_with_another_password_is_not_replaced(
    shell: list[str], tmp_path: Path, files: dict[str, str], placed: dict[str, str]
) -> None:
    """The service step replaces it with the restart. Until then, the server that runs must be able to open it."""
    for name, content in {"new": "new", "data/etc/ssl/x": "", **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    ssl = tmp_path / "data/etc/ssl"
    body = f"""FACTS_ROOT={tmp_path} FACTS={tmp_path}/facts arg_data_dir={tmp_path}/data owner=$(id -un):$(id -gn)
keystore={ssl}/keystore.jks new={tmp_path}/new KEYSTORE_PASSWORD=pw unit=nexus
unit_is() {{ return 1; }}
place_keystore
"""
    run(shell, body, step="keystore")
    (ssl / "x").unlink()
    assert {path.name: path.read_text() for path in ssl.iterdir()} == placed
    run(shell, f"{body}remove_keystore", step="keystore")
    left = {"keystore.jks": "by hand"} if "by hand" in placed.values() else {}
    assert {path.name: path.read_text() for path in ssl.iterdir()} == left
    assert not list(tmp_path.glob("facts/keystore.*"))


@pytest.mark.parametrize(
    ("active", "scanner", "content", "restart"),
    [
        (True, False, "new", True),
        (True, False, "same", False),
        (True, True, "new", False),
        (False, False, "new", False),
    ],
    ids=["without scanner", "same", "with scanner", "stopped"],
)
def test_version_without_scanner_restarts_with_new_keystore(
    shell: list[str], tmp_path: Path, active: bool, scanner: bool, content: str, restart: bool
) -> None:
    """Also when the certificate is the same and its chain is another one."""
    (tmp_path / "data/etc/ssl").mkdir(parents=True)
    (tmp_path / "facts").mkdir()
    files = {"new": content, "data/etc/ssl/keystore.jks": "same", "facts/service.certificate": "x"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    body = f"""FACTS_ROOT={tmp_path} FACTS={tmp_path}/facts arg_data_dir={tmp_path}/data owner=$(id -un):$(id -gn)
arg_install_root=/opt keystore={tmp_path}/data/etc/ssl/keystore.jks new={tmp_path}/new
chmod 0600 $keystore
unit_is() {{ {str(active).lower()}; }}
has_scanner() {{ [ "$1" = /opt/nexus/ ] && {str(scanner).lower()}; }}
place_keystore
"""
    assert "keystore.jks" in run(shell, body, step="keystore", secrets={"KEYSTORE_PASSWORD": "pw"})
    assert (tmp_path / "data/etc/ssl/keystore.jks").read_text() == content
    assert (tmp_path / "facts/service.pending").exists() == restart


@pytest.mark.parametrize(
    ("java", "said"),
    [
        ("exit 126", "architecture: {0}/bin/java does not run on this host, which is riscv64. Set architecture"),
        ("echo 'openjdk version \"17.0.1\"'", "keystore: Java 17 can't open it with keystore_password (wrong)."),
    ],
)
def test_java_of_another_architecture_is_named(shell: list[str], tmp_path: Path, java: str, said: str) -> None:
    (tmp_path / "bin").mkdir()
    for program, text in (("java", java), ("keytool", "echo 'keytool error: wrong'; exit 1")):
        (tmp_path / "bin" / program).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / program).chmod(0o755)
    body = (
        f"root_java() {{ echo {tmp_path}; }}\nuname() {{ echo riscv64; }}\nnew= arg_install_root= arg_version=\n"
    )
    secrets = {"KEYSTORE_PASSWORD": "pw"}
    assert said.format(tmp_path) in run(shell, f"{body}check_keystore", step="keystore", secrets=secrets)
