"""A private SSH server on a free loopback port."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.packages import ensure
from sandbox.shell import free_port, run

CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/authorized
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
AcceptEnv GREETING
"""


@dataclass(frozen=True)
class Sshd:
    """A server that lets this process's user in, with the key in ``connection``."""

    port: int
    user: str
    private_key: str
    host_key: str

    @property
    def connection(self) -> dict[str, Any]:
        """Arguments of a ``ConnectionArgs``."""
        return {"host": "127.0.0.1", "port": self.port, "user": self.user, "dial_error_limit": 3} | {
            "private_key": self.private_key,
            "host_key": self.host_key,
        }


@contextmanager
def private_sshd(folder: Path) -> Iterator[Sshd]:
    """Run a server that keeps its keys in ``folder``; it ends with the block."""
    ensure("openssh-server")
    for name in ("host", "user"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / name])
    (folder / "authorized").write_text((folder / "user.pub").read_text())
    Path("/run/sshd").mkdir(exist_ok=True)
    port = free_port()
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder))
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", folder / "config"], stderr=log)
    try:
        texts = [(folder / name).read_text() for name in ("user", "host.pub")]
        yield Sshd(port, run(["id", "-un"]).stdout.strip(), *texts)
    finally:
        server.terminate()
        server.wait()
