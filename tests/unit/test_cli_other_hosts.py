"""`nexus-registry doctor --host` on Rocky and openSUSE: silent after the steps, one line for each change, silent
again after the steps ran once more, as they do at a new value of repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from nexus_registry.cli import doctor
from nexus_registry.components.host import steps
from nexus_registry.components.host.sent import SentStep

from tests.unit.other_hosts import LEAP, ROCKY, OtherHost, System
from tests.unit.test_packages_other_hosts import FIREWALLD
from tests.unit.test_packages_service import FINGERPRINT, KEYTOOL, TOOLS, VERSION, archive, passes

if TYPE_CHECKING:
    from pathlib import Path

JAVA = "/usr/lib/jvm/jre-17-openjdk"
DATA = "/var/lib/nexus"
KEYSTORE = f"{DATA}/etc/ssl/keystore.jks"
UNIT = "/etc/systemd/system/nexus.service"
PROPERTIES = f"{DATA}/etc/nexus.properties"
BROKEN = [
    ("rm /bin/curl", "the program curl is missing"),
    (f"touch {DATA}/stray", f"{DATA}/stray belongs to root:root, not to nexus:nexus"),
    (
        f"chmod 644 {KEYSTORE}",
        f"{KEYSTORE} belongs to nexus:nexus with mode 0644, not to nexus:nexus with mode 0600",
    ),
    (f"echo x >>{KEYSTORE}", f"{KEYSTORE} has other bytes, with the same certificate"),
    (f"sed -i s/65536/1024/ {UNIT}", f'{UNIT}: line 13 is "LimitNOFILE=1024", not "LimitNOFILE=65536"'),
    (f"sed -i s/port=8081/port=9/ {PROPERTIES}", f"{PROPERTIES}: application-port is not '8081'"),
    ("rm /opt/nexus/nexus", f"/opt/nexus/nexus does not lead to nexus-{VERSION}"),
    ("rm /enabled", "nexus.service does not start with the host"),
    ("rm /now/8443-tcp", "firewalld: port 8443/tcp is closed"),
    ("echo inactive >/active", "nexus.service is inactive"),
]


def asked(host: OtherHost, sha256: str) -> list[str]:
    """What doctor says of all steps."""
    unit: dict[str, Any] = {"unit": "nexus", "user": "nexus", "group": "nexus", "data_dir": DATA}
    where: dict[str, Any] = {**unit, "version": VERSION, "install_root": "/opt/nexus"}
    served = {**where, "java_home": JAVA, "fingerprint": FINGERPRINT}
    password = "KEYSTORE_PASSWORD=s3cr3t-word\n"
    said: list[str] = []
    for kind, flags, secrets in (
        ("prepare", {**where, "java_home": JAVA, "https_port": 8443, "open_firewall": True}, ""),
        ("account", unit, ""),
        ("archive", {**where, "sha256": sha256}, ""),
        ("keystore", served, f"KEYSTORE_BASE64=UEsx\n{password}"),
        ("service", {**served, "http_port": 8081, "https_port": 8443, "heap_mb": 1000}, password),
    ):
        sent = SentStep(kind, "sh -s -- ", steps.command("create", flags).removeprefix("sh -s -- create"), secrets)
        done = host.shell(sent.line("doctor"), doctor.stdin(sent))
        assert (done.returncode, done.stderr) == (0, "")
        *found, last = done.stdout.splitlines()
        assert last == f"nexus-registry examined: {kind}"
        said += [line.removeprefix("nexus-registry finding: ") for line in found]
    return said


@pytest.mark.parametrize(("system", "systemd"), [(ROCKY, "252"), (LEAP, "254")], ids=["rocky", "leap"])
def test_doctor_reports_each_manual_change_until_repair(tmp_path: Path, system: System, systemd: str) -> None:
    host = OtherHost(tmp_path, system, {**TOOLS, **FIREWALLD})
    host.write("systemd", systemd)
    host.write("firewalld", "0")
    host.write("now/8443-tcp", "")
    host.program("java", "echo 'openjdk version \"17.0.11\"' >&2\n", folder=f"{JAVA}/bin")
    host.program("keytool", KEYTOOL, folder=f"{JAVA}/bin")
    sha256 = archive(host)
    passes(host, JAVA, sha256, "create")
    assert asked(host, sha256) == []
    expected: set[str] = set()
    for change, finding in BROKEN:
        assert host.shell(change).returncode == 0
        expected.add(finding)
        assert set(asked(host, sha256)) == expected, change
    host.program("curl", TOOLS["curl"])
    prepare: dict[str, Any] = {
        "install_root": "/opt/nexus",
        "data_dir": DATA,
        "heap_mb": 1000,
        "min_disk_mb": 1,
        "java_home": JAVA,
    }
    assert host.run("prepare", "update", **prepare, https_port=8443, open_firewall=True).returncode == 0
    passes(host, JAVA, sha256, "update")
    assert asked(host, sha256) == []
