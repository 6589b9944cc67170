"""Debian packages that the sandbox needs on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.shell import locked, progress, run

LOCK = Path("/run/lock/nexus-registry-packages.lock")
"""One run at a time installs: apt waits for dpkg's lock, but not for that of its lists."""


class CannotInstall(RuntimeError):
    """Packages are missing and can't be installed: not root, or not Debian."""


def ensure(*names: str) -> None:
    """Install those of the Debian packages that are missing.

    Services that a package brings are not started: the sandbox runs its own. Raises ``CannotInstall`` when
    the user is not root or there is no apt, and ``CommandFailed`` with apt's own words when apt fails.
    """
    if not shutil.which("apt-get"):
        raise CannotInstall("the sandbox needs Debian 12 or newer with apt; this machine has no apt-get")
    missing = _missing(names)
    if not missing:
        return
    if os.geteuid() != 0:
        raise CannotInstall(
            f"missing Debian packages: {' '.join(missing)}; run this as root, or install them first: "
            f"apt-get install --no-install-recommends {' '.join(missing)}"
        )
    with locked(LOCK):
        if missing := _missing(names):
            _install(missing)


def _missing(names: Iterable[str]) -> list[str]:
    return [name for name in names if not _installed(name)]


def _install(missing: list[str]) -> None:
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    apt = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")
    with progress(f"installing {' '.join(missing)} on this machine"), _services_not_started():
        run([*apt, "update"], env=env)
        run([*apt, "install", "--yes", "--no-install-recommends", *missing], env=env, timeout=1800)


def _installed(name: str) -> bool:
    shown = run(["dpkg-query", "--show", "--showformat", "${db:Status-Status}", name], check=False)
    return shown.stdout == "installed"


@contextmanager
def _services_not_started() -> Iterator[None]:
    """Forbid packages to start their services, by Debian's own means, unless the machine has a policy."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()
