"""Canaries: secret values that are looked for wherever a run could have left them."""

from __future__ import annotations

import base64
import json
import os
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

_LARGEST = 32 << 20


class Canaries:
    """Looks for secrets, each under its name: as they are, URL-encoded, as in JSON, and in base64 at any place."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms = [(form, name) for name, value in secrets.items() for form in _forms(value)]

    def found(self, content: str | bytes) -> set[str]:
        """Names of the secrets that are in it."""
        data = content.encode() if isinstance(content, str) else content
        return {name for form, name in self._forms if form in data}

    @contextmanager
    def watching(self) -> Iterator[set[str]]:
        """Searches the command lines of all processes repeatedly; the set holds the secrets that it found."""
        seen: set[str] = set()
        over = threading.Event()

        def look() -> None:
            while not over.wait(0.02):
                for process in Path("/proc").iterdir():
                    if process.name.isdecimal():
                        try:
                            line = (process / "cmdline").read_bytes()
                        except OSError:
                            continue
                        seen.update(f"{name} in a command line" for name in self.found(line))

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        yield seen
        over.set()
        watcher.join()

    def below(self, *roots: Path) -> set[str]:
        """The content of all files below these folders."""
        files = (path for root in roots for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        return {f"{name} in {path}" for path in files for name in self.found(path.read_bytes())}

    def readable_below(self, *roots: Path) -> set[str]:
        """What any user of the machine could read in files below these folders."""
        return {
            f"{name} in {path}"
            for root in roots
            for path in _open_to_all(root)
            for name in self.found(path.read_bytes())
        }


def _open_to_all(folder: Path) -> Iterator[Path]:
    """Regular files that others may read, in folders that others may enter."""
    for entry in os.scandir(folder):
        status = entry.stat(follow_symlinks=False)
        if entry.is_dir(follow_symlinks=False):
            if status.st_mode & stat.S_IXOTH:
                yield from _open_to_all(Path(entry.path))
        elif stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IROTH and status.st_size < _LARGEST:
            yield Path(entry.path)


def _forms(value: str) -> set[bytes]:
    data = value.encode()
    forms = {data, quote(value, safe="").encode(), json.dumps(value)[1:-1].encode()}
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data)
        # Only characters that do not depend on the bytes before and after.
        first, last = (before * 8 + 5) // 6, ((before + len(data)) * 8) // 6
        forms.add(encoded[first:last])
        forms.add(base64.urlsafe_b64encode(b"\0" * before + data)[first:last])
    return forms
