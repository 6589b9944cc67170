"""The host steps on a bare systemd host with a real Nexus: from nothing to HTTPS, through changes, to nothing."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox import tls
from tests.host.steps import Server, Store

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def one_server() -> Iterator[Server]:
    made = Server.on("steps", context_path="/nexus")
    yield made
    made.wipe()


@pytest.fixture
def server(one_server: Server) -> Server:
    """The server, up: a test may leave it changed, if its flags say so, or gone."""
    return one_server if one_server.property("ActiveState") == "active" else one_server.up()


@pytest.fixture
def pid(server: Server) -> Iterator[str]:
    """The server's process, which is the same one after the test."""
    before = server.property("MainPID")
    yield before
    assert server.property("MainPID") == before


def test_https_serves_given_certificate(server: Server) -> None:
    """Https shows the certificate that was given, and responds below the context path alone."""
    assert server.served() == server.store.fingerprint
    assert server.curl("service/rest/v1/status").endswith("200")
    assert replace(server, context_path="/").curl("service/rest/v1/status").endswith(" 404")


def test_https_offers_tls_1_2_and_1_3_and_nothing_older(server: Server) -> None:
    assert tls.protocols(server.ports[1]) == {"TLS1_2", "TLS1_3"}


def test_admin_password_works_and_is_in_no_file(server: Server) -> None:
    users = json.loads(server.curl("service/rest/v1/security/users?userId=admin").removesuffix(" 200"))
    assert [user["status"] for user in users if user["userId"] == "admin"] == ["active"]
    assert not server.host.exists(f"{server.data_dir}/admin.password")
    assert 'ad"min' in server.admin_password
    traces = server.host.ssh(
        # plain, and as a string in JSON or a file of systemd; not in grep's own command line
        """grep -rl 'ad[\\]*"min' /etc/systemd /var/lib/nexus-registry /run """
        "/proc/[0-9]*/cmdline 2>/dev/null",
        check=False,
    )
    assert traces.stdout == ""


def store_file(server: Server) -> None:
    """Put ``a.txt`` into a raw repository, which is made first if it isn't there."""
    repository = {
        "name": "files",
        "online": True,
        "storage": {"blobStoreName": "default", "strictContentTypeValidation": True, "writePolicy": "ALLOW"},
    }
    made = server.curl(
        "service/rest/v1/repositories/raw/hosted",
        *("-H", "Content-Type: application/json", "-d", json.dumps(repository)),
    )
    assert made.endswith((" 201", " 400"))
    put = ("-H", "Content-Type: text/plain", "-X", "PUT", "-d", "x")
    assert server.curl("repository/files/a.txt", *put) == " 201"


def test_hardened_unit_can_store_blobs(server: Server, pid: str) -> None:
    store_file(server)
    assert server.curl("repository/files/a.txt") == "x 200"
    log = server.host.read(f"{server.data_dir}/log/nexus.log")
    assert "is not writable" not in log


def test_unit_is_hardened(server: Server) -> None:
    shown = server.host.ssh("systemd-analyze security --no-pager nexus.service").stdout
    score = re.search(r"exposure level for nexus.service: ([0-9.]+)", shown)
    assert score
    print(f"systemd-analyze security: {score[1]}")  # noqa: T201
    assert float(score[1]) <= 1.1
    assert server.property("LimitNOFILE") == "65536"
    assert int(server.property("TimeoutStopUSec").removesuffix("min")) >= 2


def test_install_dir_is_read_only_for_service(server: Server) -> None:
    found = server.host.ssh(f"find {server.install_root} ! -type l \\( ! -user root -o -perm /022 \\)").stdout
    assert found == ""
    assert not server.host.exists(f"{server.install_root}/nexus-{server.version}/instances")


def test_files_with_secrets_are_services_alone(server: Server) -> None:
    for path in ("etc/ssl/keystore.jks", "etc/jetty/jetty-https.xml"):
        assert server.host.ssh(f"stat -c '%U:%G %a' {server.data_dir}/{path}").stdout == "nexus:nexus 600\n"


@pytest.mark.parametrize("step", ["prepare", "account", "archive", "keystore", "service"])
def test_second_pass_changes_nothing(server: Server, pid: str, step: str) -> None:
    snapshot = (
        f"find {server.data_dir}/etc {server.install_root} /etc /var/lib/nexus-registry "
        "-type f ! -path '*/standin/*' -printf '%p %i %T@ %m %U\\n' | sort | sha256sum"
    )
    before = server.host.ssh(snapshot).stdout
    server.run(step, "update")
    assert server.host.ssh(snapshot).stdout == before


def test_new_certificate_is_served_without_restart(server: Server, pid: str) -> None:
    unchecked = ssl._create_unverified_context()  # noqa: S323 - its certificate is compared below
    kept = http.client.HTTPSConnection("127.0.0.1", server.ports[1], timeout=30, context=unchecked)
    kept.connect()
    opened = kept.sock
    server.store = Store.make(server.store.password)
    server.run("keystore", "update")
    server.more["service"] = {**server.more.get("service", {}), "digest": "another"}
    done = server.run("service", "update")
    assert server.served() == server.store.fingerprint
    assert "nothing needs a restart" in done.stdout
    kept.request("GET", "/nexus/service/rest/v1/status")
    assert (kept.getresponse().status, kept.sock) == (200, opened)
    kept.close()


def test_changes_restart_once_and_manual_line_is_kept(server: Server) -> None:
    """Another keystore password, heap and property are in force after one restart; a person's line is kept."""
    before, properties = server.property("MainPID"), f"{server.data_dir}/etc/nexus.properties"
    server.store = Store.make("an0ther&password")
    server.host.ssh(f"printf '# mine\\nnexus.scripts.allowCreation=true\\n' >>{properties}")
    server.more["service"] = {"heap_mb": 900, "property": ["nexus.onboarding.enabled=false"]}
    server.run("keystore", "update")
    assert server.served() != server.store.fingerprint
    done = server.run("service", "update")
    assert done.stdout.count("restarting nexus.service") == 1
    assert server.property("MainPID") != before
    assert server.served() == server.store.fingerprint
    text = server.host.read(properties)
    assert "# mine\nnexus.scripts.allowCreation=true\nnexus.onboarding.enabled=false\n" in text
    heap = server.host.ssh("tr '\\0' '\\n' </proc/$(systemctl show --value -p MainPID nexus)/environ")
    assert "-Xmx900m" in heap.stdout
    assert "nothing needs a restart" in server.run("service", "update").stdout


def test_service_starts_after_reboot(server: Server) -> None:
    server.host.reboot()
    done = server.run("service", "update")
    assert "nothing needs a restart" in done.stdout
    assert server.curl("service/rest/v1/security/users").endswith("200")
    assert not server.host.exists(f"{server.data_dir}/admin.password")


def test_older_version_is_refused_by_both_names(server: Server, pid: str) -> None:
    other = f"{server.install_root}/nexus-3.70.1-02"
    server.host.ssh(f"mkdir -p {other}/bin && cp -p /bin/true {other}/bin/nexus")
    refused = server.refused("service", "update", version="3.70.1-02")
    assert "last used by Nexus 3.71.0-06, not 3.70.1-02, which is older" in refused
    server.host.ssh(f"rm -r {other}")


def test_taken_port_is_refused_by_programs_name(server: Server, pid: str) -> None:
    listen = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); "
    listen += "print(s.getsockname()[1], flush=True); time.sleep(99)"
    port = int(
        server.host.ssh(
            f'python3 -c "{listen}" >/tmp/port 2>&1 </dev/null & echo $! >/tmp/pid; sleep 1; cat /tmp/port'
        ).stdout
    )
    taker = server.host.read("/tmp/pid").strip()
    for step in ("service", "port"):
        refused = server.refused(step, http_port=port)
        assert refused == (
            f"http_port: {port} is in use by python3 (pid {taker}), which listens on 127.0.0.1. Stop that "
            "program or choose another http_port."
        )
    server.host.ssh(f"kill {taker}")
    assert f"port {port} can be used" in server.run("port", https_port=port, http_port=server.ports[0]).stdout
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        refused = server.refused("port", https_port=elsewhere.getsockname()[1])
    assert "in use by another program, which can't be seen from here" in refused


def test_failed_start_shows_log_and_next_run_starts(server: Server) -> None:
    """A start that fails shows the end of the log and is made good; a person's line is kept."""
    properties = f"{server.data_dir}/etc/nexus.properties"
    server.host.ssh(f"printf '# by hand\\nnexus.search.limit=9\\n' >>{properties}")
    server.more["service"] = {"property": ["jetty.https.acceptors=many", "nexus.browse.depth=3"]}
    done = server.run("service", "update", check=False)
    server.more.clear()
    assert done.returncode == 1
    assert "--- the last lines of /var/lib/nexus/log/nexus.log" in done.stderr
    assert "jetty.https.acceptors" in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("host: Nexus could not start. See its last")
    assert "serves HTTP on" in server.run("service", "update").stdout
    text = server.host.read(properties)
    assert "# by hand\nnexus.search.limit=9\n" in text
    assert "acceptors" not in text
    assert "depth" not in text


def test_delete_leaves_data_that_next_create_takes_and_purge_removes(server: Server) -> None:
    store_file(server)
    data = server.host.ssh(f"ls {server.data_dir}/blobs {server.data_dir}/db").stdout
    assert "version: nexus.service still runs from" in server.refused("archive", "delete")
    assert "user: nexus.service still runs" in server.refused("account", "delete")
    for step in ("service", "keystore", "archive", "account", "prepare"):
        server.run(step, "delete")
        server.run(step, "delete")
    left = server.host.ssh(
        "ls -d /etc/systemd/system/nexus.service /etc/systemd/system/*/nexus.service /opt/nexus "
        "/var/lib/nexus-registry /var/lib/nexus/etc/ssl/keystore.jks /var/lib/nexus/etc/jetty/jetty-https.xml; "
        "getent passwd nexus; getent group nexus",
        check=False,
    )
    assert left.stdout == ""
    assert server.host.ssh(f"ls {server.data_dir}/blobs {server.data_dir}/db").stdout == data
    server.host.ssh(f"chown -R 4711:4711 {server.data_dir}")
    server.up()
    assert server.curl("repository/files/a.txt") == "x 200"
    server.run("service", "delete")
    server.run("account", "delete", purge_data=True)
    assert not server.host.exists(server.data_dir)
