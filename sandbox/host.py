"""A Linux host to try things on: a real systemd machine with sshd, on this machine's own network."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from shlex import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sandbox import cgroup, rootfs
from sandbox.packages import ensure
from sandbox.paths import WORK
from sandbox.process import Process
from sandbox.shell import free_port, is_free, locked, progress, run

USERS = ("root", "deploy", "limited")
"""Who may log in with the host's key: root, one with sudo, one whose sudo asks for a password."""

_HOSTS = WORK / "hosts"
_SHUTDOWN = 330.0
"""Seconds: a Nexus that is stopped while it starts may take the 300 s of its unit."""
_PROPAGATE = Path("/run/systemd/nspawn/propagate")
_CONNECTION = "/run/nexus-registry-%C"
"""The socket of a shared connection (ssh_config's ControlPath), which a host's folder would make too long."""


@dataclass(frozen=True)
class Host:
    """A sandbox host: where it is and how to log in to it.

    ``private_key`` is an OpenSSH PEM for each of ``USERS``; ``host_key`` is what sshd shows, in the form of an
    authorized_keys line. Everything a host listens on is on this machine's own addresses.
    """

    name: str
    root: Path
    ssh_port: int
    private_key: str = field(repr=False)
    host_key: str
    address: str = "127.0.0.1"

    @property
    def folder(self) -> Path:
        """Where the host's record, keys and console log are."""
        return _HOSTS / self.name

    @property
    def leader(self) -> int | None:
        """Process id of the host's init on this machine; None when the host is stopped."""
        process = self._process
        return process.child if process and process.alive else None

    @property
    def running(self) -> bool:
        """Whether the host is switched on."""
        process = self._process
        return process is not None and process.alive

    def ssh(
        self,
        command: str,
        *,
        user: str = "root",
        stdin: str | None = None,
        check: bool = True,
        timeout: float = 600,
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command on the host as one of ``USERS`` and return what it printed.

        Raises ``CommandFailed`` when it ends with another status than 0, unless ``check`` is off; ssh itself
        ends with 255. root's commands share one connection, the others have one each: what may change between two
        of theirs (the login shell, groups) is read at login.
        """
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": "10",
            "ControlMaster": "auto" if user == "root" else "no",
            "ControlPath": _CONNECTION if user == "root" else "none",
            "ControlPersist": "30",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "IdentityFile": self.folder / "id_ed25519",
            "LogLevel": "ERROR",
            "Port": self.ssh_port,
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self.folder / "known_hosts",
        }
        given = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        login = ["ssh", "-F", "/dev/null", *given, f"{user}@{self.address}"]
        return run([*login, command], stdin=stdin, check=check, timeout=timeout)

    def read(self, path: str) -> str:
        """The text of a file on the host."""
        return self.ssh(f"cat -- {quote(path)}").stdout

    def exists(self, path: str) -> bool:
        """Whether there is a file, folder or link of this name on the host."""
        return self.ssh(f"test -e {quote(path)} || test -L {quote(path)}", check=False).returncode == 0

    def start(self) -> Host:
        """Switch the host on and wait until its systemd has started everything; nothing if it is on.

        Returns the host, with another ``ssh_port`` if a program took the old one meanwhile. Raises
        ``TimeoutError`` with the end of the console when it doesn't come up within 10 minutes.
        """
        host = self
        if not host.running:
            _clear(host.name)
            host = host._on_a_free_port()
            for folder in (_PROPAGATE, host.folder):
                folder.mkdir(parents=True, exist_ok=True)
            (host.folder / "console.log").unlink(missing_ok=True)
            options = ["--register=no", "--keep-unit", "--boot", "--console=pipe"]
            options += [f"--machine={_machine(host.name)}", f"--directory={host.root}"]
            Process.start(
                ["systemd-nspawn", *options],
                record=host.folder / "process",
                log=host.folder / "console.log",
                groups=cgroup.make(_machine(host.name)),
            )
        host._wait_until_started()
        return host

    def stop(self) -> None:
        """Shut the host down as its power switch would; services have the time that they ask for."""
        if process := self._process:
            process.end(timeout=_SHUTDOWN)
        rootfs.keep_packages(self.root)
        _clear(self.name)

    def reboot(self) -> Host:
        """Restart the host, as ``systemctl reboot`` on it does, and wait until it has started everything."""
        process = self._process
        self.ssh("systemctl reboot", check=False)
        if process and not process.wait(_SHUTDOWN):
            raise TimeoutError(f"host {self.name} did not shut down within {_SHUTDOWN:g} s")
        return self.start()

    def destroy(self) -> None:
        """Remove the host with everything on it, as if the power were cut."""
        if process := self._process:
            process.end(first=signal.SIGKILL)
        _clear(self.name)
        if self.root.exists():
            rootfs.keep_packages(self.root)
        (self.folder / "host.json").unlink(missing_ok=True)  # first: an incomplete host does not count as one
        _remove(self.folder)

    @property
    def _process(self) -> Process | None:
        return Process.recorded(self.folder / "process")

    def _on_a_free_port(self) -> Host:
        host = self if is_free(self.ssh_port) else replace(self, ssh_port=free_port())
        (host.root / "etc/ssh/sshd_config.d/10-sandbox.conf").write_text(
            f"Port {host.ssh_port}\nListenAddress {host.address}\nHostKey /etc/ssh/ssh_host_ed25519_key\n"
        )
        known = f"[{host.address}]:{host.ssh_port} {host.host_key}\n"
        (host.folder / "known_hosts").write_text(known)
        host._record()
        return host

    def _record(self) -> None:
        """Write the record, which means that the host's file system is complete."""
        record = self.folder / "host.json"
        part = record.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_text(json.dumps(asdict(self) | {"root": str(self.root)}, indent=2) + "\n")
        part.rename(record)

    def _wait_until_started(self) -> None:
        deadline = time.monotonic() + 600
        state = "no answer"
        while self.running and time.monotonic() < deadline:
            shown = self.ssh("systemctl is-system-running", check=False, timeout=30)
            state = shown.stdout.strip() or shown.stderr.strip()
            if state == "degraded":
                failed = self.ssh("systemctl --failed --plain --no-legend").stdout.strip()
                print(f"  host {self.name} runs, but some of its units failed:\n{failed}", file=sys.stderr)
            if state in ("running", "degraded"):
                return
            time.sleep(0.1)
        console = (self.folder / "console.log").read_text(errors="replace").splitlines()[-20:]
        raise TimeoutError("\n".join([f"host {self.name} did not start: {state}; its console:", *console]))


def up(name: str = "nexus") -> Host:
    """The host of this name, switched on: a new bare Debian 12, or the one that is there.

    Needs root. Takes a minute for the first host on this machine, some seconds for the next one.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
        raise ValueError(f"host name {name!r}: use small letters, digits and hyphens, 31 at most")
    if os.geteuid() != 0:
        raise PermissionError("a sandbox host needs root: it is a container with a systemd of its own")
    ensure("systemd-container", "openssh-client")
    with locked(_HOSTS / f"{name}.lock"):
        _write_users(name, {*users(name), Process.current()})
        host = find(name) or _create(name)
        if host.running:
            try:
                return host.start()
            except TimeoutError as problem:
                print(f"  {problem}\n  starting it again", file=sys.stderr)
                host.stop()
        with progress(f"starting host {name}"):
            return host.start()


def find(name: str) -> Host | None:
    """The host of this name, on or off; None when there is none."""
    try:
        kept = json.loads((_HOSTS / name / "host.json").read_text())
    except FileNotFoundError:
        return None
    return Host(**kept | {"root": Path(kept["root"])})


def names() -> list[str]:
    """The names of all hosts, half-made ones included."""
    return sorted(folder.name for folder in _HOSTS.glob("*") if folder.is_dir())


def users(name: str) -> set[Process]:
    """The running processes that called ``up`` for this host, such as test sessions."""
    try:
        lines = (_HOSTS / f"{name}.users").read_text().splitlines()
    except FileNotFoundError:
        return set()
    recorded = {Process(*map(int, line.split())) for line in lines}
    return {process for process in recorded if process.alive}


def down(name: str = "nexus", *, if_unused: bool = False) -> bool:
    """Remove the host of this name and every trace of it; nothing when there is none.

    With ``if_unused`` it stays while another running process uses it. Returns whether it is gone.
    """
    lock = _HOSTS / f"{name}.lock"
    if not lock.exists() and not (_HOSTS / name).exists():
        return True
    with locked(lock):
        if if_unused and users(name) - {Process.current()}:
            return False
        if host := find(name):
            host.destroy()
        _clear(name)
        _remove(_HOSTS / name)
        _write_users(name, set())
    return True


def _write_users(name: str, processes: set[Process]) -> None:
    file = _HOSTS / f"{name}.users"
    file.write_text("".join(f"{one.pid} {one.started}\n" for one in processes))
    if not processes:
        file.unlink()


def _create(name: str) -> Host:
    """Make a host that is off."""
    folder = _HOSTS / name
    _clear(name)  # remains of an interrupted run, here and in the next line
    _remove(folder)
    root = folder / "root"
    rootfs.unpack(root)
    host_key = Ed25519PrivateKey.generate()
    user_key = Ed25519PrivateKey.generate()
    _write(root / "etc/ssh/ssh_host_ed25519_key", _private(host_key), mode=0o600)
    _write(folder / "id_ed25519", _private(user_key), mode=0o600)
    for user in USERS:
        home = root / ("root" if user == "root" else f"home/{user}")
        owner = home.stat()
        (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
        _write(home / ".ssh/authorized_keys", _public(user_key) + "\n", mode=0o600)
        for made in (home / ".ssh", home / ".ssh/authorized_keys"):
            os.chown(made, owner.st_uid, owner.st_gid)
    _write(root / "etc/hostname", f"{name}\n")
    _write(root / "etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost\n")
    _write(root / "etc/machine-id", f"{token_hex(16)}\n")
    host = Host(name, root, free_port(), private_key=_private(user_key), host_key=_public(host_key))
    host._record()
    return host


def _machine(name: str) -> str:
    """What the container is called on this machine: no host of another checkout has the same name."""
    return f"{name}-{sha256(str(_HOSTS / name).encode()).hexdigest()[:8]}"


def _clear(name: str) -> None:
    """End and remove what a host that is off, or whose record is lost, may have left on this machine."""
    cgroup.remove(_machine(name))
    (_HOSTS / name / "process").unlink(missing_ok=True)
    propagate = _PROPAGATE / _machine(name)
    if propagate.exists():
        propagate.rmdir()


def _remove(folder: Path) -> None:
    """Remove a folder; first whatever is mounted below it."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in sorted((m for m in mounts if Path(m).is_relative_to(folder)), key=len, reverse=True):
        run(["umount", "--lazy", mount])
    run(["rm", "--recursive", "--force", "--one-file-system", folder])


def _private(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def _write(path: Path, text: str, *, mode: int = 0o644) -> None:
    path.touch(mode=mode)
    path.write_text(text)
