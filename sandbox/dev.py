"""The dev stack: this repository's own program against a host of the sandbox, with everything filled in.

What ``Pulumi.dev.yaml`` leaves open (host, archive, certificate, secrets, ports) is made here and written to a
stack file of the sandbox's own; tracked files are only read.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from nexus_registry.providers.compat import LICENCE_SINCE, parse

from . import host
from .archive import VERSION, Archive, nexus_archive
from .docker import DockerClient
from .paths import PROJECT, WORK
from .pki import Authority, Issued
from .shell import free_port, progress
from .stack import Stack, default_engine, open_stack

ARCHIVE_ON_HOST = "/srv/nexus.tar.gz"
_SECRETS = ("admin_password", "keystore_password", "ci_password", "passphrase")
STEPS = (
    "nexus-prepare",
    "nexus-account",
    "nexus-archive",
    "nexus-keystore-file",
    "nexus-service",
    "registry-port",
)
"""The resources of the dev stack that are steps on the host."""
_PORTS = ("http_port", "https_port", "registry_https_port")


@dataclass(frozen=True)
class Dev:
    """A dev stack, its host and what was made for it.

    ``facts`` are the chosen ports and passwords, kept between runs in ``folder``.
    """

    folder: Path
    host: host.Host
    stack: Stack
    authority: Authority
    archive: Archive
    facts: dict[str, Any]

    @property
    def login_server(self) -> str:
        """``host:port`` for ``docker login``."""
        return f"localhost:{self.facts['registry_https_port']}"

    @property
    def url(self) -> str:
        """The address of Nexus."""
        return f"https://localhost:{self.facts['https_port']}"

    @contextmanager
    def docker(self) -> Iterator[DockerClient]:
        """A Docker client with a daemon of its own that trusts this registry, for as long as the block lasts."""
        client = DockerClient(self.folder / "docker").start()
        try:
            client.trust(self.login_server, self.authority.certificate_pem)
            yield client
        finally:
            client.stop()

    def settle(self, **settings: Any) -> set[str]:
        """One ``up`` with these settings: the names of the resources that it did anything to."""
        for key, value in settings.items():
            self.stack.set_config(key, value, secret=key == "user_passwords")
        done = self.stack.up()
        if not done.ok:
            raise AssertionError(done.error)
        return {urn.rpartition("::")[2] for operation, urn in done.steps if operation not in ("same", "read")}

    def certify(self, **options: Any) -> Issued:
        """Issue a new certificate for the host, and put it into the stack's configuration."""
        issued = self.authority.issue(["localhost", "127.0.0.1"], **options)
        self.stack.set_config("private_key", issued.private_key_pem, secret=True)
        self.stack.set_config("certificate", issued.certificate_pem)
        self.stack.set_config("chain", issued.chain_pem)
        return issued


def dev_stack(
    name: str = "nexus", *, engine: str | None = None, docker: bool = True, version: str = VERSION
) -> Dev:
    """Make what the dev stack needs, or take what is there: a host, the archive on it, the stack's configuration.

    Args:
        name: of the host; each has a stack of its own.
        engine: ``pulumi`` or ``sandbox``; what ``ENGINE`` says otherwise.
        docker: False leaves the docker-format stand-in out: then the real Jetty serves HTTPS.
        version: of Nexus; with ``NEXUS_ARCHIVE`` in the environment, that of the archive.
    """
    engine = engine or default_engine()
    folder = WORK / "dev" / f"{name}-{engine}"
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as both:
        made, packed = both.submit(host.up, name), both.submit(nexus_archive, version, docker)
        machine, archive = made.result(), packed.result()
    archive = _put_archive(machine, archive)
    facts = _facts(folder / "facts.json")
    with progress(f"writing the stack's configuration for the {engine} engine"):
        stack = open_stack(engine, program=PROJECT, name="dev", work=folder, passphrase=facts["passphrase"])
        dev = Dev(folder, machine, stack, Authority.kept(folder / "ca"), archive, facts)
        _configure(dev)
    return dev


@contextmanager
def passing_dev_stack(name: str, **given: Any) -> Iterator[Dev]:
    """A dev stack from nothing, as ``dev_stack`` makes it, with its host: both are gone when the block ends."""
    dev_down(name)
    try:
        yield dev_stack(name, **given)
    finally:
        dev_down(name)


def _facts(file: Path) -> dict[str, Any]:
    if not file.exists():
        made = {key: secrets.token_urlsafe(12) for key in _SECRETS} | {key: free_port() for key in _PORTS}
        file.touch(mode=0o600)
        file.write_text(json.dumps(made))
    facts: dict[str, Any] = json.loads(file.read_text())
    return facts


def dev_down(name: str = "nexus") -> None:
    """Remove the host and every stack that was made for it."""
    host.down(name)
    for folder in (WORK / "dev").glob(f"{name}-*"):
        shutil.rmtree(folder)


def _put_archive(machine: host.Host, archive: Archive) -> Archive:
    """The archive on the host; the one that is there stays, for Nexus may run from it."""
    there = machine.root / ARCHIVE_ON_HOST.lstrip("/")
    mark = there.with_suffix(".sha256")
    if not mark.exists():
        shutil.copyfile(archive.path, there)
        mark.write_text(archive.sha256)
    return replace(archive, path=there, sha256=mark.read_text())


def _configure(dev: Dev) -> None:
    stack, facts = dev.stack, dev.facts
    plain = yaml.safe_load((PROJECT / "Pulumi.dev.yaml").read_text())["config"]
    machine = {
        "ssh_host": dev.host.address,
        "ssh_port": dev.host.ssh_port,
        "ssh_host_key": dev.host.host_key,
        "hostname": "localhost",
        "version": dev.archive.version,
        "accept_eula": parse(dev.archive.version) >= LICENCE_SINCE,
        "archive_sha256": dev.archive.sha256,
        "archive_path": ARCHIVE_ON_HOST,
        "ca": dev.authority.certificate_pem,
        **{port: facts[port] for port in _PORTS},
    }
    for key, value in {**plain, **machine}.items():
        stack.set_config(key, value)
    stack.set_config("ssh_private_key", dev.host.private_key, secret=True)
    for key in ("admin_password", "keystore_password"):
        stack.set_config(key, facts[key], secret=True)
    stack.set_config("user_passwords", {"ci": facts["ci_password"]}, secret=True)
    if not (dev.folder / "certified").exists():
        dev.certify()
        (dev.folder / "certified").touch()
