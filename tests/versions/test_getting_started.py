"""A person who follows docs/getting-started.md word for word reaches a push.

The commands of the page are run by a shell as they stand there, and print what the page shows. ``here`` lists what
differs on this machine: names, ports and values in the place of examples, and a locally made image in the place of
one from Docker Hub.
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
from nexus_registry.cli.init import QUESTIONS

from sandbox import host as hosts
from sandbox.archive import nexus_archive
from sandbox.docker import DockerClient
from sandbox.paths import PROJECT
from sandbox.pki import Authority
from sandbox.shell import free_port

from ..lifecycle.conftest import NO_CLI
from .source import clone_source

PAGE = (PROJECT / "docs/getting-started.md").read_text()
ASKED = re.compile(
    rf"^({'|'.join(re.escape(one.text) for one in QUESTIONS)}|Is it the same\?)( \[.*?\])?: ?", re.M
)
BY_HAND = ("### By hand", "## 3.", "## 4.", "## 5.")
"""Sections that ``init`` replaces. Of step 6, the page's other way follows what names the puller."""
PASSWORDS = {
    "keystore": "keystore's password",
    "admin": "admin'password",
    "ci": "ci password",
    "cluster": "cluster",
}
pytestmark = [pytest.mark.pulumi, NO_CLI, pytest.mark.xdist_group("getting-started")]


def steps(way: str) -> Iterator[tuple[str, str]]:
    """The blocks of commands of one way through the page, each with the text that they print, if it is shown."""
    for section in re.split(r"^(?=##)", PAGE, flags=re.M):
        if section.startswith(BY_HAND if way == "init" else "### By questions"):
            continue
        for commands, shown in re.findall(
            r"^```sh\n(.*?)^```(?:(?:(?!^```).)*^```text\n(.*?)^```)?", section, re.M | re.S
        ):
            if way == "init" and section.startswith("## 6."):
                commands = "\n".join(line for line in commands.splitlines() if "cluster" in line)
            yield commands, shown


class Person:
    """A person with a home folder, who types the commands of the page."""

    def __init__(self, home: Path, here: dict[str, str], environment: dict[str, str]) -> None:
        self.folder, self.here = home, here
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
        cache = inherited.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
        self.environment = inherited | {"HOME": str(home), "XDG_CACHE_HOME": cache} | environment

    def real(self, text: str) -> str:
        """The text with what is on this machine in the place of examples."""
        for example, real in self.here.items():
            text = text.replace(example, real)
        return text

    def sees(self, shown: str, printed: str) -> None:
        """Each line of the page is in what was printed, in this order; ``…`` stands for anything."""
        printed, place = " ".join(printed.split()), 0
        for line in shown.splitlines():
            asked = ASKED.match(line)
            words = " ".join((asked[0] if asked else self.real(line)).split())
            found = re.compile(".*?".join(map(re.escape, words.split("…")))).search(printed, place)
            assert found, f"{words!r} is not in {printed[place:]}"
            place = found.end()

    def types(self, text: str, *, answers: str = "") -> str:
        """Run commands in the folder where the ones before ended; returns what they printed.

        With answers they run at a terminal, where these are typed; without, nothing asks a question.
        """
        text = self.real(text)
        assert not re.search(r"<[a-zA-Z]|example\.com|…", text), f"an example is left: {text}"
        where = self.folder.parent / "where"
        script = f"set -eu; cd {shlex.quote(str(self.folder))}\n{text}\npwd >{shlex.quote(str(where))}\n"
        command = ["bash", "-c", script]
        if answers:
            command = ["script", "--quiet", "--return", "--command", shlex.join(command), "/dev/null"]
        done = subprocess.run(
            command, input=answers, capture_output=True, text=True, check=False, env=self.environment,
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


@pytest.mark.parametrize("way", ["hand", pytest.param("init", marks=pytest.mark.nightly)])
def test_person_who_follows_page_reaches_push(
    host: hosts.Host, docker: DockerClient, tmp_path: Path, way: str
) -> None:
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
        "registry.example.com ssh-ed25519": f"[127.0.0.1]:{host.ssh_port} ssh-ed25519",
        "nexus-registry init": f"nexus-registry init --ssh-port {host.ssh_port}",
        "registry.example.com:5000": server,
        "registry.example.com:8443": f"localhost:{ports['https_port']}",
        "registry.example.com": "127.0.0.1",
        "HTTP on 8081 and HTTPS on 8443": f"HTTP on {ports['http_port']} and HTTPS on {ports['https_port']}",
        "3.76.1-01": archive.version,
        "<SHA-256 of the archive, from the vendor>": archive.sha256,
        "4f2a…": archive.sha256,
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
    password = PASSWORDS["ci"]
    for block, shown in steps(way):
        if "pulumi preview" in block:
            person.types(machine)
        answers = [person.real(line[found.end() :]) for line in shown.splitlines() if (found := ASKED.match(line))]
        if "docker login" in block:
            answers = [password]
        said = person.types(block, answers="".join(f"{answer}\n" for answer in answers))
        person.sees(shown, said)
        if "git clone" in block:
            for name, text in files.items():
                (person.folder / name).write_text(text)
        if "ssh-keyscan" in block:
            key = next(line for line in said.splitlines() if "ssh-ed25519" in line).partition(" ")[2]
            assert key == " ".join(host.host_key.split()[:2])
            here["ssh-ed25519 AAAA…"] = key
        if "config get" in block:
            password = said.strip()
    docker.empty_cache()
    docker.docker("pull", f"{server}/hello-world", config=docker.login(server, "cluster", PASSWORDS["cluster"]))
    assert "unchanged" in person.types("pulumi up --expect-no-changes")
