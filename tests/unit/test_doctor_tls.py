"""``nexus-registry doctor URL``: each finding of name, port, TLS and certificate."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from nexus_registry.cli.finding import Finding
from nexus_registry.cli.registry import Target, examine
from nexus_registry.cli.transport import transport_findings

from sandbox.pki import Authority, Issued
from sandbox.shell import free_port

from .certs import key_text
from .doctor import NOW, Registry, authority, codes, context
from .fake import port_of, serve
from .tunnel import tunnel

pytestmark = pytest.mark.usefixtures("no_proxies")
EXPIRED: dict[str, Any] = {"not_before": NOW - dt.timedelta(9), "not_after": NOW - dt.timedelta(1)}


CERTIFICATES: list[tuple[list[str], dict[str, Any]]] = [
    ([], {}),
    (["certificate-expired"], EXPIRED),
    (["certificate-not-yet-valid"], {"not_before": NOW + dt.timedelta(1), "not_after": NOW + dt.timedelta(9)}),
    (["certificate-expires"], {"not_before": NOW - dt.timedelta(9), "not_after": NOW + dt.timedelta(9)}),
    (["certificate-name"], {"names": ["other.example.com"]}),
    (["certificate-name"], {"names": ["10.0.0.1"]}),
    (["certificate-untrusted"], {"by": Authority.create("Stranger")}),
]


@pytest.mark.parametrize(("expected", "issue"), CERTIFICATES)
def test_each_fault_of_certificate_has_its_code(
    tmp_path: Path, expected: list[str], issue: dict[str, Any]
) -> None:
    given = {"by": authority(), "names": ["127.0.0.1"], **issue}
    issued = given.pop("by").issue(given.pop("names"), key="ec", **given)
    with serve(registry := Registry(), context(tmp_path, issued)) as fake:
        assert codes(fake, registry, ca=authority().certificate_pem) == expected


def test_authority_without_key_usage_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`openssl req -x509` makes such an authority. Python 3.13 refuses it by default, and Docker accepts it."""
    default = ssl.create_default_context

    def strict() -> ssl.SSLContext:
        made = default()
        made.verify_flags |= ssl.VERIFY_X509_STRICT
        return made

    monkeypatch.setattr(ssl, "create_default_context", strict)
    ca, issued = without_key_usage()
    (tmp_path / "etc/docker/certs.d").mkdir(parents=True)
    with serve(registry := Registry(), context(tmp_path, issued)) as fake:
        folder = tmp_path / "etc/docker/certs.d" / fake.url.removeprefix("https://")
        folder.mkdir()
        (folder / "ca.crt").write_text(ca)
        assert codes(fake, registry, ca=ca, clients=("docker",), root=tmp_path) == []


def without_key_usage() -> tuple[str, Issued]:
    """An authority with no extension but that it is one, and a certificate of it."""
    now, keys = dt.datetime.now(dt.timezone.utc), [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    subjects = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("CA", "server")]
    extensions: list[x509.ExtensionType] = [
        x509.BasicConstraints(ca=True, path_length=None),
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
    ]
    made = []
    for key, subject, extension in zip(keys, subjects, extensions, strict=True):
        builder = x509.CertificateBuilder(subjects[0], subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(90))
        signed = builder.add_extension(extension, critical=False).sign(keys[0], hashes.SHA256())
        made.append(signed.public_bytes(Encoding.PEM).decode())
    return made[0], Issued(key_text(keys[1]), made[1], "")


def test_certificate_of_nexus_is_examined_beside_that_of_registry(tmp_path: Path) -> None:
    right = authority().issue(["127.0.0.1"], key="ec")
    expired = authority().issue(["127.0.0.1"], key="ec", **EXPIRED)
    with (
        serve(registry := Registry(), context(tmp_path, right)) as fake,
        serve(registry, context(tmp_path, expired)) as nexus,
    ):
        registry.url = fake.url
        (found,) = examine(Target(fake.url, nexus=nexus.url, ca=authority().certificate_pem))
    assert found.code == "certificate-expired"
    assert found.text.startswith(nexus.url.removeprefix("https://"))


def test_authority_is_trusted_beside_those_of_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "system.pem").write_text(authority().certificate_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    tls = context(tmp_path, authority().issue(["127.0.0.1"], key="ec"))
    with serve(registry := Registry(), tls) as fake:
        assert codes(fake, registry, ca=Authority.create("Another").certificate_pem) == []


@contextmanager
def plain_server() -> Iterator[str]:
    with serve(Registry()) as fake:
        yield fake.url.replace("http:", "https:")


@contextmanager
def full_queue() -> Iterator[str]:
    """As behind a firewall: a full queue of connections drops what comes."""
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting.enter_context(client := socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"


UNREACHED: dict[str, tuple[Callable[[], AbstractContextManager[str]], str]] = {
    "no-tls": (plain_server, "there is no TLS"),
    "port-closed": (lambda: nullcontext(f"https://127.0.0.1:{free_port()}"), "nothing listens"),
    "port-silent": (full_queue, "timed out"),
    "name": (lambda: nullcontext("https://no-such-host.invalid"), "the name is not resolved"),
}


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Registry, str]]:
    """A registry at a name that only a proxy resolves, and its address on this machine."""
    issued = authority().issue(["registry.invalid"], key="ec", not_after=NOW + dt.timedelta(9))
    with serve(registry := Registry(), context(tmp_path, issued)) as fake:
        registry.url = "https://registry.invalid:5000"
        yield registry, fake.url


def examined(registry: Registry, **given: Any) -> list[Finding]:
    target = Target(registry.url, nexus=registry.url, username="ci", password="pw", **given)
    return list(examine(replace(target, ca=authority().certificate_pem)))


def test_registry_is_examined_through_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secure: tuple[Registry, str]
) -> None:
    registry, url = secure
    (tmp_path / "etc/docker/certs.d").mkdir(parents=True)
    with tunnel({"registry.invalid:5000": port_of(url)}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//user:pr0xy-canary@"))
        found = [one.code for one in examined(registry, clients=("docker",), root=tmp_path)]
        assert found == ["certificate-expires", "docker-ca"]
        assert all("Proxy-Authorization: Basic" in one for one in proxy.asked)
        monkeypatch.setenv("NO_PROXY", "registry.invalid")
        assert [one.code for one in examined(registry)] == ["name"]


@pytest.mark.parametrize(
    ("refusal", "text", "remedy"),
    [
        ("407 Proxy Authentication Required", "refused the connection (407 Proxy", "Write its user and password"),
        ("403 Forbidden", "refused the connection (403 Forbidden)", "Have the proxy allow it, or if registry.inv"),
        ("502 Bad Gateway", "refused the connection (502 Bad Gateway)", "Is the server running"),
        ("http://127.0.0.1:1", "cannot be reached", "Is its address right"),
        ("http://proxy..invalid:99999", "cannot be reached", "Is its address right"),
    ],
)
def test_proxy_that_refuses_is_finding(
    monkeypatch: pytest.MonkeyPatch, secure: tuple[Registry, str], refusal: str, text: str, remedy: str
) -> None:
    with tunnel({}, refusal) as proxy:
        address = refusal if refusal.startswith("http") else proxy.url
        monkeypatch.setenv("HTTPS_PROXY", address.replace("//", "//user:pr0xy-canary@"))
        (found,) = examined(secure[0])
    assert found.code == "proxy"
    assert found.text.startswith(f"registry.invalid:5000: the proxy {address} (from HTTPS_PROXY) {text}")
    assert found.remedy.startswith(remedy)
    assert "canary" not in str(found)


def test_name_outside_ascii_reaches_proxy_as_dns_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with tunnel({}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        list(transport_findings("https://bücher.example", "", 30))
    assert [one.split("\r\n")[:2] for one in proxy.asked] == [
        ["CONNECT xn--bcher-kva.example:443 HTTP/1.1", "Host: xn--bcher-kva.example:443"]
    ]


def test_proxy_of_socks_is_left_to_requests(monkeypatch: pytest.MonkeyPatch, secure: tuple[Registry, str]) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"socks5h://127.0.0.1:{free_port()}")
    assert {one.code for one in examined(secure[0])} == {"proxy"}


def test_ipv6_address_is_in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    (found,) = examine(Target("https://[2001:db8::1]"))
    assert found.text.startswith("[2001:db8::1]:443: ")


@pytest.mark.parametrize("code", UNREACHED)
def test_unreachable_address_has_its_code(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr("nexus_registry.cli.transport.TIMEOUT", 0.2)
    place, text = UNREACHED[code]
    with place() as url:
        (found,) = examine(Target(url))
    assert found.code == code
    assert text in found.text
