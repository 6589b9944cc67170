"""A TLS scan of a port."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from .packages import ensure
from .shell import run

PROTOCOLS = ("SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3")


def protocols(port: int) -> set[str]:
    """Which of ``PROTOCOLS`` a port of this machine offers, as testssl.sh finds out by its own handshakes."""
    ensure("testssl.sh")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["--protocols", "--quiet", "--warnings", "off", "--nodns", "none", "--jsonfile", str(report)]
        run(["testssl", *options, f"localhost:{port}"], timeout=1200)
        found = {one["id"]: one["finding"] for one in json.loads(report.read_text())}
    return {one for one in PROTOCOLS if not found[one].startswith("not offered")}
