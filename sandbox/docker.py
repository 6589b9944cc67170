"""A Docker client: the real ``docker`` with a daemon of its own, which needs no containers and no network."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from sandbox import cgroup
from sandbox.packages import ensure
from sandbox.paths import WORK
from sandbox.process import Process
from sandbox.shell import locked, progress, run

# In a mount namespace of its own the daemon sees another /etc/docker and another /etc/hosts: nothing of this
# machine's is read or changed. Docker checks no certificate of a registry whose name leads to 127.0.0.0/8;
# there "localhost" is 0.0.0.0, where the same servers answer, so that certificates count here as elsewhere.
_LAUNCH = """
mount --bind "$1/etc" /etc/docker && mount --bind "$1/hosts" /etc/hosts && shift && exec dockerd "$@"
"""


class DockerClient:
    """The Docker command line and a daemon of its own; registries are addressed as ``localhost:<port>``.

    ``folder`` keeps its images, trusted authorities and logins. Several may run side by side.
    """

    def __init__(self, folder: Path = WORK / "docker") -> None:
        self.folder = folder
        self._key = f"docker-{sha256(str(folder).encode()).hexdigest()[:8]}"
        self._run = Path("/run/nexus-sandbox") / self._key  # short: a socket's path has 107 characters at most

    @property
    def running(self) -> bool:
        """Whether the daemon runs."""
        process = Process.recorded(self.folder / "process")
        return process is not None and process.alive

    def start(self) -> DockerClient:
        """Start the daemon and wait until it answers; nothing if it runs. Installs Docker if it is missing.

        Raises ``TimeoutError`` with the end of the daemon's log when it doesn't answer within 10 minutes.
        """
        if os.geteuid() != 0:
            raise PermissionError("the sandbox's Docker daemon needs root")
        _ensure_docker()
        with locked(self._lock), progress("starting a Docker daemon"):
            if not self.running:
                self._start()
            self._wait_until_it_answers()
        return self

    def stop(self) -> None:
        """End the daemon and remove everything of it: images, logins, trusted authorities."""
        if process := Process.recorded(self.folder / "process"):
            process.end(timeout=30)
        cgroup.remove(self._key)
        for folder in (self.folder, self._run):
            if folder.exists():
                shutil.rmtree(folder)
        with suppress(OSError):  # not there, or another daemon's
            self._run.parent.rmdir()

    def docker(
        self, *arguments: str, config: Path | None = None, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run ``docker`` with these arguments, logged in as ``config`` says (``login`` returns one) or not at all.

        Raises ``CommandFailed`` with Docker's own words unless ``check`` is off.
        """
        return run(["docker", *self.options(config), *arguments], stdin=stdin, check=check, env=_environment())

    def options(self, config: Path | None = None) -> list[str]:
        """The options that point any ``docker`` at this daemon, as the user of ``config`` or as nobody."""
        config = config or self.folder / "logins/nobody"
        config.mkdir(parents=True, exist_ok=True)
        return ["--config", str(config), "--host", f"unix://{self._socket}"]

    def trust(self, registry: str, ca_pem: str) -> None:
        """Trust the certificates that an authority gave a registry (``host:port``), as on any Docker host:
        by ``/etc/docker/certs.d/<host:port>/ca.crt``, which here only this daemon sees.
        """
        folder = self.folder / "etc/certs.d" / registry
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ca.crt").write_text(ca_pem)

    def login(self, registry: str, user: str, password: str) -> Path:
        """Log in to a registry; returns the configuration that ``docker(config=…)`` takes to act as that user.

        Raises ``CommandFailed`` with the registry's refusal, after one attempt.
        """
        config = self.folder / "logins" / sha256(f"{user}@{registry}".encode()).hexdigest()[:16]
        config.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.docker("login", "--username", user, "--password-stdin", registry, config=config, stdin=password)
        return config

    def make_image(self, tag: str) -> str:
        """Make an image of one small file out of nothing; returns its id."""
        text, layer = b"Hello from the sandbox!\n", io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as archive:
            entry = tarfile.TarInfo("hello.txt")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
        file = self.folder / "layer.tar"
        file.write_bytes(layer.getvalue())
        return self.docker("import", str(file), tag).stdout.strip()

    def pull_anew(self, image: str) -> None:
        """Pull without a login and with no image in the cache, so that all of it has to be fetched."""
        self.empty_cache()
        self.docker("pull", image)

    def empty_cache(self) -> None:
        """Remove all images, so that the next pull has to fetch."""
        images = self.docker("image", "ls", "--all", "--quiet", "--no-trunc").stdout.split()
        if images:
            self.docker("image", "rm", "--force", *dict.fromkeys(images))

    @property
    def _lock(self) -> Path:
        return self.folder.with_suffix(".lock")

    @property
    def _socket(self) -> Path:
        return self._run / "docker.sock"

    def _start(self) -> None:
        cgroup.remove(self._key)  # what a killed daemon left running
        if self._run.exists():
            shutil.rmtree(self._run)
        for folder in (self._run, self.folder / "etc", self.folder / "data", Path("/etc/docker")):
            folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "hosts").write_text("0.0.0.0 localhost\n")
        (self.folder / "dockerd.log").unlink(missing_ok=True)
        flags = ["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"]
        flags += [f"--data-root={self.folder / 'data'}", f"--exec-root={self._run / 'exec'}"]
        flags += [f"--pidfile={self._run / 'docker.pid'}", f"--host=unix://{self._socket}", "--group=root"]
        Process.start(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", _LAUNCH, "sh", self.folder, *flags],
            record=self.folder / "process",
            log=self.folder / "dockerd.log",
            groups=cgroup.make(self._key),
            env=_environment(),
        )

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 600
        while self.running and time.monotonic() < deadline:
            if self.docker("version", check=False).returncode == 0:
                return
            time.sleep(0.1)
        log = (self.folder / "dockerd.log").read_text(errors="replace").splitlines()[-15:]
        raise TimeoutError("\n".join(["the Docker daemon does not answer; the end of its log:", *log]))


def _environment() -> dict[str, str]:
    """This environment without what would point docker elsewhere or send it through a proxy."""
    return {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("DOCKER_") and not key.lower().endswith("_proxy")
    }


def _ensure_docker() -> None:
    if not shutil.which("dockerd"):
        ensure("docker.io")
    if not shutil.which("docker"):
        ensure("docker-cli")  # a package of its own from Debian 13 on
