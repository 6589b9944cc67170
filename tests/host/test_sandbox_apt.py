"""Packages: a host's apt goes where this machine's goes, and missing ones are installed without side effects."""

from __future__ import annotations

import io
import tarfile
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from sandbox import apt
from sandbox.paths import PROJECT
from sandbox.shell import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.host import Host

pytestmark = pytest.mark.nightly


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The /etc of a Debian 13 machine whose apt knows no source yet."""
    (tmp_path / "apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "os-release").write_text('NAME="Debian GNU/Linux"\nVERSION_CODENAME=trixie\n')
    monkeypatch.setattr(apt, "ETC", tmp_path)
    return tmp_path


def _found() -> list[tuple[str, str]]:
    lines = apt.sources().splitlines()
    values = {key: [line.split()[1] for line in lines if line.startswith(f"{key}:")] for key in ("URIs", "Suites")}
    return list(zip(values["URIs"], values["Suites"], strict=True))


def test_one_line_sources_are_read_for_release_of_host(
    etc: Path,
) -> None:
    (etc / "apt/sources.list").write_text(
        "# deb http://old.test/debian trixie main\n"
        "deb [arch=amd64 signed-by=/x.gpg] https://mirror.test/debian trixie main contrib\n"
        "deb-src https://mirror.test/debian trixie main\n"
        "deb https://mirror.test/security trixie-security main # fixes\n"
    )
    (etc / "apt/sources.list.d/other.list").write_text("deb https://other.test/apt trixie stable\n")
    assert _found() == [
        ("https://mirror.test/debian", "bookworm"),
        ("https://mirror.test/security", "bookworm-security"),
    ]


def test_deb822_sources_follow_mirror_lists(etc: Path) -> None:
    (etc / "mirrors").write_text("# ours\nhttp://one.test/debian priority:1\nhttp://two.test/debian\n")
    (etc / "apt/sources.list.d/debian.sources").write_text(
        f"Types: deb deb-src\nURIs: mirror+file://{etc}/mirrors\nSuites: trixie\n trixie-updates\n"
        "# a comment\nComponents: main\n\n"
        "Types: deb\nEnabled: no\nURIs: http://off.test/debian\nSuites: trixie\nComponents: main\n"
    )
    uris, suites = ("http://one.test/debian", "http://two.test/debian"), ("bookworm", "bookworm-updates")
    assert _found() == [(uri, suite) for suite in suites for uri in uris]


def test_machine_without_debian_mirror_fails(etc: Path) -> None:
    with pytest.raises(apt.NoMirror, match=r"no Debian mirror \(trixie, main\) in .*sources.list"):
        apt.sources()


def test_host_gets_logins_proxy_and_authorities(
    etc: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (etc / "apt/sources.list").write_text("deb https://mirror.test/debian trixie main\n")
    (etc / "apt/auth.conf").write_text("machine mirror.test login me password secret\n")
    (etc / "ssl/certs").mkdir(parents=True)
    (etc / "ssl/certs/ca-certificates.crt").write_text("the authorities")
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    root = tmp_path_factory.mktemp("root")
    for folder in ("sources.list.d", "apt.conf.d"):
        (root / "etc/apt" / folder).mkdir(parents=True)
    apt.configure(root)
    assert (root / "etc/apt/machine-ca.crt").read_text() == "the authorities"
    assert "password secret" in (root / "etc/apt/auth.conf").read_text()
    lines = (root / "etc/apt/apt.conf.d/90machine").read_text()
    assert 'Acquire::https::Proxy "http://proxy.test:3128";' in lines
    assert 'Acquire::https::CAInfo "/etc/apt/machine-ca.crt";' in lines


def test_installed_packages_start_no_service(fresh_host: Callable[[], Host]) -> None:
    made = fresh_host()
    made.ssh("apt-get -qq update && apt-get -qq install --yes --no-install-recommends python3", timeout=300)
    sources = io.BytesIO()
    with tarfile.open(fileobj=sources, mode="w") as archive:
        for module in ("__init__", "packages", "shell"):
            archive.add(PROJECT / f"sandbox/{module}.py", f"sandbox/{module}.py")
    made.ssh("base64 -d | tar -x -C /home/deploy", stdin=b64encode(sources.getvalue()).decode())
    ensure = (
        "cd /home/deploy && python3 -c \"from sandbox.packages import ensure; ensure('uuid-runtime', 'sudo')\""
    )

    with pytest.raises(CommandFailed, match="missing Debian packages: uuid-runtime; run this as root"):
        made.ssh(ensure, user="deploy")
    at_once = made.ssh(f"({ensure}) </dev/null & other=$!; ({ensure}) && wait $other").stderr
    assert at_once.count("installing uuid-runtime on this machine …") == 1, at_once
    assert made.ssh("systemctl is-active uuidd.socket", check=False).stdout.strip() == "inactive"
    assert not made.exists("/usr/sbin/policy-rc.d")
    assert made.ssh(ensure).stderr == "", "a second run has nothing to do"
