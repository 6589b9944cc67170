"""Real servers of older versions, each installed by the product's own steps on a host with Java 8."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from nexus_registry.providers.client import Connection
from nexus_registry.providers.keystore import KeystoreProvider

from sandbox import host as hosts
from sandbox import rootfs, tls
from sandbox.pki import Authority

from ..host.steps import Server, Store


@dataclass
class Real(Server):
    """A server whose keystore is the product's, with a certificate of an authority that is the host's."""

    @property
    def https_port(self) -> int:
        return self.ports[1]

    @property
    def ca(self) -> Path:
        return self._authority_folder / "ca.pem"

    @property
    def connection(self) -> Connection:
        """A connection as for a server that is managed elsewhere, without the version."""
        return {
            "url": f"https://localhost:{self.https_port}",
            "username": "admin",
            "password": self.admin_password,
            "ca": self.ca.read_text(),
        }

    def renew(self) -> None:
        """From now on the server is to show a new certificate."""
        issued = Authority.kept(self._authority_folder).issue(["localhost", "127.0.0.1"])
        desired = {
            "private_key": issued.private_key_pem,
            "certificate": issued.certificate_pem,
            "password": self.store.password,
            "nexus_version": self.version,
        }
        checked = KeystoreProvider().check({}, desired)
        assert not checked.failures
        made = KeystoreProvider().create(checked.inputs).outs
        assert made is not None
        self.store = Store(made["content"], self.store.password, made["fingerprint"])

    @property
    def _authority_folder(self) -> Path:
        return self.host.folder / "ca"


@contextmanager
def running(version: str, host: str) -> Iterator[Real]:
    """A server of this version on the host of this name, and nothing of it afterwards."""
    rootfs.install_java_8(hosts.up(host))
    made = Real.on(host, version=version)
    made.renew()
    made.up()
    yield made
    made.wipe()


class Installation:
    """What the steps make of any version; a subclass has a fixture ``server``."""

    def test_desired_version_runs_with_admin_password(self, server: Real) -> None:
        said = server.curl("service/rest/v1/status", "-i")
        assert f"Server: Nexus/{server.version} " in said
        assert said.endswith(" 200")
        assert server.curl("service/rest/v1/status", password="another").endswith(" 401")
        assert not server.host.exists(f"{server.data_dir}/admin.password")

    def test_https_serves_given_certificate(self, server: Real) -> None:
        assert server.served() == server.store.fingerprint

    def test_https_offers_tls_1_2_and_1_3_and_nothing_older(self, server: Real) -> None:
        assert tls.protocols(server.https_port) == {"TLS1_2", "TLS1_3"}

    def test_second_pass_changes_nothing(self, server: Real) -> None:
        before = server.property("MainPID")
        for step in ("prepare", "account", "archive", "keystore", "service"):
            server.run(step, "update")
        assert server.property("MainPID") == before

    @pytest.mark.kinds("Keystore")
    def test_renewed_certificate_restarts_only_old_jetty(self, server: Real) -> None:
        """A renewed certificate is served with a restart only where this jetty needs one."""
        before = server.property("MainPID")
        server.renew()
        server.run("keystore", "update")
        server.run("service", "update")
        assert server.served() == server.store.fingerprint
        restarted = server.property("MainPID") != before
        assert restarted is (server.version in ("3.19.1-01", "3.26.0-01"))
