"""Python programs that tests use, each with its libraries in an environment of its own."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from sandbox.paths import CACHE
from sandbox.shell import locked, progress, run

REQUIREMENTS = {
    "ansible": ("ansible-core>=2.17,<3",),
    # The S3 server alone: the extra "server" brings what other services of AWS need.
    "moto": ("moto[s3]>=5,<6", "flask>=3,<4", "flask-cors>=5"),
    "poetry": ("poetry>=2,<3",),
    "uv": ("uv>=0.5",),
}
"""Name of the environment, and what it has."""


def tool(name: str, program: str) -> Path:
    """The path of a program of an environment in ``REQUIREMENTS``, which is made the first time."""
    wanted = REQUIREMENTS[name]
    folder = CACHE / "tools" / f"{name}-{hashlib.sha256(repr((wanted, sys.version)).encode()).hexdigest()[:12]}"
    done = folder / "installed"
    with locked(CACHE / f"tools/{name}.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            with progress(f"installing {' '.join(wanted)}"):
                run([sys.executable, "-m", "venv", "--without-pip", folder])
                pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", folder / "bin/python"]
                options = ["--quiet", "--disable-pip-version-check", "--no-compile"]
                run([*pip, "install", *options, *wanted], timeout=1800)
            done.touch()
    return folder / "bin" / program
