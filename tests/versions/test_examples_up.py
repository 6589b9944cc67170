"""The examples that install a server, on a bare host: the ``up``, and a push and a pull by the real docker.

Only what names a place is another one than in the example: ports, the version, the archive and the names.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox import host as hosts
from sandbox.archive import nexus_archive
from sandbox.dev import ARCHIVE_ON_HOST
from sandbox.docker import DockerClient
from sandbox.host import Host
from sandbox.packages import ensure
from sandbox.pki import Authority, Issued
from sandbox.process import Process
from sandbox.shell import free_port
from sandbox.stack import Stack, open_stack
from tests.unit.test_examples import EXAMPLES

pytestmark = pytest.mark.xdist_group("examples")

PASSWORD = "ci-canary-1"
NGINX = """
user root;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  ssl_certificate {folder}/cert.pem;
  ssl_certificate_key {folder}/key.pem;
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-Proto $scheme;
  server {{ listen 127.0.0.1:{ui} ssl; location /nexus/ {{ proxy_pass http://127.0.0.1:{http}; }} }}
  server {{ listen 127.0.0.1:{images} ssl; location / {{ proxy_pass http://127.0.0.1:{connector}; }} }}
}}
"""
"""As the example's docstring describes the proxy, which it does not set up."""


@contextmanager
def nginx(folder: Path, issued: Issued, ports: dict[str, int]) -> Iterator[None]:
    ensure("nginx-light")
    folder.mkdir()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, **ports))
    (folder / "cert.pem").write_text(issued.certificate_pem)
    (folder / "key.pem").write_text(issued.private_key_pem)
    command: list[str | Path] = ["nginx", "-c", folder / "nginx.conf", "-g", "daemon off;"]
    process = Process.start(command, record=folder / "process", log=folder / "log")
    try:
        yield
    finally:
        process.end()


@dataclass
class Example:
    """An example on a bare host of its own."""

    name: str
    folder: Path
    host: Host
    docker: DockerClient
    authority: Authority = field(default_factory=lambda: Authority.create("Examples"))
    ports: dict[str, int] = field(
        default_factory=lambda: {one: free_port() for one in ("http", "https", "connector", "ui", "images")}
    )

    def stack(self, **edits: str) -> Stack:
        """A stack of it, its secrets set; ``edits`` are further texts of the program by what they replace."""
        archive = nexus_archive()
        shutil.copyfile(archive.path, self.host.root / ARCHIVE_ON_HOST.lstrip("/"))
        shutil.copytree(EXAMPLES / self.name, program := self.folder / "program")
        (program / ".venv").symlink_to(sys.prefix)
        place = {"archive_path": ARCHIVE_ON_HOST, "version": archive.version, "heap_mb": 800}
        place |= {"http_port": self.ports["http"], "https_port": self.ports["https"]}
        arguments = ", ".join(f"{key}={value!r}" for key, value in place.items())
        edits = {'version="3.76.1-01"': arguments, "host=host,": f"host=host, port={self.host.ssh_port},", **edits}
        main = program / "__main__.py"
        text = main.read_text()
        for before, after in edits.items():
            assert before in text, before
            text = text.replace(before, after)
        main.write_text(text)
        stack = open_stack(program=program, name="dev", work=self.folder / "work", passphrase="right")
        plain = {"host": "localhost", "ssh_host_key": self.host.host_key, "archive_sha256": archive.sha256}
        for key, value in {**plain, "nexus-registry:ca": self.authority.certificate_pem}.items():
            stack.set_config(key, value)
        stack.set_config("ssh_private_key", self.host.private_key, secret=True)
        for key in ("admin", "keystore"):
            stack.set_config(f"{key}_password", f"{key}-canary-1", secret=True)
        stack.set_config("ci_password", PASSWORD, secret=True)
        return stack

    def becomes_registry(self, stack: Stack, address: str, ca: str = "") -> None:
        """An ``up``, a push and a pull at this address, and another ``up``, which has nothing to do."""
        done = stack.up()
        assert done.ok, f"{done.error}\n{done.stdout[-3000:]}"
        assert stack.outputs()["login_server"] == address
        self.docker.trust(address, ca or self.authority.certificate_pem)
        image = self.docker.make_image(f"{address}/hello:1")
        config = self.docker.login(address, "ci", PASSWORD)
        self.docker.docker("push", f"{address}/hello:1", config=config)
        self.docker.empty_cache()
        self.docker.docker("pull", f"{address}/hello:1", config=config)
        shown = self.docker.docker("image", "inspect", "--format", "{{.Id}}", f"{address}/hello:1").stdout
        assert shown.strip() == image
        again = stack.up(expect_no_changes=True)
        assert again.ok, again.error


@pytest.fixture
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Example]:
    hosts.down("examples")
    docker = DockerClient(tmp_path / "docker").start()
    yield Example(request.param, tmp_path, hosts.up("examples"), docker)
    docker.stop()
    hosts.down("examples")


@pytest.mark.parametrize("example", ["reverse-proxy"], indirect=True)
def test_docker_reaches_registry_through_reverse_proxy_alone(example: Example) -> None:
    issued = example.authority.issue(["localhost"])
    ui, images, connector = (example.ports[one] for one in ("ui", "images", "connector"))
    stack = example.stack(
        **{
            'url=f"https://{host}/nexus"': f'url=f"https://{{host}}:{ui}/nexus"',
            'login_server=f"images.{host}"': f'login_server=f"{{host}}:{images}"',
            "http_port=5000,": f"http_port={connector},",
        }
    )
    stack.set_config("certificate", issued.certificate_pem)
    stack.set_config("private_key", issued.private_key_pem, secret=True)
    with nginx(example.folder / "nginx", issued, example.ports):
        example.becomes_registry(stack, f"localhost:{images}")
    for port in ("http", "https", "connector"):
        listening = example.host.ssh(f"ss -Hltn 'sport = :{example.ports[port]}'").stdout.split()
        assert listening[3].rpartition(":")[0] in ("127.0.0.1", "[::ffff:127.0.0.1]"), port


@pytest.mark.parametrize("example", ["issued-certificate"], indirect=True)
def test_docker_reaches_registry_at_443_with_issued_certificate(example: Example) -> None:
    stack = example.stack()
    stack.set_config("nexus-registry:ca", "")
    done = stack.up()
    assert done.ok, f"{done.error}\n{done.stdout[-3000:]}"
    (issued,) = (one for one in stack.export()["resources"] if one["urn"].endswith("::certificate"))
    example.becomes_registry(stack, "localhost", issued["outputs"]["certificate"])


@pytest.mark.parametrize("example", ["certificate-on-host"], indirect=True)
def test_docker_reaches_registry_with_certificate_on_host(example: Example) -> None:
    issued = example.authority.issue(["localhost"], intermediate=True)
    folder = example.host.root / "etc/letsencrypt/live/localhost"
    folder.mkdir(parents=True)
    (folder / "fullchain.pem").write_text(issued.certificate_pem + issued.chain_pem)
    (folder / "privkey.pem").touch(mode=0o600)
    (folder / "privkey.pem").write_text(issued.private_key_pem)
    port = example.ports["connector"]
    stack = example.stack(**{"https_port=5000,": f"https_port={port},"})
    example.becomes_registry(stack, f"localhost:{port}")
    assert issued.private_key_pem.splitlines()[1] not in str(stack.export())
