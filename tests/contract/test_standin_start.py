"""Starting with the stand-in: what a restart keeps, what it refuses to start with, the launcher's verbs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox.process import Process

from .docker_api import Api, Registry, hosted, named
from .https import eventually
from .server import HEAP, Nexus

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module", autouse=True)
def _restored(nexus: Nexus, request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave the server as the next module expects it, if there is one: empty, with HTTPS, as its own version."""
    yield
    if request.session.items[-1].path == request.path and "NEXUS_REUSE" not in os.environ:
        return
    nexus.stop()
    shutil.rmtree(nexus.data_dir)
    nexus.context = ""
    nexus.configure()
    nexus.start()


@pytest.fixture
def admin(nexus: Nexus) -> Api:
    return Api(nexus, (nexus.username, nexus.password))


def test_killed_core_ends_server_by_same_signal(nexus: Nexus) -> None:
    server = Process.recorded(nexus.folder / "nexus.process")
    assert server is not None
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    (core,) = (int(pid) for pid in children if "java" in Path(f"/proc/{pid}/comm").read_text())
    os.kill(core, signal.SIGKILL)
    eventually(lambda: not server.alive)
    nexus.start()


def test_restart_keeps_everything_and_takes_other_settings(nexus: Nexus, admin: Api) -> None:
    """One restart for all of it: as another version, under a context path, without HTTPS."""
    name, port = named("kept"), nexus.connector_port()
    admin.ok("POST", "repositories/docker/hosted", hosted(name, httpPort=port, forceBasicAuth=False))
    admin.ok("PUT", "security/realms/active", ["DockerToken", "NexusAuthenticatingRealm"])
    registry = Registry(f"http://127.0.0.1:{port}", auth=admin.auth)
    assert registry.push("app", "1").status_code == 201
    bearer = Registry(registry.url, token=registry.call("GET", "/v2/token").json()["token"])

    assert nexus.stop() < 30
    _kill_while_making(nexus, name, "never-made")
    nexus.context = "/depot"
    nexus.configure(https=False)
    nexus.play("3.96.0-01")
    nexus.start()

    assert admin.ok("GET", "security/realms/active") == ["DockerToken", "NexusAuthenticatingRealm"]
    shown = admin.ok("GET", f"repositories/docker/hosted/{name}")
    assert shown["url"] == f"{nexus.url}/repository/{name}"
    assert [one["format"] for one in admin.ok("GET", "repositories") if one["name"] == name] == ["docker"]
    assert admin.call("GET", "repositories/docker/hosted/never-made").status_code == 404
    assert admin.call("GET", "status").headers["Server"] == "Nexus/3.96.0-01 (COMMUNITY)"

    for one in (registry, bearer):  # the context path is not for connectors; the licence is
        refused = one.call("GET", "/v2/app/manifests/1")
        assert refused.status_code == 403
        assert "You must accept the End User License Agreement (EULA)" in refused.text
    eula = admin.ok("GET", "system/eula")
    assert eula["accepted"] is False
    changed = admin.call("POST", "system/eula", {"accepted": True, "disclaimer": "something else"})
    assert (changed.status_code, "Invalid EULA disclaimer" in changed.text) == (500, True)
    assert Api(nexus, None).call("POST", "system/eula", eula | {"accepted": True}).status_code == 401
    assert admin.call("POST", "system/eula", eula | {"accepted": True}).status_code == 204
    assert admin.ok("GET", "system/eula")["accepted"] is True
    for one in (registry, bearer):
        assert one.call("GET", "/v2/app/manifests/1").status_code == 200

    secure = nexus.connector_port()
    admin.ok("POST", "repositories/docker/hosted", hosted(named("secure"), httpsPort=secure))
    assert f"https connector on port {secure}" in nexus.log
    assert "Unsupported HTTP Scheme: https" in nexus.log
    with pytest.raises(requests.ConnectionError):
        requests.get(f"https://127.0.0.1:{secure}/v2/", timeout=10)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"https://127.0.0.1:{nexus.https_port}/", timeout=10)


def _kill_while_making(nexus: Nexus, made: str, never_made: str) -> None:
    """Leave the record that a kill does between Core's making of the first repository, or of neither, and ours."""
    record = nexus.data_dir / "etc/docker-standin.json"
    state = json.loads(record.read_text())
    attributes = state["repositories"].pop(made)
    state["making"] = {made: attributes, never_made: attributes | {"httpPort": nexus.connector_port()}}
    record.write_text(json.dumps(state))


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("password", "java.io.IOException: keystore password was incorrect"),
        ("garbage", "java.io.IOException: Invalid keystore format"),
        ("missing", "No such file or directory"),
        ("xml", "org.xml.sax.SAXParseException"),
        ("no xml", "java.io.FileNotFoundException"),
    ],
)
def test_xml_without_keystore_path_fails(nexus: Nexus, broken: str, words: str) -> None:
    nexus.stop()
    nexus.configure()
    keystore, xml = nexus.data_dir / "etc/ssl/keystore.jks", nexus.data_dir / "etc/jetty-https.xml"
    nexus.write_keystore(password="another-one" if broken == "password" else "keystore-secret")
    if broken == "garbage":
        nexus.put_keystore(b"garbage")
    elif broken == "missing":
        keystore.unlink()
    elif broken == "xml":
        xml.write_text(xml.read_text().replace("</Configure>", ""))
    elif broken == "no xml":
        xml.unlink()
    before = len(nexus.log)
    with pytest.raises(RuntimeError, match="does not answer"):
        nexus.start()
    said = nexus.log[before:]
    assert "org.sonatype.nexus.bootstrap.jetty.JettyServer - Failed to start" in said
    assert words in said


def test_taken_port_fails_start(nexus: Nexus) -> None:
    nexus.stop()
    nexus.configure()
    with (
        socket.create_server(("127.0.0.1", nexus.http_port)),
        pytest.raises(RuntimeError, match="does not answer"),
    ):
        nexus.start()
    assert f"java.io.IOException: Failed to bind to /127.0.0.1:{nexus.http_port}" in nexus.log
    nexus.configure()


def test_launcher_starts_and_stops_for_forking_unit(nexus: Nexus) -> None:
    def launcher(verb: str) -> subprocess.CompletedProcess[str]:
        env = os.environ | {"_JAVA_OPTIONS": HEAP}
        command = [str(nexus.home / "bin/nexus"), verb]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=1200, check=False)

    nexus.stop()
    nexus.context = ""
    nexus.play()
    nexus.configure(https=False)
    assert (launcher("status").returncode, launcher("status").stdout) == (3, "nexus is stopped.\n")
    assert launcher("start").returncode == 0
    try:
        assert launcher("status").stdout == "nexus is running.\n"
        assert "already running" in launcher("start").stdout
    finally:
        stopped = launcher("stop")
    assert "Stopped." in stopped.stdout
    assert launcher("status").returncode == 3
    assert launcher("nonsense").returncode == 1


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.2", "16"])
def test_old_java_fails_start(nexus: Nexus, tmp_path: Path, version: str) -> None:
    java = tmp_path / "bin/java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024-01-01' >&2\n")
    java.chmod(0o755)
    env = {"PATH": f"{java.parent}:/usr/bin:/bin", "JAVA_HOME": str(tmp_path)}
    command = [str(nexus.home / "bin/nexus"), "run"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 83
    assert "The version of the JVM must be at least 17." in done.stderr
    assert "Please define INSTALL4J_JAVA_HOME to point to a suitable JVM." in done.stderr
