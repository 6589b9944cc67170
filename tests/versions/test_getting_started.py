"""A person who follows docs/getting-started.md word for word reaches a push.

The commands of the page are run by a shell as they stand there. ``here`` lists what differs on this machine:
names, ports and values in the place of examples, and a locally made image in the place of one from Docker Hub.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import host as hosts
from sandbox.archive import nexus_archive
from sandbox.docker import DockerClient
from sandbox.paths import PROJECT
from sandbox.pki import Authority
from sandbox.shell import free_port

from ..lifecycle.conftest import NO_CLI
from .source import clone_source

PAGE = (PROJECT / "docs/getting-started.md").read_text()
PASSWORDS = {
    "keystore": "keystore's password",
    "admin": "admin'password",
    "ci": "ci password",
    "cluster": "cluster",
}
pytestmark = [pytest.mark.pulumi, NO_CLI, pytest.mark.xdist_group("getting-started")]


class Person:
    """Somebody with a home folder, who types what the page says."""

    def __init__(self, home: Path, here: dict[str, str], environment: dict[str, str]) -> None:
        self.folder, self.here = home, here
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
        cache = inherited.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
        self.environment = inherited | {"HOME": str(home), "XDG_CACHE_HOME": cache} | environment

    def types(self, text: str, *, password: str = "") -> str:
        """Run commands in the folder where the ones before ended; returns what they printed.

        With a password they run at a terminal, where it is typed; without, nothing asks a question.
        """
        for example, real in self.here.items():
            text = text.replace(example, real)
        assert not re.search(r"<[a-zA-Z]|example\.com|…", text), f"an example is left: {text}"
        where = self.folder.parent / "where"
        script = f"set -eu; cd {shlex.quote(str(self.folder))}\n{text}\npwd >{shlex.quote(str(where))}\n"
        command = ["bash", "-c", script]
        if password:
            command = ["script", "--quiet", "--return", "--command", shlex.join(command), "/dev/null"]
        done = subprocess.run(
            command, input=f"{password}\n", capture_output=True, text=True, check=False, env=self.environment,
            timeout=1800,
        )  # fmt: skip
        assert not done.returncode, f"{text}\n{done.stdout}{done.stderr}"
        self.folder = Path(where.read_text().strip())
        return done.stdout


@pytest.fixture
def host() -> Iterator[hosts.Host]:
    hosts.down("getting-started")
    yield hosts.up("getting-started")
    hosts.down("getting-started")


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[DockerClient]:
    client = DockerClient(tmp_path / "docker").start()
    yield client
    client.stop()


def test_person_who_follows_page_reaches_push(host: hosts.Host, docker: DockerClient, tmp_path: Path) -> None:
    archive, authority = nexus_archive(), Authority.create("Getting started")
    issued = authority.issue(["localhost", "127.0.0.1"])
    shutil.copyfile(archive.path, host.root / "srv/nexus.tar.gz")
    ports = {"http_port": free_port(), "https_port": free_port(), "registry_https_port": free_port()}
    server = f"localhost:{ports['registry_https_port']}"
    docker.trust(server, authority.certificate_pem)
    docker.make_image("hello-world")
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh/id_ed25519").write_text(host.private_key)
    files = {
        "registry.crt": issued.certificate_pem,
        "intermediates.crt": issued.chain_pem,
        "registry.key": issued.private_key_pem,
    }
    here = {
        "pulumi login --local": f"pulumi login file://{home}",  # Pulumi asks the system for ~, not HOME
        "<this repository>": str(clone_source(tmp_path)),
        "ssh-keyscan -t ed25519 registry.example.com": f"ssh-keyscan -p {host.ssh_port} -t ed25519 127.0.0.1",
        "ssh_host registry.example.com": "ssh_host 127.0.0.1",
        "registry.example.com:5000": server,
        "3.76.1-01": archive.version,
        "<SHA-256 of the archive, from the vendor>": archive.sha256,
        "<at least 6 characters>": shlex.quote(PASSWORDS["keystore"]),
        "<password of the account admin>": shlex.quote(PASSWORDS["admin"]),
        "<password of ci>": shlex.quote(PASSWORDS["ci"]),
        "<password of cluster>": shlex.quote(PASSWORDS["cluster"]),
        "docker pull hello-world": "docker image inspect hello-world",
        "pulumi up": "pulumi up --yes",
    }
    person = Person(
        home,
        here,
        {
            "PULUMI_CONFIG_PASSPHRASE": "correct horse",
            "PULUMI_HOME": str(home / ".pulumi"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "DOCKER_CONFIG": str(home / ".docker"),
            "DOCKER_HOST": docker.options()[-1],
        },
    )
    machine = "\n".join(
        [
            *(f"pulumi config set {key} {value}" for key, value in ports.items()),
            f"pulumi config set ssh_port {host.ssh_port}",
            "pulumi config set hostname localhost",
            "pulumi config set archive_path /srv/nexus.tar.gz",
            f"pulumi config set ca <<'END'\n{authority.certificate_pem}END",
        ]
    )
    said = ""
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S):
        if "pulumi preview" in block:
            person.types(machine)
        said = person.types(block, password=PASSWORDS["ci"] if "docker login" in block else "")
        if "git clone" in block:
            for name, text in files.items():
                (person.folder / name).write_text(text)
        if "ssh-keyscan" in block:
            shown = next(line for line in said.splitlines() if "ssh-ed25519" in line).partition(" ")[2]
            assert shown == " ".join(host.host_key.split()[:2])
            here["ssh-ed25519 AAAA…"] = shown
    assert "digest: sha256:" in said
    docker.empty_cache()
    docker.docker("pull", f"{server}/hello-world", config=docker.login(server, "cluster", PASSWORDS["cluster"]))
    assert "unchanged" in person.types("pulumi up --expect-no-changes")
