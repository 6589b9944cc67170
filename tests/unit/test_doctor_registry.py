"""``nexus-registry doctor URL``: each finding, caused by a server that is wrong in this one way."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from nexus_registry.cli.clients import client_findings
from nexus_registry.cli.command import CommandError
from nexus_registry.cli.main import main
from nexus_registry.cli.registry import Target, examine

from sandbox.paths import PROJECT
from sandbox.pki import Authority, Issued
from sandbox.shell import free_port

from .certs import key_text
from .fake import FakeServer, Request, Response, serve

NOW = dt.datetime.now(dt.timezone.utc)
TOKEN = {"token": "t0ken"}


@cache
def authority() -> Authority:
    return Authority.create("Doctor CA")


def context(folder: Path, issued: Issued) -> ssl.SSLContext:
    (folder / "cert.pem").write_text(issued.certificate_pem)
    (folder / "key.pem").write_text(issued.private_key_pem)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return made


class Registry:
    """A registry and its Nexus that work, but for what a test changes: by path, or by method and folder."""

    def __init__(self) -> None:
        self.url = ""
        self.changed: dict[str, Response] = {}
        self.anonymous = False
        self.expected_pull = False

    def __call__(self, request: Request) -> Response:
        path = request.path.split("?")[0]
        for key in (path, f"{request.method} {path.rpartition('/')[0]}"):
            if key in self.changed:
                return self.changed[key]
        login = request.headers.get("Authorization", "")
        if path == "/v2/token":
            return Response(body=TOKEN) if login.startswith("Basic") or self.anonymous else Response(401)
        if path.startswith("/v2/"):
            return self._registry(request, path, login)
        rest = {
            "status/writable": "",
            "system/node": {"nodeId": "n"},
            "system/eula": {"accepted": True},
            "security/realms/available": [{"id": "DockerToken", "name": "Docker"}],
            "security/realms/active": ["DockerToken"],
            "blobstores": [blob_store()],
        }
        name = path.removeprefix("/service/rest/v1/")
        return Response(body=rest[name]) if name in rest else Response(404)

    def use(self, version: str, *, components: int = 1, requests: int = 1, edition: str = "COMMUNITY") -> None:
        """Set the version, and the amount that the server holds and serves."""
        node = Response(body={"nodeId": "n"}, headers={"Server": f"Nexus/{version} ({edition})"})
        gauges = {
            "nexus.analytics.component_total_count": {"value": components},
            "nexus.analytics.content_request_count": {"value": {"day": requests, "hour": 1}},
        }
        metrics = Response(body={"version": "4.0.0", "gauges": gauges})
        self.changed |= {"/service/rest/v1/system/node": node, "/service/rest/metrics/data": metrics}

    def _registry(self, request: Request, path: str, login: str) -> Response:
        if not login:
            challenge = f'Bearer realm="{self.url}/v2/token",service="{self.url}/v2/token"'
            return Response(401, headers={"WWW-Authenticate": challenge})
        if request.method == "POST":
            return Response(202, headers={"Location": f"{path}session"})
        missing = request.method == "GET" and "nexus-registry-proof" in path
        return Response(404 if missing else 200 if request.method == "GET" else 201, "{}")


def blob_store(**changes: Any) -> dict[str, Any]:
    return {
        "name": "default",
        "type": "File",
        "blobCount": 1,
        "totalSizeInBytes": 1,
        "availableSpaceInBytes": 1 << 40,
        **changes,
    }


QUOTA = "/service/rest/v1/blobstores/default/quota-status"
WRONG: dict[str, Callable[[Registry], object]] = {
    "registry-error": lambda one: one.changed.update({"/v2/": Response(502)}),
    "no-registry": lambda one: one.changed.update({"/v2/": Response(200, "<html>")}),
    "challenge-address": lambda one: one.changed.update(
        {"/v2/": Response(401, headers={"WWW-Authenticate": 'Bearer realm="http://inner:5000/v2/token"'})}
    ),
    "anonymous-pull": lambda one: setattr(one, "anonymous", True),
    "no-anonymous-pull": lambda one: setattr(one, "expected_pull", True),
    "login": lambda one: one.changed.update({"/v2/token": Response(401)}),
    "login-limited": lambda one: one.changed.update({"/v2/token": Response(429)}),
    "login-error": lambda one: one.changed.update({"/v2/token": Response(403)}),
    "registry-silent": lambda one: one.changed.update({"/v2/token": Response(drop=True)}),
    "push": lambda one: one.changed.update({"/v2/team/doctor/blobs/uploads/": Response(401)}),
    "pull": lambda one: one.changed.update({"GET /v2/team/doctor/manifests": Response(500)}),
    "delete": lambda one: one.changed.update({"DELETE /v2/team/doctor/manifests": Response(403)}),
    "read-only": lambda one: one.changed.update({"/service/rest/v1/status/writable": Response(503)}),
    "version": lambda one: one.changed.update(
        {"/service/rest/v1/system/node": Response(body={}, headers={"Server": "Nexus/3.96.0-01 (COMMUNITY)"})}
    ),
    "licence": lambda one: one.changed.update(
        {"/service/rest/v1/system/eula": Response(body={"accepted": False})}
    ),
    "components-limit": lambda one: one.use("3.87.0-01", components=40_001),
    "components-near-limit": lambda one: one.use("3.77.0-01", components=80_000),
    "requests-limit": lambda one: one.use("3.86.0-01", requests=200_001),
    "requests-near-limit": lambda one: one.use("3.87.0-01", requests=80_000),
    "upgrade-limit": lambda one: one.use("3.86.0-01", components=40_001),
    "realm": lambda one: one.changed.update({"/service/rest/v1/security/realms/active": Response(body=[])}),
    "nexus-login": lambda one: one.changed.update({"/service/rest/v1/security/realms/active": Response(401)}),
    "nexus": lambda one: one.changed.update({"/service/rest/v1/blobstores": Response(body={"odd": 1})}),
    "nexus-silent": lambda one: one.changed.update({"/service/rest/v1/status/writable": Response(drop=True)}),
    "space": lambda one: one.changed.update(
        {"/service/rest/v1/blobstores": Response(body=[blob_store(availableSpaceInBytes=1 << 20)])}
    ),
    "quota": lambda one: one.changed.update(
        {
            "/service/rest/v1/blobstores": Response(
                body=[blob_store(softQuota={"type": "spaceUsedQuota", "limit": 1})]
            ),
            QUOTA: Response(body={"isViolation": True, "message": "over its quota"}),
        }
    ),
}


def codes(fake: FakeServer, registry: Registry, **changes: Any) -> list[str]:
    registry.url = fake.url
    right = {"url": fake.url, "nexus": fake.url, "username": "ci", "password": "pw", "image": "team/doctor"}
    return [one.code for one in examine(Target(**{**right, "anonymous_pull": registry.expected_pull, **changes}))]


def test_registry_that_works_has_no_finding() -> None:
    with serve(registry := Registry()) as fake:
        assert codes(fake, registry) == []


@pytest.mark.parametrize("code", WRONG)
def test_each_fault_of_registry_and_nexus_has_its_code(code: str) -> None:
    registry = Registry()
    WRONG[code](registry)
    with serve(registry) as fake:
        assert code in codes(fake, registry)


@pytest.mark.parametrize("anonymous_pull", [None, False])
@pytest.mark.parametrize("answer", [Response(200, "<html>"), Response(200, {"odd": 1})])
def test_token_that_cannot_be_read_is_finding(anonymous_pull: bool | None, answer: Response) -> None:
    with serve(registry := Registry()) as fake:
        registry.changed = {"/v2/token": answer, "/service/rest/v1/security/realms/active": Response(body=[])}
        code = "login-error" if anonymous_pull is None else "registry-error"
        assert codes(fake, registry, anonymous_pull=anonymous_pull) == [code, "realm"]


@pytest.mark.parametrize("desired", [True, False])
def test_failed_pull_without_login_says_nothing_about_rights(desired: bool) -> None:
    with serve(registry := Registry()) as fake:
        registry.changed["/v2/nexus-registry-proof/manifests/latest"] = Response(503)
        assert codes(fake, registry, anonymous_pull=desired) == ["registry-error"]


def test_upload_response_without_location_is_finding() -> None:
    registry = Registry()
    registry.changed["/v2/team/doctor/blobs/uploads/"] = Response(202)
    with serve(registry) as fake:
        assert codes(fake, registry) == ["push"]


@pytest.mark.parametrize("place", ["", "http://[::1"])
def test_upload_is_not_sent_to_another_address(place: str) -> None:
    """As behind a proxy that does not pass on X-Forwarded-Proto; the request would contain the login."""
    registry = Registry()
    with serve(lambda _: Response(201)) as other, serve(registry) as fake:
        registry.changed["/v2/team/doctor/blobs/uploads/"] = Response(
            202, headers={"Location": place or f"{other.url}/up"}
        )
        assert codes(fake, registry) == ["challenge-address"]
        assert other.methods() == []


@pytest.mark.parametrize(
    ("version", "given"),
    [
        ("3.87.0-01", {"components": 31_999, "requests": 79_999}),
        ("3.76.1-01", {"components": 200_000, "edition": "OSS"}),
        ("3.87.0-01", {"components": 200_000, "edition": "PRO"}),
    ],
)
def test_usage_within_limits_is_no_finding(version: str, given: dict[str, Any]) -> None:
    registry = Registry()
    registry.use(version, **given)
    with serve(registry) as fake:
        assert codes(fake, registry) == []
        registry.changed["/service/rest/metrics/data"] = Response(404)
        assert codes(fake, registry) == []
        registry.changed["/service/rest/metrics/data"] = Response(body={"gauges": {}})
        assert codes(fake, registry) == []


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


HOSTS = '[host."https://127.0.0.1"]\n  ca = '
CLIENT_FILES: list[tuple[str, dict[str, str], list[str]]] = [
    ("docker", {}, ["docker-ca"]),
    ("docker", {"docker/certs.d/{name}/ca.crt": "right"}, []),
    ("docker", {"docker/certs.d/{name}/ca.crt": "other"}, ["docker-ca"]),
    ("docker", {"docker/certs.d/{name}/ca.crt": "no PEM"}, ["docker-ca"]),
    ("docker", {"docker/certs.d/{name}/ca.pem": "right"}, ["docker-ca"]),
    ("containerd", {}, ["containerd-ca"]),
    ("containerd", {"containerd/certs.d/{name}/hosts.toml": f'{HOSTS}"/etc/ca.pem"', "ca.pem": "right"}, []),
    ("containerd", {"containerd/certs.d/{name}/hosts.toml": f"{HOSTS}['x.pem']",
                    "containerd/certs.d/{name}/x.pem": "right"}, []),
    ("containerd", {"containerd/certs.d/{under}/hosts.toml": f'{HOSTS}[\n"/etc/ca.pem",\n]', "ca.pem": "right"},
     []),
    ("containerd", {"containerd/certs.d/_default/ca.crt": "right"}, []),
    ("containerd", {"containerd/certs.d/{name}/hosts.toml": f'{HOSTS}"/etc/none.pem"'}, ["containerd-ca"]),
    ("containerd", {"containerd/certs.d/{name}/hosts.toml": '# ca = "/etc/ca.pem"',
                    "ca.pem": "right"}, ["containerd-hosts", "containerd-ca"]),
    ("containerd", {"containerd/certs.d/{name}/hosts.toml": 'ca = "/etc/ca.pem"',
                    "ca.pem": "right"}, ["containerd-hosts"]),
    ("containerd", {"containerd/certs.d/{name}/hosts.toml": f'{HOSTS}"/etc/ca.pem"\n skip_verify = true',
                    "ca.pem": "right"}, ["containerd-skip-verify"]),
    ("containerd", {"containerd/config.toml": "version = 2\n[plugins]\n",
                    "containerd/certs.d/{name}/ca.crt": "right"}, ["containerd-config-path"]),
    ("containerd", {"containerd/config.toml": 'version = 2\n  config_path = "/etc/containerd/certs.d"\n',
                    "containerd/certs.d/{name}/ca.crt": "right"}, []),
    ("containerd", {"containerd/config.toml": "version = 3\n", "containerd/certs.d/{name}/ca.crt": "right"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("client", "files", "expected"), CLIENT_FILES)
def test_client_that_does_not_trust_authority(
    tmp_path: Path, client: str, files: dict[str, str], expected: list[str]
) -> None:
    """``{name}`` is the folder that is named as the registry, ``{under}`` the other form of it for containerd."""
    contents = {"right": authority().certificate_pem, "other": Authority.create("Stranger").certificate_pem}
    issued = authority().issue(["127.0.0.1"], key="ec")
    with serve(registry := Registry(), context(tmp_path, issued)) as fake:
        host, port = fake.url.removeprefix("https://").split(":")
        for name, content in files.items():
            file = tmp_path / "root/etc" / name.format(name=f"{host}:{port}", under=f"{host}_{port}_")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(contents.get(content, content))
        given = {"ca": authority().certificate_pem, "clients": (client,), "root": tmp_path / "root"}
        assert codes(fake, registry, **given) == expected


@pytest.mark.parametrize("name", ["etc/containerd/config.toml", "etc/containerd/certs.d/h:1/hosts.toml"])
def test_client_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir(parents=True)  # a folder: root may read any file
    with pytest.raises(CommandError, match=rf"^--client: Is a directory: {tmp_path / name}\. Run this as"):
        list(client_findings("https://h:1", ("containerd",), tmp_path))


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


def test_ipv6_address_is_in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    (found,) = examine(Target("https://[2001:db8::1]"))
    assert found.text.startswith("[2001:db8::1]:443: ")


@pytest.mark.parametrize("code", UNREACHED)
def test_unreachable_address_has_its_code(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr("nexus_registry.cli.registry._TIMEOUT", 0.2)
    place, text = UNREACHED[code]
    with place() as url:
        (found,) = examine(Target(url))
    assert found.code == code
    assert text in found.text


@pytest.mark.parametrize(("days", "status"), [("5", 0), ("20", 1)])
def test_expires_within_says_when_certificate_is_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], days: str, status: int
) -> None:
    monkeypatch.delenv("NEXUS_USERNAME", raising=False)
    (tmp_path / "ca.pem").write_text(authority().certificate_pem)
    issued = authority().issue(["127.0.0.1"], key="ec", not_before=NOW, not_after=NOW + dt.timedelta(10))
    with serve(registry := Registry(), context(tmp_path, issued)) as fake:
        registry.url = fake.url
        line = ["doctor", fake.url, "--ca", str(tmp_path / "ca.pem"), "--expires-within", days]
        assert main(line) == status
    shown = capsys.readouterr()
    assert ("certificate-expires" in shown.out) is bool(status)
    assert shown.err == ""


PROMISED = """
anonymous-pull certificate-expired certificate-expires certificate-name certificate-not-yet-valid
certificate-untrusted challenge-address components-limit components-near-limit containerd-ca
containerd-config-path containerd-hosts containerd-skip-verify delete docker-ca licence login login-error
login-limited name nexus nexus-login nexus-silent no-anonymous-pull no-registry no-tls port-closed
port-silent pull push quota read-only realm registry-error registry-silent requests-limit
requests-near-limit space upgrade-limit version
"""
"""Monitoring compares these: a code is never renamed or removed."""


def test_page_lists_codes_that_tests_cause() -> None:
    caused = {*WRONG, *UNREACHED}.union(*(one[0] for one in CERTIFICATES), *(one[2] for one in CLIENT_FILES))
    assert set(PROMISED.split()) <= caused
    page = (PROJECT / "docs/how-to/monitoring.md").read_text().partition("## Codes")[2]
    assert set(re.findall(r"`([a-z-]+)`(?=[^|]*\|[^|]+\|\n)", page)) == caused
    source = "".join((PROJECT / f"cli/{part}.py").read_text() for part in ("registry", "usage", "clients"))
    assert set(re.findall(r'(?:Finding\(|\d: \()\s*"([a-z-]+)"', source)) <= caused


def test_command_prints_findings_and_ends_with_their_status(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXUS_USERNAME", "ci")
    monkeypatch.setenv("NEXUS_PASSWORD", "canary-4711")
    with serve(registry := Registry()) as fake:
        registry.url = fake.url
        assert main(["doctor", fake.url]) == 0
        registry.anonymous = True
        assert main(["doctor", fake.url, "--anonymous-pull", "no", "--json"]) == 1
    *_, printed = capsys.readouterr().out.splitlines()
    assert [one["code"] for one in json.loads(printed)] == ["anonymous-pull"]
    assert "canary" not in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["doctor"], "URL: must be https://HOST:PORT, without a login"),
        (["doctor", "registry:5000"], "URL: must be https://HOST:PORT, without a login"),
        (["doctor", "https://registry:99999"], "URL: must be https://HOST:PORT, without a login"),
        (["doctor", "https://registry..example.com"], "URL: must be https://HOST:PORT, without a login"),
        (["doctor", f"https://{'a' * 64}.com"], "URL: must be https://HOST:PORT"),
        (["doctor", "https://ci:canary-4711@a"], "URL: must be https://HOST:PORT, without a login"),
        (["doctor", "https://ci:canary-4711@a:99999"], "URL: must be https://HOST:PORT, without a login"),
        (["doctor", "https://a", "--nexus", "https://ci:canary-4711@a"], "--nexus: must be https://HOST:PORT"),
        (["doctor", "https://a", "--host"], "--host: can't be combined with URL or --json. Leave them out"),
        (["doctor", "--host", "--json"], "--host: can't be combined with URL or --json"),
        (["doctor", "https://a", "--push", "x"], "NEXUS_USERNAME: is not set"),
        (["doctor", "https://a", "--ca", "/none"], "No such file"),
        (["doctor", "https://a", "--ca", str(PROJECT / "README.md")], "README.md must be a certificate in PEM"),
    ],
)
def test_command_that_cannot_run_says_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.delenv("NEXUS_USERNAME", raising=False)
    assert main(arguments) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "canary" not in shown
