"""A server whose Nexus is played (``played_nexus``): the host, its systemd and the steps are real.

For what the steps do around Nexus. What Nexus itself does with it is tested with the real one.
"""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from tests.host.steps import Server
from tests.unit.test_steps_config import HTTPS_XML


@cache
def archive(version: str) -> bytes:
    """A tar.gz as the vendor's, with the played Nexus in it."""
    default = "nexus-args=${jetty.etc}/jetty.xml,${jetty.etc}/jetty-http.xml\n"
    files = {
        "bin/nexus": (Path(__file__).parent / "played_nexus.py").read_bytes(),
        "etc/jetty/jetty-https.xml": HTTPS_XML.encode(),
        "etc/nexus-default.properties": default.encode(),
        "system/jetty-util-9.4.53.jar": b"PK org/eclipse/jetty/util/ssl/KeyStoreScanner.class ",
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(f"nexus-{version}/{name}")
            info.size, info.mode = len(content), 0o755 if name == "bin/nexus" else 0o644
            made.addfile(info, io.BytesIO(content))
    return packed.getvalue()


@dataclass
class PlayedServer(Server):
    """Such a server; what is stored with ``PUT kept`` stays in its database."""

    def turn_to(self, version: str) -> None:
        content = archive(version)
        (self.host.root / "srv/nexus.tar.gz").write_bytes(content)
        self.version, self.sha256 = version, sha256(content).hexdigest()
