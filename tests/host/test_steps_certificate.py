"""A certificate that is a file on the host: served from there, renewed there, its key never sent anywhere."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from hashlib import sha256

import pytest

from sandbox.pki import Authority
from tests.host.played import PlayedServer
from tests.host.steps import Server

FOLDER = "/etc/letsencrypt/live/localhost"
PATHS = {"certificate_path": f"{FOLDER}/fullchain.pem", "private_key_path": f"{FOLDER}/privkey.pem"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = PlayedServer.on("steps")
    made.more = {
        "keystore": {**PATHS, "hostname": "localhost", "fingerprint": "host"},
        "service": {"fingerprint": "host"},
    }
    yield made
    made.host.ssh("rm -rf /etc/letsencrypt")
    made.wipe()


def put(server: Server, authority: Authority, name: str = "localhost") -> str:
    """Issue a certificate into the files on the host; returns its fingerprint."""
    issued = authority.issue([name], key="ec")
    server.host.ssh(f"mkdir -p {FOLDER} && cat >{PATHS['certificate_path']}", stdin=issued.certificate_pem)
    server.host.ssh(f"umask 077; cat >{PATHS['private_key_path']}", stdin=issued.private_key_pem)
    return sha256(ssl.PEM_cert_to_DER_cert(issued.certificate_pem)).hexdigest()


def test_certificate_on_host_is_served_and_renewed(server: Server, authority: Authority) -> None:
    first = put(server, authority)
    server.up()
    assert server.served() == first
    assert "is there" in server.run("keystore", "update").stdout, "a second run changes nothing"
    pid = server.property("MainPID")

    put(server, authority, "elsewhere.example.com")
    assert "is not for localhost" in server.refused("keystore", "update")
    renewed = put(server, authority)
    server.run("keystore", "update")
    server.run("service", "update")
    assert server.served() == renewed != first
    assert server.property("MainPID") == pid, "served without a restart"
