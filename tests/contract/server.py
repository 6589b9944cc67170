"""A real Nexus on this machine, started as a plain process: its folders, settings and certificate."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jks
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

from sandbox.archive import nexus_archive
from sandbox.packages import ensure
from sandbox.paths import WORK
from sandbox.pki import Authority
from sandbox.process import Process
from sandbox.shell import free_port, progress

KEYSTORE_PASSWORD = "keystore-secret"
HEAP = "-Xms300m -Xmx700m -XX:MaxDirectMemorySize=400m"
"""For ``_JAVA_OPTIONS``: those have the last word, over what the installation has in ``bin/nexus.vmoptions``."""


@dataclass
class Nexus:
    """A running server: its addresses, login and settings."""

    folder: Path
    home: Path
    username: str = "admin"
    password: str = "admin-secret-1"
    context: str = ""
    http_port: int = field(default_factory=free_port)
    https_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.http_port}{self.context}"

    @property
    def https_url(self) -> str:
        """The same over HTTPS, with a certificate of ``ca``."""
        return f"https://127.0.0.1:{self.https_port}{self.context}"

    @property
    def data_dir(self) -> Path:
        """Its data dir."""
        return self.home.parent / "sonatype-work/nexus3"

    @property
    def authority(self) -> Authority:
        """Who signed its certificate."""
        return Authority.kept(self.folder / "ca")

    @property
    def ca(self) -> Path:
        """The file for clients that shall trust it."""
        return self.folder / "ca/ca.pem"

    @property
    def log(self) -> str:
        """Its log."""
        return (self.data_dir / "log/nexus.log").read_text()

    def connector_port(self) -> int:
        """A port for a docker connector."""
        return free_port()

    def write_keystore(self, *, key: str = "rsa", password: str = KEYSTORE_PASSWORD, jks: bool = False) -> str:
        """Put a new certificate in force by an atomic rename, as PKCS#12 or JKS; returns its PEM."""
        issued = self.authority.issue(["localhost", "127.0.0.1"], key="ec" if key == "ec" else "rsa")
        chain = [issued.certificate_pem, self.authority.certificate_pem]
        self.put_keystore((_jks if jks else _pkcs12)(issued.private_key_pem, chain, password))
        return issued.certificate_pem

    def put_keystore(self, content: bytes) -> None:
        """Put these bytes where the keystore is, by an atomic rename."""
        path = self.data_dir / "etc/ssl/keystore.jks"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".new").write_bytes(content)
        path.with_suffix(".new").rename(path)

    def configure(self, *, https: bool = True, properties: Mapping[str, str] | None = None) -> None:
        """Write ``nexus.properties`` and, for HTTPS, the Jetty file with the keystore's password and a scanner."""
        etc = self.data_dir / "etc"
        etc.mkdir(parents=True, exist_ok=True)
        args = ["${jetty.etc}/jetty.xml", "${jetty.etc}/jetty-http.xml", "${jetty.etc}/jetty-requestlog.xml"]
        if https:
            stock = (self.home / "etc/jetty/jetty-https.xml").read_text()
            scanner = (
                '<Call name="addBean"><Arg><New class="org.eclipse.jetty.util.ssl.KeyStoreScanner">'
                '<Arg><Ref refid="sslContextFactory"/></Arg><Set name="scanInterval">1</Set></New></Arg></Call>'
            )
            xml = stock.replace(">password<", f">{KEYSTORE_PASSWORD}<")
            xml = xml.replace("<Item>TLSv1.2</Item>", "<Item>TLSv1.2</Item><Item>TLSv1.3</Item>")
            (etc / "jetty-https.xml").write_text(xml.replace("</Configure>", f"{scanner}</Configure>"))
            args.append("${karaf.data}/etc/jetty-https.xml")
            if not (etc / "ssl/keystore.jks").exists():
                self.write_keystore()
        lines = {
            "application-host": "127.0.0.1",
            "application-port": str(self.http_port),
            "application-port-ssl": str(self.https_port),
            "nexus-args": ",".join(args),
            "ssl.etc": "${karaf.data}/etc/ssl",
            "nexus-context-path": self.context or "/",
            "nexus.onboarding.enabled": "false",
            "nexus.scripts.allowCreation": "true",
            **(properties or {}),
        }
        content = "".join(f"{key}={value}\n" for key, value in lines.items())
        (etc / "nexus.properties").write_text(content)

    def play(self, version: str = "", **more: Any) -> None:
        """Have the docker-format stand-in behave as this version from now on; without one, as its own."""
        switches = self.data_dir / "etc/standin.json"
        switches.parent.mkdir(parents=True, exist_ok=True)
        switches.with_suffix(".new").write_text(json.dumps({"play_version": version, **more}))
        switches.with_suffix(".new").rename(switches)

    def start(self, *, environment: Mapping[str, str] | None = None) -> float:
        """Start it and wait until it answers; returns after how many seconds it did."""
        began = time.monotonic()
        settings = {
            "_JAVA_OPTIONS": HEAP,
            "NEXUS_SECURITY_INITIAL_PASSWORD": self.password,
            **(environment or {}),
        }
        variables = [f"{key}={value}" for key, value in settings.items()]
        command = ["env", *variables, str(self.home / "bin/nexus"), "run"]
        process = Process.start(command, record=self._record, log=self.folder / "console.log")
        while time.monotonic() < began + 900:
            try:
                answer = requests.get(f"{self.url}/service/rest/v1/status/writable", timeout=5)
                if answer.status_code == 200:
                    return time.monotonic() - began
            except requests.RequestException:
                pass
            if not process.alive:
                break
            time.sleep(0.2)
        console = (self.folder / "console.log").read_text()[-3000:]
        process.end(timeout=60)
        raise RuntimeError(f"Nexus does not answer at {self.url}; the end of what it printed:\n{console}")

    def stop(self) -> float:
        """Stop it with SIGTERM and wait until it is gone; returns how many seconds that took."""
        began = time.monotonic()
        if process := Process.recorded(self._record):
            process.end(timeout=120)
        return time.monotonic() - began

    @property
    def running(self) -> bool:
        """Whether it runs."""
        process = Process.recorded(self._record)
        return process is not None and process.alive

    @property
    def _record(self) -> Path:
        return self.folder / "nexus.process"


def _pkcs12(key: str, chain: list[str], password: str) -> bytes:
    private = load_pem_private_key(key.encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    first, *others = (load_pem_x509_certificate(pem.encode()) for pem in chain)
    encryption = BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(b"cert", private, first, others, encryption)


def _jks(key: str, chain: list[str], password: str) -> bytes:
    private = load_pem_private_key(key.encode(), None)
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    certificates = [load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER) for pem in chain]
    entry = jks.PrivateKeyEntry.new("cert", certificates, der, "pkcs8")
    return bytes(jks.KeyStore.new("jks", [entry]).saves(password))


def make(name: str, *, docker: bool) -> Nexus:
    """A Nexus that was never started: its archive unpacked (once), its data dir empty."""
    ensure("openjdk-17-jre-headless")
    archive = nexus_archive(docker=docker)
    folder = WORK / "contract" / name
    made = Nexus(folder, folder / f"nexus-{archive.version}")
    made.stop()
    mark = folder / "archive.sha256"
    if not mark.exists() or mark.read_text() != archive.sha256:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with progress(f"unpacking {archive.name}"):
            subprocess.run(["tar", "-xzf", archive.path, "-C", folder], check=True)
        mark.write_text(archive.sha256)
    shutil.rmtree(folder / "sonatype-work", ignore_errors=True)
    return made


def started(made: Nexus) -> Nexus:
    made.configure()
    with progress(f"starting {made.folder.name} Nexus"):
        made.start()
    (made.folder / "ports").write_text(f"{made.http_port} {made.https_port}")
    return made


def left_running() -> Nexus | None:
    """The server that an earlier session left, if it is of the archive that there would be now."""
    archive, folder = nexus_archive(), WORK / "contract/docker"
    mark, ports = folder / "archive.sha256", folder / "ports"
    if not ports.exists() or mark.read_text() != archive.sha256:
        return None
    http, https = map(int, ports.read_text().split())
    left = Nexus(folder, folder / f"nexus-{archive.version}", http_port=http, https_port=https)
    return left if left.running else None
