"""A cgroup of its own for each host: two systemds in one would end each other's services."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

_PARENT = "nexus-sandbox"


def make(name: str) -> list[Path]:
    """Make the cgroup, in each hierarchy that systemd uses (version 2, and its own of version 1)."""
    groups = [mount / _PARENT / name for mount in _hierarchies()]
    for group in groups:
        group.mkdir(parents=True, exist_ok=True)
    return groups


def remove(name: str) -> None:
    """Kill what still runs in the cgroup, and remove it with those below it; nothing when there is none."""
    for mount in _hierarchies():
        group = mount / _PARENT / name
        if group.exists():
            for folder, _, _ in os.walk(group, topdown=False):
                _remove(Path(folder))
        with suppress(OSError):  # not there, or another one's is in it
            (mount / _PARENT).rmdir()


def _remove(folder: Path) -> None:
    """Kill the processes of one cgroup and remove it; the kernel takes a moment to forget them."""
    for _ in range(100):
        with suppress(FileNotFoundError):  # systemd removes its cgroups, too
            for pid in (folder / "cgroup.procs").read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"processes in {folder} don't end, not even by SIGKILL")


def _hierarchies() -> list[Path]:
    """Where the hierarchies are mounted that systemd keeps its units in."""
    found: dict[Path, None] = {}  # each once, though one may be mounted over another
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, filesystem = line.partition(" - ")
        kind, _, options = filesystem.split(maxsplit=2)
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            found[Path(mount.split()[4])] = None
    return list(found)
