"""Debian's own registry, as the remote of a proxy or as it is."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.packages import ensure
from sandbox.pki import Issued
from sandbox.process import Process
from sandbox.shell import free_port, is_free

# 'ann' with the password 'correct horse', by bcrypt, as the registry wants it.
HTPASSWD = "ann:$2b$04$NGWlDTgUAkuUfoRi0xVW5.KSQANJu4XYm0YkdFrh95T.qHEkinSmu\n"


@contextmanager
def registry(folder: Path, issued: Issued | None = None, *, logins: str | None = None) -> Iterator[str]:
    """A running registry, with this certificate if any; its address, and its access log in ``folder / 'log'``."""
    ensure("docker-registry")
    port = free_port()
    config: dict[str, Any] = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(folder / "blobs")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    if issued:
        (folder / "key.pem").write_text(issued.private_key_pem)
        (folder / "chain.pem").write_text(issued.certificate_pem + issued.chain_pem)
        config["http"]["tls"] = {"certificate": str(folder / "chain.pem"), "key": str(folder / "key.pem")}
    if logins is not None:
        (folder / "htpasswd").write_text(logins)
        config["auth"] = {"htpasswd": {"realm": "here", "path": str(folder / "htpasswd")}}
    (folder / "config.yml").write_text(json.dumps(config))
    command = ["docker-registry", "serve", str(folder / "config.yml")]
    server = Process.start(command, record=folder / "process", log=folder / "log")
    try:
        deadline = time.monotonic() + 200
        while is_free(port):
            assert server.alive, (folder / "log").read_text()
            assert time.monotonic() < deadline, f"the registry does not listen on {port}"
            time.sleep(0.05)
        yield f"localhost:{port}"
    finally:
        server.end()
