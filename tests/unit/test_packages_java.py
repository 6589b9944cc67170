"""Which Java prepare takes: that of java_package, and none that the service's account can change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.other_hosts import ROCKY, UBUNTU, OtherHost, System
from tests.unit.test_packages_other_hosts import ASKED


@pytest.mark.parametrize(
    ("system", "manager", "option"),
    [(ROCKY, "rpm", "-ql"), (UBUNTU, "dpkg-query", "-L")],
    ids=["rocky", "ubuntu"],
)
@pytest.mark.parametrize(
    ("files", "home"),
    [
        ("/usr/lib/jvm/temurin/bin/java", "/usr/lib/jvm/temurin"),
        ("/opt/jvm/temurin/bin/java", "/opt/jvm/temurin"),
        ("/usr/lib/jvm/temurin-17.0.11/bin/java", "/usr/lib/jvm/temurin"),
        ("/usr/share/doc/temurin", ""),
    ],
    ids=["beside", "elsewhere", "with a link that updates keep", "of dependencies"],
)
def test_java_package_is_used_beside_another_java(
    tmp_path: Path, system: System, manager: str, option: str, files: str, home: str
) -> None:
    host = OtherHost(tmp_path, system, {"find": 'exec busybox find "$@"\n'})
    first = host.run("prepare", **ASKED, java_major=17)
    host.package("temurin-17-jre", files.removesuffix("/bin/java") if home else "temurin")
    if "17.0.11" in files:
        (host.root / home.lstrip("/")).symlink_to("temurin-17.0.11")
    listed = f"case $1 in {option}) echo /usr; echo {files}; exit ;; esac\n"
    host.program(manager, listed + system.managers[manager])
    for verb in ("update", "update"):
        host.calls()
        done = host.run("prepare", verb, **ASKED, java_major=17, java_package="temurin-17-jre")
        assert done.returncode == 0, done.stderr
        assert (home or first.stdout.partition("Java 17 is at ")[2].split()[0]) in done.stdout
        assert ("temurin-17-jre contains no Java 17 of its own that root may run" in done.stdout) is not bool(home)
    assert not [call for call in host.calls() if " install" in call]


@pytest.mark.parametrize(("package", "other"), [("", False), ("temurin-17-jre", False), ("temurin-17-jre", True)])
def test_java_that_account_can_change_is_named(tmp_path: Path, package: str, other: bool) -> None:
    host = OtherHost(tmp_path, UBUNTU, {"find": 'exec busybox find "$@"\n'})
    if other:
        assert host.run("prepare", **ASKED, java_major=17).returncode == 0
    host.package("temurin-17-jre", "/opt/jvm/temurin")
    listed = "case $1 in -L) echo /opt/jvm/temurin/bin/java; exit ;; esac\n"
    host.program("dpkg-query", listed + UBUNTU.managers["dpkg-query"])
    asked = {**ASKED, "user": "nexus", "java_major": 17, "java_package": package}
    first = host.run("prepare", **asked)
    opened = "/opt/jvm" if package else "/usr/lib/jvm"
    assert (first.returncode, f"is at {opened}/" in first.stdout) == (0, True), first
    (host.root / opened.lstrip("/")).chmod(0o777)
    if package and not other:
        host.program("java", "exit 1\n", folder="/usr/lib/jvm/byhand-8/bin")
        (host.root / "usr/lib/jvm/byhand-8").chmod(0o777)
    host.calls()
    done = host.run("prepare", "update", **asked)
    assert not package or not [call for call in host.calls() if " install" in call]
    assert done.returncode == (0 if other else 1), done.stdout
    assert f"java: the user nexus can change {opened}" in (done.stdout if other else done.stderr)
    assert ("so another one is used" in done.stdout) is other


def test_java_that_service_account_can_change_is_not_run(tmp_path: Path) -> None:
    host = OtherHost(tmp_path, UBUNTU, {"find": 'exec busybox find "$@"\n'})
    java = "usr/lib/jvm/java-17-openjdk-a/bin/java"
    host.write(java, "#!/bin/sh\ntouch /ran\necho 'openjdk version \"17.0.11\"' >&2\n")
    for mode, ran in ((0o777, False), (0o755, True)):
        (host.root / java).chmod(mode)
        done = host.run("prepare", **ASKED, java_major=17, user="nexus", group="nexus")
        assert done.returncode == 0, done.stderr
        assert (host.root / "ran").exists() is ran
        assert ("Java 17 is at /usr/lib/jvm/java-17-openjdk-a\n" in done.stdout) is ran
