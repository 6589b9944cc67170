"""One real Nexus (Core with the docker-format stand-in) for every contract test of a session."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nexus_registry.providers.client import Connection, NexusClient, client_for

from sandbox.paths import WORK
from sandbox.shell import locked

from .docker_api import Api, People, Repository, accept_licence, hosted, named
from .server import Nexus as Nexus
from .server import left_running, make, started


@pytest.fixture(scope="session")
def nexus() -> Iterator[Nexus]:
    """The Core with the docker format, over HTTP and HTTPS, empty at the start of the session.

    With ``NEXUS_REUSE=1`` in the environment it is left running at the end, and the next session takes it as it
    is, if it is of the same archive. Two sessions at once take turns.
    """
    reuse = bool(os.environ.get("NEXUS_REUSE"))
    with locked(WORK / "contract/docker.lock"):
        server = (left_running() if reuse else None) or started(make("docker", docker=True))
        if os.environ.get("NEXUS_ARCHIVE"):
            accept_licence(server)
        yield server
        if not reuse:
            server.stop()


@pytest.fixture(scope="module")
def core() -> Iterator[Callable[[], Nexus]]:
    """Makes the Core alone, without the docker format, the first time that a module calls it."""
    made: list[Nexus] = []

    def get() -> Nexus:
        if not made:
            made.append(started(make("core", docker=False)))
        return made[0]

    with locked(WORK / "contract/core.lock"):
        yield get
        for one in made:
            one.stop()


@pytest.fixture(scope="session")
def signing_key() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", ""]
        Path(home).chmod(0o700)
        subprocess.run([*gpg, "--quick-gen-key", "contract@example.invalid", "rsa2048"], check=True)
        exported = subprocess.run([*gpg, "--export-secret-keys", "--armor"], check=True, capture_output=True)
        yield exported.stdout.decode()
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=False)


@pytest.fixture(scope="module")
def admin(nexus: Nexus) -> Api:
    return Api(nexus, (nexus.username, nexus.password))


@pytest.fixture(scope="module")
def connection(nexus: Nexus) -> Connection:
    """How a provider reaches the server."""
    return {"url": nexus.url, "username": nexus.username, "password": nexus.password}


@pytest.fixture
def client(connection: Connection) -> NexusClient:
    """A client for that connection, or the module's own."""
    return client_for(connection)


@pytest.fixture(scope="module")
def nobody(nexus: Nexus) -> Api:
    return Api(nexus, None)


@pytest.fixture
def repository(nexus: Nexus, admin: Api) -> Iterator[Repository]:
    name, port = named("images"), nexus.connector_port()
    body = hosted(name, httpPort=port)
    admin.ok("POST", "repositories/docker/hosted", body)
    yield Repository(nexus, name, port, body, admin)
    admin.call("DELETE", f"repositories/{name}")


@pytest.fixture
def token_realm(admin: Api) -> Iterator[None]:
    with admin.token_realm():
        yield


@pytest.fixture
def anonymous(admin: Api) -> Iterator[None]:
    with admin.anonymous(enabled=True):
        yield


@pytest.fixture
def no_anonymous(admin: Api) -> Iterator[None]:
    with admin.anonymous(enabled=False):
        yield


@pytest.fixture
def people(admin: Api) -> Iterator[People]:
    some = People(admin)
    yield some
    for user, role in some.made:
        admin.call("DELETE", f"security/users/{user}")
        admin.call("DELETE", f"security/roles/{role}")
