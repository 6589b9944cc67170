"""A server that the host steps make on a sandbox host, step by step, for the tests of the steps."""

from __future__ import annotations

import base64
import shutil
import ssl
import subprocess
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12
from nexus_registry.components.host import steps
from nexus_registry.providers.compat import java_major

from sandbox import host as hosts
from sandbox.archive import Archive, nexus_archive
from sandbox.pki import Authority
from sandbox.shell import free_port

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from typing_extensions import Self

    from sandbox.host import Host

VERSION = "3.71.0-06"
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Store:
    """A keystore as the program hands it to the steps."""

    content: str
    password: str
    fingerprint: str

    @classmethod
    def make(cls, password: str) -> Store:
        issued = Authority.create("Test CA").issue(["localhost", "127.0.0.1"], key="ec")
        key = load_pem_private_key(issued.private_key_pem.encode(), None)
        certificate = x509.load_pem_x509_certificate(issued.certificate_pem.encode())
        if TYPE_CHECKING:
            assert isinstance(key, EllipticCurvePrivateKey)
        packed = pkcs12.serialize_key_and_certificates(
            b"cert", key, certificate, None, BestAvailableEncryption(password.encode())
        )
        digest = sha256(ssl.PEM_cert_to_DER_cert(issued.certificate_pem)).hexdigest()
        return cls(base64.b64encode(packed).decode(), password, digest)


@dataclass
class Server:
    """What is to be on the host; each step takes its flags and secrets from here."""

    host: Host
    store: Store
    sha256: str
    admin_password: str = " ad\"min:$p`w %s\\x'&<é€ "
    install_root: str = "/opt/nexus"
    data_dir: str = "/var/lib/nexus"
    context_path: str = "/"
    ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))
    version: str = VERSION
    more: dict[str, Any] = field(default_factory=dict)
    unit: str = "nexus"
    user: str = "nexus"
    group: str = "nexus"

    @classmethod
    def on(cls, name: str, **given: Any) -> Self:
        """A server to be on the host of this name, where nothing is left of an earlier one."""
        server = cls(hosts.up(name), Store.make("key \"st<or>e'&$"), "", **given)
        server.wipe()
        server.turn_to(server.version)
        return server

    def turn_to(self, version: str) -> None:
        """From now on the server is to be of this version, whose archive is put on the host."""
        self.put_archive(nexus_archive(version, docker=False))

    def put_archive(self, archive: Archive) -> None:
        """From now on the server is to be of this archive, which is put on the host."""
        shutil.copyfile(archive.path, self.host.root / "srv/nexus.tar.gz")
        self.version, self.sha256 = archive.version, archive.sha256

    def flags(self, step: str) -> dict[str, Any]:
        root, data = {"install_root": self.install_root}, {"data_dir": self.data_dir}
        account = {"user": self.user, "group": self.group}
        version, fingerprint = {"version": self.version}, {"fingerprint": self.store.fingerprint}
        own: dict[str, dict[str, Any]] = {
            "prepare": {
                **root,
                **data,
                "heap_mb": 1000,
                "min_disk_mb": 1000,
                "java_major": java_major(self.version),
            },
            "account": {**account, **data, "purge_data": False},
            "archive": {**root, **version, "sha256": self.sha256, "url": "file:///srv/nexus.tar.gz"},
            "keystore": {**account, **root, **data, **version, **fingerprint},
            "service": {
                **account,
                **root,
                **data,
                **version,
                **fingerprint,
                "http_port": self.ports[0],
                "https_port": self.ports[1],
                "address": "127.0.0.1",
                "heap_mb": 1000,
                "context_path": self.context_path,
                "digest": "d",
                "start_timeout": 400,
            },
        }
        return {"unit": self.unit, **own.get(step, {}), **self.more.get(step, {})}

    def secrets(self, step: str) -> dict[str, str]:
        if step == "keystore":
            return {"KEYSTORE_BASE64": self.store.content, "KEYSTORE_PASSWORD": self.store.password}
        if step == "service":
            return {"ADMIN_PASSWORD": self.admin_password, "KEYSTORE_PASSWORD": self.store.password}
        return {}

    def run(
        self, step: str, verb: steps.Verb = "create", *, login: str = "root", check: bool = True, **flags: Any
    ) -> Done:
        """Run a step as the program would, with these flags in place of the usual ones."""
        line = steps.command(verb, {**self.flags(step), **flags}, sudo=login != "root")
        done = self.host.ssh(line, stdin=steps.stdin(step, self.secrets(step)), user=login, check=False)
        for secret in (self.admin_password, self.store.password, self.store.content):
            assert secret not in line + done.stdout + done.stderr
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def refused(self, step: str, verb: steps.Verb = "create", *, login: str = "root", **flags: Any) -> str:
        """The one sentence with which a step refuses."""
        done = self.run(step, verb, login=login, check=False, **flags)
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr.strip().splitlines()[-1]

    def up(self) -> Self:
        for step in ("prepare", "account", "archive", "keystore", "service"):
            self.run(step)
        return self

    def with_store(self, store: Store) -> Self:
        return replace(self, store=store)

    def property(self, name: str) -> str:
        return self.host.ssh(f"systemctl show --value -p {name} {self.unit}.service").stdout.strip()

    def served(self) -> str:
        """The fingerprint of the certificate that the HTTPS port shows."""
        return sha256(
            ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", self.ports[1])))
        ).hexdigest()

    def curl(self, path: str, *options: str, password: str | None = None, check: bool = True) -> str:
        """What Nexus answers to the administrator: the body, a blank and the status, 000 for no answer."""
        escaped = (password or self.admin_password).replace("\\", "\\\\").replace('"', '\\"')
        command = ["curl", "-sk", "-K", "-", "-w", " %{http_code}", *options]
        url = f"https://127.0.0.1:{self.ports[1]}{self.context_path.rstrip('/')}/{path}"
        config = f'user = "admin:{escaped}"\n'
        return subprocess.run([*command, url], input=config, capture_output=True, text=True, check=check).stdout

    def wipe(self) -> None:
        """Remove whatever a server left on the host, by hand."""
        self.host.ssh(
            f"systemctl stop {self.unit} 2>/dev/null; systemctl disable {self.unit} 2>/dev/null; "
            f"rm -rf /etc/systemd/system/{self.unit}.service /opt/nexus /usr/local/nexus {self.install_root} "
            f"{self.data_dir} /var/lib/nexus-registry /run/nexus-registry; "
            "systemctl daemon-reload; systemctl reset-failed; "
            f"userdel {self.user} 2>/dev/null; groupdel {self.group} 2>/dev/null; true"
        )
