"""Real clients on repositories that Core itself has: curl and Ansible on raw, apt-get on apt, mvn on maven."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nexus_registry.providers.client import Connection
from nexus_registry.providers.repositories.apt import AptHostedRepository, AptProxyRepository
from nexus_registry.providers.repositories.maven import MavenHostedRepository
from nexus_registry.providers.repositories.raw import RawGroupRepository, RawHostedRepository

from sandbox.packages import ensure
from sandbox.tools import tool
from tests.contract.docker_api import named
from tests.contract.server import Nexus
from tests.contract.tracked import Tracked

pytestmark = pytest.mark.xdist_group("contract")


@pytest.fixture
def made(nexus: Nexus) -> Iterator[list[Tracked]]:
    """What a test makes, removed with its content in the opposite order."""
    some: list[Tracked] = []
    yield some
    for one in reversed(some):
        one.destroy()


def repository(nexus: Nexus, made: list[Tracked], cls: Any, **inputs: Any) -> str:
    """Make a repository; its address, with the login in it."""
    connection: Connection = {"url": nexus.url, "username": nexus.username, "password": nexus.password}
    one = Tracked(cls.provider_class(), connection)
    one.up(name=named("clients"), **inputs)
    made.append(one)
    return f"{nexus.url.replace('://', f'://{nexus.username}:{nexus.password}@')}/repository/{one.id}"


def run(*command: str | Path, cwd: Path | None = None, **variables: str) -> str:
    env = {**os.environ, **variables}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def test_curl_fetches_from_raw_and_through_a_group(nexus: Nexus, made: list[Tracked], tmp_path: Path) -> None:
    hosted = repository(nexus, made, RawHostedRepository, force_destroy=True)
    group = repository(nexus, made, RawGroupRepository, member_names=[made[0].id])
    (tmp_path / "file").write_text("some text\n")
    run("curl", "-fsS", "-T", tmp_path / "file", f"{hosted}/folder/file.txt")
    for address in (hosted, group):
        assert run("curl", "-fsS", f"{address}/folder/file.txt") == "some text\n"


def test_ansible_fetches_from_raw(nexus: Nexus, made: list[Tracked], tmp_path: Path) -> None:
    repository(nexus, made, RawHostedRepository, force_destroy=True)
    address = f"{nexus.url}/repository/{made[0].id}/folder/file.txt"
    content, target = "some text\n", tmp_path / "fetched"
    (tmp_path / "file").write_text(content)
    run("curl", "-fsS", "-u", f"{nexus.username}:{nexus.password}", "-T", tmp_path / "file", address)
    checksum = f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
    arguments = {
        "url": address,
        "dest": str(target),
        "url_username": nexus.username,
        "url_password": nexus.password,
        "force_basic_auth": True,
        "checksum": checksum,
    }
    command: list[str | Path] = [tool("ansible", "ansible"), "localhost", "-c", "local", "-i", "localhost,"]
    command += ["-e", f"ansible_python_interpreter={sys.executable}"]
    fetch = [*command, "-m", "ansible.builtin.get_url", "-a", json.dumps(arguments)]
    settings = {"ANSIBLE_HOME": str(tmp_path / "ansible"), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"}
    assert "CHANGED" in run(*fetch, cwd=tmp_path, **settings)
    assert target.read_text() == content
    assert "SUCCESS" in run(*fetch, cwd=tmp_path, **settings), "what is there by its checksum is not fetched"


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A signing key, secret in armor and public in a file."""
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", "--passphrase", ""]
    run(*gpg, "--quick-gen-key", "clients@example.invalid", "rsa2048")
    public = tmp_path / "public.asc"
    public.write_text(run(*gpg, "--export", "--armor"))
    yield run(*gpg, "--export-secret-keys", "--armor"), public
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=False)


def package(folder: Path) -> Path:
    """A Debian package of one file."""
    control = "Package: greeting\nVersion: 1.0\nArchitecture: all\nMaintainer: x <x@example.invalid>\n"
    (folder / "greeting/DEBIAN").mkdir(parents=True)
    (folder / "greeting/DEBIAN/control").write_text(f"{control}Description: a file\n")
    (folder / "greeting/usr/share/greeting").mkdir(parents=True)
    (folder / "greeting/usr/share/greeting/text").write_text("hello\n")
    run("dpkg-deb", "--root-owner-group", "--build", "greeting", cwd=folder)
    return folder / "greeting.deb"


def apt_get_installs(address: str, public: Path, root: Path) -> None:
    """Install the package from a repository into an empty root."""
    state = ("var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/log/apt", "var/lib/dpkg")
    for folder in ("etc/apt/preferences.d", *state):
        (root / folder).mkdir(parents=True)
    for folder in ("updates", "info"):
        (root / "var/lib/dpkg" / folder).mkdir()
    (root / "var/lib/dpkg/status").touch()
    (root / "etc/apt/sources.list").write_text(f"deb [signed-by={public}] {address} stable main\n")
    options = {
        "Dir": root,
        "Dir::State::status": root / "var/lib/dpkg/status",
        "DPkg::Options::": f"--root={root}",
        "APT::Sandbox::User": "root",
        "Acquire::AllowInsecureRepositories": "false",
    }
    apt = ["apt-get", "-q", "-y", *(part for key, value in options.items() for part in ("-o", f"{key}={value}"))]
    run(*apt, "update")
    run(*apt, "install", "greeting")
    assert (root / "usr/share/greeting/text").read_text() == "hello\n"


def test_apt_get_installs_signed_packages(
    nexus: Nexus, made: list[Tracked], tmp_path: Path, keys: tuple[str, Path]
) -> None:
    """From a hosted repository, and through a proxy in front of it."""
    secret, public = keys
    signing = {"signing_keypair": secret, "signing_passphrase": ""}
    hosted = repository(nexus, made, AptHostedRepository, distribution="stable", force_destroy=True, **signing)
    address, login = f"{nexus.url}/repository/{made[0].id}/", f"{nexus.username}:{nexus.password}"
    upload = ("-H", "Content-Type: multipart/form-data", "--data-binary", f"@{package(tmp_path)}")
    run("curl", "-fsS", "-u", login, *upload, address)
    account = {"authentication_username": nexus.username, "authentication_password": nexus.password}
    proxy = repository(
        nexus,
        made,
        AptProxyRepository,
        distribution="stable",
        remote_url=address,
        authentication_type="username",
        **account,
    )
    apt_get_installs(hosted, public, tmp_path / "hosted")
    apt_get_installs(proxy, public, tmp_path / "proxy")
    asked = run("curl", "-fsS", "-u", login, f"{nexus.url}/service/rest/v1/components?repository={made[1].id}")
    assert [one["name"] for one in json.loads(asked)["items"]] == ["greeting"]


def test_mvn_deploys_and_resolves(nexus: Nexus, made: list[Tracked], tmp_path: Path) -> None:
    ensure("maven", "default-jre-headless")
    repository(nexus, made, MavenHostedRepository, version_policy="RELEASE", force_destroy=True)
    (tmp_path / "greeting.jar").write_bytes(b"PK\x05\x06" + bytes(18))  # an archive of nothing
    server = f"<username>{nexus.username}</username><password>{nexus.password}</password>"
    (tmp_path / "settings.xml").write_text(
        f"<settings><servers><server><id>own</id>{server}</server></servers></settings>"
    )
    address, group = f"{nexus.url}/repository/{made[0].id}", f"invalid.example.{made[0].id}"
    maven = ["mvn", "-B", "-s", "settings.xml"]
    place = [f"-DgroupId={group}", "-DartifactId=greeting", "-Dversion=1.0", "-Dpackaging=jar"]
    deploy = ["deploy:deploy-file", "-Dfile=greeting.jar", f"-Durl={address}", "-DrepositoryId=own"]
    run(*maven, *deploy, *place, cwd=tmp_path)
    resolve = ["dependency:get", f"-Dartifact={group}:greeting:1.0", f"-DremoteRepositories=own::::{address}"]
    try:
        output = run(*maven, *resolve, "-Dtransitive=false", cwd=tmp_path)
    finally:
        shutil.rmtree(Path.home() / f".m2/repository/invalid/example/{made[0].id}", ignore_errors=True)
    assert re.search(r"Downloaded from own: .*/greeting/1.0/greeting-1.0.jar", output)
