"""A directory: Debian's OpenLDAP as a process of its own, with configuration and data in one folder."""

from __future__ import annotations

import hashlib
import socket
import time
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.packages import ensure
from sandbox.pki import Authority
from sandbox.process import Process
from sandbox.shell import free_port, run

BASE = "dc=example,dc=com"
_CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca/ca.pem
TLSCertificateFile {folder}/certificate.pem
TLSCertificateKeyFile {folder}/key.pem
disallow bind_anon
database mdb
suffix "{base}"
directory {folder}/data
rootdn "{admin}"
rootpw {password}
access to attrs=userPassword by anonymous auth by * none
access to * by users read
"""


@dataclass
class Directory:
    """A running OpenLDAP on loopback, over LDAP and LDAPS; nobody may search without a bind."""

    folder: Path
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    admin: str = f"cn=admin,{BASE}"
    password: str = "directory-secret-1"

    @property
    def authority(self) -> Authority:
        """Who signed its certificate, which is for ``localhost``."""
        return Authority.kept(self.folder / "ca")

    def start(self, people: Iterable[str]) -> Directory:
        """Start it with these people below ``ou=people``, each with the password ``<uid>-secret``."""
        ensure("slapd")
        (self.folder / "data").mkdir(parents=True)
        issued = self.authority.issue(["localhost"])
        (self.folder / "certificate.pem").write_text(issued.certificate_pem)
        (self.folder / "key.pem").write_text(issued.private_key_pem)
        values = {"folder": self.folder, "base": BASE, "admin": self.admin, "password": self.password}
        config, entries = self.folder / "slapd.conf", self.folder / "entries.ldif"
        config.write_text(_CONFIG.format(**values))
        entries.write_text("\n".join(_entries(people)))
        run(["/usr/sbin/slapadd", "-f", config, "-l", entries])
        addresses = f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.tls_port}/"
        command: list[str | Path] = ["/usr/sbin/slapd", "-f", config, "-h", addresses, "-d", "0"]
        process = Process.start(command, record=self._record, log=self.folder / "log")
        deadline = time.monotonic() + 120
        while process.alive and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.tls_port)) == 0:
                    return self
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"slapd does not answer: {(self.folder / 'log').read_text()[-2000:]}")

    def stop(self) -> None:
        """Stop it."""
        if process := Process.recorded(self._record):
            process.end()

    @property
    def _record(self) -> Path:
        return self.folder / "process"


def _entries(people: Iterable[str]) -> list[str]:
    found = [
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n",
        f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n",
        f"dn: ou=robots,{BASE}\nobjectClass: organizationalUnit\nou: robots\n",
    ]
    for one in people:
        secret = b64encode(hashlib.sha1(f"{one}-secret".encode()).digest()).decode()  # noqa: S324 - slapd's {SHA}
        found.append(
            f"dn: uid={one},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: {one}\ncn: {one.title()} Example\n"
            f"sn: Example\nmail: {one}@example.com\nuserPassword: {{SHA}}{secret}\n"
        )
    return found
