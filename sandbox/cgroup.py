"""A cgroup of its own for each host: two systemds in one would end each other's services."""

from __future__ import annotations

import time
from pathlib import Path

_PARENT = "nexus-sandbox"


def make(name: str) -> list[Path]:
    """Make the cgroup, in each hierarchy that systemd uses (version 2, and its own of version 1)."""
    groups = [mount / _PARENT / name for mount in _hierarchies()]
    for group in groups:
        group.mkdir(parents=True, exist_ok=True)
    return groups


def remove(name: str) -> None:
    """Remove the cgroup and those below it; its processes must have ended."""
    for mount in _hierarchies():
        group = mount / _PARENT / name
        if group.exists():
            below = sorted(group.rglob("*/"), key=lambda path: len(path.parts), reverse=True)
            for folder in (*below, group):
                _remove(folder)
        parent = mount / _PARENT
        if parent.exists() and not any(parent.glob("*/")):
            parent.rmdir()


def _remove(folder: Path) -> None:
    """Remove one cgroup; the kernel takes a moment to see that its last process is gone."""
    for attempt in range(50):
        try:
            folder.rmdir()
        except OSError:
            if attempt == 49:
                raise
            time.sleep(0.1)
        else:
            return


def _hierarchies() -> list[Path]:
    """Where the hierarchies are mounted that systemd keeps its units in."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, filesystem = line.partition(" - ")
        kind, _, options = filesystem.split(maxsplit=2)
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            found.append(Path(mount.split()[4]))
    return found
