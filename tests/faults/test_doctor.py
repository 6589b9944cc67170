"""`nexus-registry doctor --host` names what was changed by hand on a real host, and a repair corrects it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.host.doctor import STEPS, doctor, exported
from tests.host.steps import Server, Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.full_faults

UNIT = "/etc/systemd/system/nexus.service"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server.on("steps")
    yield made.up()
    made.wipe()


BROKEN = [
    {
        "touch {data}/stray": "{data}/stray belongs to root:root",
        f"sed -i s/LimitNOFILE=65536/LimitNOFILE=1024/ {UNIT}": 'is "LimitNOFILE=1024", not "LimitNOFILE=65536"',
        "sed -i 's/^application-port=.*/application-port=9/; 1i mine=stays' {data}/etc/nexus.properties": (
            "{data}/etc/nexus.properties: application-port is not '{http}'"
        ),
        "chmod 644 {data}/etc/nexus.properties": "with mode 0644, not to nexus:nexus with mode 0640",
        "sed -i s/TLSv1.2/TLSv1/ {data}/etc/jetty/jetty-https.xml": "https.xml differs from the one derived",
        "chmod 640 {data}/etc/ssl/keystore.jks": "keystore.jks belongs to nexus:nexus with mode 0640, not",
    },
    {
        f"echo '# mine' >>{UNIT}; sed -i s/LimitNOFILE=1024/LimitNOFILE=65536/ {UNIT}": '"# mine", is not',
        "base64 -d >{data}/etc/ssl/keystore.jks": "keystore.jks holds the certificate sha256 {other:.16}",
    },
    {
        "echo x >{data}/etc/ssl/keystore.jks": "keystore.jks does not open with keystore_password",
        "ln -sfn nexus-0 {root}/nexus": "{root}/nexus does not lead to nexus-{version}",
    },
    {
        "rm {data}/etc/ssl/keystore.jks": "keystore.jks is missing",
        "rm /var/lib/nexus-registry/nexus/prepare.java-home": "there is no Java in ''",
        "systemctl -q disable nexus": "nexus.service does not start with the host",
    },
    {
        "systemctl stop nexus": "nexus.service is inactive",
        "userdel nexus; groupdel nexus 2>/dev/null; true": "the user nexus is missing",
    },
]
"""What a person does on the host, visit by visit (another keystore is on standard input), and what is said of it:
each change with its finding."""


def test_doctor_names_manual_change_and_repair_reverts_it(server: Server, tmp_path: Path) -> None:
    assert doctor(server, tmp_path)[0] == 0
    names: dict[str, Any] = {
        "data": server.data_dir,
        "root": server.install_root,
        "version": server.version,
        "http": server.ports[0],
    }
    other = Store.make(server.store.password)
    names["other"] = other.fingerprint
    for visit in BROKEN:
        for change in visit:
            server.host.ssh(change.format(**names), stdin=other.content)
        status, lines = doctor(server, tmp_path)
        assert status == 1
        for change, finding in visit.items():
            assert [line for line in lines if finding.format(**names) in line], (change, lines)
    for step in STEPS:
        server.run(step, "update", repair="again")
    assert doctor(server, tmp_path)[0] == 0
    assert "mine=stays" in server.host.ssh(f"cat {server.data_dir}/etc/nexus.properties").stdout


def test_doctor_reports_wrong_and_busy_hosts_as_unknown(server: Server, tmp_path: Path) -> None:
    busy = "flock /run/nexus-registry.lock sh -c 'echo held; sleep 60' </dev/null >/tmp/held 2>&1 & "
    pid = server.host.ssh(f"{busy} echo $!; until grep -q held /tmp/held; do sleep 0.1; done").stdout.strip()
    state = exported(server)
    for given, said in (
        (state, "a step is running here"),
        (state.replace("AAAAC3NzaC1lZDI1NTE5AAAAI", "AAAAC3NzaC1lZDI1NTE5AAAAJ"), "ost key verification failed"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "nexus_registry.cli", "doctor", "--host", "--state", "-"],
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    server.host.ssh(f"kill {pid}; pkill -P {pid}; rm /tmp/held", check=False)
