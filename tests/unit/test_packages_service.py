"""Account to running unit on Ubuntu, Rocky, CentOS 7 and openSUSE: the commands that change something,
exact to the argument; a second pass issues none of them."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from nexus_registry.components.host import steps

from tests.unit.other_hosts import CENTOS, LEAP, ROCKY, UBUNTU, OtherHost, System
from tests.unit.steps_shell import parsed, run
from tests.unit.test_packages_other_hosts import ASKED, SELINUX

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "3.71.0-06"
LAUNCHER = f"/opt/nexus/nexus-{VERSION}/bin/nexus"
FINGERPRINT = "ab" * 32
SYSTEMD = """case "$1 $2 $3" in
    "--version "*) echo "systemd $(cat /systemd)" ;;
    "show -p ActiveState") echo "ActiveState=$(cat /active 2>/dev/null || echo inactive)" ;;
    "show -p LoadState") if [ -f /loaded ]; then echo LoadState=loaded; else echo LoadState=not-found; fi ;;
    "show -p NeedDaemonReload") echo NeedDaemonReload=no ;;
    "show -p MainPID") echo MainPID=42 ;;
    "show -p FragmentPath") [ ! -f /loaded ] || echo FragmentPath=/etc/systemd/system/nexus.service ;;
    "is-enabled "*) cat /enabled 2>/dev/null || exit 1 ;;
    "daemon-reload "*) touch /loaded ;;
    "-q enable "*) echo enabled >/enabled ;;
    "start "*) echo active >/active ;;
esac
"""
CHANGING = (
    "groupadd",
    "useradd",
    "systemctl -q",
    "systemctl daemon-reload",
    "systemctl start",
    "restorecon",
    "chcon",
)
TOOLS = {
    "getent": 'grep "^$2:" "/etc/$1" || exit 2\n',
    "groupadd": 'echo "nexus:x:990:" >>/etc/group\n',
    "useradd": 'echo "nexus:x:990:990::/var/lib/nexus:/bin/sh" >>/etc/passwd\n',
    "nologin": "",
    "systemctl": SYSTEMD,
    "curl": "case $* in *-K*) printf 204 ;; *) printf 200 ;; esac\n",
    "ss": "",
    "chcon": "",
    **{name: f'exec busybox {name} "$@"\n' for name in ("find", "tar", "gzip", "cmp")},
    "stat": 'case "$1 $2" in "-c %m") echo / ;; *) exec busybox stat "$@" ;; esac\n',
}
KEYTOOL = f'echo "Entry type: PrivateKeyEntry"; echo "SHA256: {FINGERPRINT}"\n'
FILES = {
    "bin/nexus": "#!/bin/sh\n",
    "etc/nexus-default.properties": "nexus-args=${jetty.etc}/jetty.xml,${jetty.etc}/jetty-https.xml\n",
    "etc/jetty/jetty-https.xml": '<Configure><New id="sslContextFactory" class="x">\n</New></Configure>\n',
}


def archive(host: OtherHost, more: Mapping[str, str] | None = None) -> str:
    """Put an archive of the right form on the host, with ``more`` in it; its checksum."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in {**FILES, **(more or {})}.items():
            info = tarfile.TarInfo(f"nexus-{VERSION}/{name}")
            info.size, info.mode = len(content), 0o755
            tar.addfile(info, io.BytesIO(content.encode()))
    host.write("dev/urandom", "random numbers of this host")
    (host.root / "nexus.tar.gz").write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def passes(host: OtherHost, java: str | None, sha256: str, verb: Any) -> list[str]:
    """Run the four steps after prepare; the calls that change something."""
    unit: dict[str, Any] = {"user": "nexus", "group": "nexus", "data_dir": "/var/lib/nexus"}
    where: dict[str, Any] = {"version": VERSION, "install_root": "/opt/nexus"}
    certificate: dict[str, Any] = {"fingerprint": FINGERPRINT, "java_home": java}
    secrets = {"KEYSTORE_BASE64": "UEsx", "KEYSTORE_PASSWORD": "s3cr3t-word"}
    numbers = {"http_port": 8081, "https_port": 8443, "heap_mb": 1000, "start_timeout": 30, "digest": "d"}
    passwords = {"ADMIN_PASSWORD": "pw-of-admin", "KEYSTORE_PASSWORD": "s3cr3t-word"}
    for done in (
        host.run("account", verb, **unit),
        host.run("archive", verb, **where, sha256=sha256, path="/nexus.tar.gz"),
        host.run("keystore", verb, secrets, **unit, **where, **certificate),
        host.run("service", verb, passwords, **unit, **where, **certificate, **numbers),
    ):
        assert done.returncode == 0, done.stdout + done.stderr
    return [call for call in host.calls() if call.startswith(CHANGING)]


@pytest.mark.parametrize(
    ("system", "systemd", "selinux", "java", "knows"),
    [
        (UBUNTU, "255 (255.4-1ubuntu8)", False, "/usr/lib/jvm/java-17-openjdk-amd64", "ProtectProc=invisible"),
        (ROCKY, "252 (252-32.el9_4)", True, "/usr/lib/jvm/jre-17-openjdk", "ProtectProc=invisible"),
        (CENTOS, "219", True, "/usr/lib/jvm/jre-1.8.0-openjdk", "ReadWriteDirectories=/var/lib/nexus"),
        (
            LEAP,
            "254 (254.10+suse.87.g1c0d1a9b5b)",
            False,
            "/usr/lib64/jvm/jre-17-openjdk",
            "ProtectProc=invisible",
        ),
    ],
    ids=["ubuntu", "rocky", "centos", "leap"],
)
def test_service_step_is_same_everywhere_and_idempotent(
    tmp_path: Path, system: System, systemd: str, selinux: bool, java: str, knows: str
) -> None:
    host = OtherHost(tmp_path, system, {**TOOLS, **(SELINUX if selinux else {})})
    host.write("systemd", systemd)
    said = "1.8.0_412" if "1.8" in java else "17.0.11"
    host.program("java", f"echo 'openjdk version \"{said}\"' >&2\n", folder=f"{java}/bin")
    host.program("keytool", KEYTOOL, folder=f"{java}/bin")
    labels = [f"restorecon -RF /opt/nexus/nexus-{VERSION}", f"chcon -t bin_t {LAUNCHER}"] if selinux else []
    sha256 = archive(host)
    assert passes(host, java, sha256, "create") == [
        "groupadd -r nexus",
        "useradd -r -M -g nexus -d /var/lib/nexus -s /bin/nologin nexus",
        *labels,
        "systemctl daemon-reload",
        "systemctl -q enable nexus.service",
        "systemctl start nexus.service",
    ]
    text = (host.root / "etc/systemd/system/nexus.service").read_text()
    assert f"{knows}\n" in text
    assert f"JAVA_HOME={java}\n" in text
    assert passes(host, java, sha256, "update") == []


JDK = f"/opt/nexus/nexus-{VERSION}/jdk/temurin_21.0.9/jdk-21.0.9+10"


@pytest.mark.parametrize("system", [UBUNTU, ROCKY], ids=["ubuntu", "rocky"])
def test_bundled_java_is_used_without_package(tmp_path: Path, system: System) -> None:
    host = OtherHost(tmp_path, system, TOOLS)
    host.write("systemd", "252")
    prepared = host.run("prepare", **ASKED)
    assert "no Java is installed: the archive brings its own\n" in prepared.stdout
    assert not [call for call in host.calls() if "java" in call or "jdk" in call]
    inside = JDK.removeprefix(f"/opt/nexus/nexus-{VERSION}/")
    java = {
        f"{inside}/bin/java": "#!/bin/sh\necho 'openjdk version \"21.0.9\"' >&2\n",
        f"{inside}/bin/keytool": f"#!/bin/sh\n{KEYTOOL}",
    }
    sha256 = archive(host, java)
    assert passes(host, None, sha256, "create")[-1] == "systemctl start nexus.service"
    assert "JAVA_HOME" not in (host.root / "etc/systemd/system/nexus.service").read_text()
    assert passes(host, None, sha256, "update") == []


@pytest.mark.parametrize(
    ("flags", "bundled", "java"),
    [("--java-home /opt/j", True, "/opt/j"), ("", True, "jdk/temurin/jdk-21"), ("", False, "/usr/lib/jvm/j")],
    ids=["java_home", "the archive's own", "found by prepare"],
)
def test_service_java_is_argument_bundled_or_found(
    shell: list[str], tmp_path: Path, flags: str, bundled: bool, java: str
) -> None:
    (tmp_path / "facts/nexus").mkdir(parents=True)
    (tmp_path / "facts/nexus/prepare.java-home").write_text("/usr/lib/jvm/j\n")
    if bundled:
        (tmp_path / "jdk/temurin/jdk-21/bin").mkdir(parents=True)
        (tmp_path / "jdk/temurin/jdk-21/bin/java").touch()
    body = f"FACTS_ROOT={tmp_path}/facts\n" + parsed(flags, f"service_java {tmp_path}")
    assert run(shell, body).strip() == str(tmp_path / java)


@pytest.mark.parametrize(
    ("mode", "user", "flags", "said"),
    [
        ({}, "2147483647", "", ""),
        ({}, "$(id -u)", "", " {root} {root}/jdk, and root runs {jdk}/bin/java."),
        ({"jdk/jdk-21/bin": 0o777}, "2147483647", "", "java: the user me can change {jdk}, and root"),
        ({"jdk/jdk-21/bin": 0o777}, "2147483647", " --java-home {root}/current", "both with -R for {jdk}"),
        ({"jdk": 0o777}, "2147483647", "", "java: the user me can change {root}/jdk, and root"),
        ({"jdk": 0o1777}, "2147483647", "", ""),
    ],
    ids=["root's", "the account's", "content for everyone", "by a link", "directory for everyone", "sticky"],
)
def test_java_that_the_service_could_change_is_refused(
    shell: list[str], tmp_path: Path, mode: dict[str, int], user: str, flags: str, said: str
) -> None:
    """Root runs it. That of a server that was set up by hand often belongs to the service's account."""
    root = tmp_path / "nexus-3.78.0-14"
    (root / "jdk/jdk-21/bin").mkdir(parents=True)
    (root / "jdk/jdk-21/bin/java").touch()
    for name, bits in mode.items():
        (root / name).chmod(bits)
    number = f'account_number() {{ [ "$1" = passwd ] && echo {user} || echo 2147483647; }}\n'
    (root / "current").symlink_to("jdk/jdk-21")
    arguments = "--user me" + flags.format(root=root)
    message = said.format(root=root, jdk=root / "jdk/jdk-21")
    answer = run(shell, number + parsed(arguments, f"root_java {root}"))
    assert message in answer if said else answer == str(root / "jdk/jdk-21")
    doctor = (Path(steps.__file__).parent / "doctor.sh").read_text()
    reported = run(shell, number + doctor + parsed(arguments, f'doctor_java {root}; printf "%s" "$java"'))
    assert message in reported if said else reported == str(root / "jdk/jdk-21")


@pytest.mark.parametrize("step", ["prepare", "doctor_prepare"])
@pytest.mark.parametrize("own", [True, False])
def test_prepare_runs_no_java_of_the_service(shell: list[str], tmp_path: Path, own: bool, step: str) -> None:
    java = tmp_path / "java/bin/java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\necho 'openjdk version \"17.0.1\"'\n")
    java.chmod(0o755)
    number = f'account_number() {{ [ "$1" = passwd ] && echo {"$(id -u)" if own else 7} || echo 2147483647; }}\n'
    doctor = (Path(steps.__file__).parent / "doctor.sh").read_text() if step == "doctor_prepare" else ""
    body = f"""{number}{doctor}arg_java_home={tmp_path}/java arg_java_major=17
arg_user=me arg_group=me arg_open_firewall=
selinux_active() {{ false; }}
{"check_java_home" if step == "prepare" else step}
"""
    said = run(shell, body, step="prepare")
    assert ("java: the user me can change" in said) == own, said
    assert (tmp_path / "ran").exists() != own


def test_no_step_writes_where_file_system_is_not_mounted(tmp_path: Path) -> None:
    host = OtherHost(tmp_path, UBUNTU, TOOLS)
    for name, text in {"service.data-dir": "/srv/nexus", "service.mount": "/srv"}.items():
        host.write(f"var/lib/nexus-registry/nexus/{name}", f"{text}\n")
    host.write("proc/self/mountinfo", "1 2 3:4 / / rw - ext4 /dev/x rw\n")
    unit: dict[str, Any] = {"user": "nexus", "group": "nexus", "data_dir": "/srv/nexus"}
    where: dict[str, Any] = {"version": VERSION, "install_root": "/opt/nexus", "fingerprint": FINGERPRINT}
    secrets = {"KEYSTORE_BASE64": "UEsx", "KEYSTORE_PASSWORD": "s3cr3t-word"}
    for done in (host.run("account", **unit), host.run("keystore", "create", secrets, **unit, **where)):
        assert done.returncode == 1
        assert "data_dir: the file system at /srv is not mounted" in done.stderr
    assert not (host.root / "srv").exists()
