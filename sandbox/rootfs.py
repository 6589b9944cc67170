"""The file system of a bare Debian 12 host: made once, kept as a tar file, unpacked for each host."""

from __future__ import annotations

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox import apt
from sandbox.packages import ensure
from sandbox.paths import CACHE
from sandbox.shell import locked, progress, run

if TYPE_CHECKING:
    from sandbox.host import Host

PACKAGES = ("systemd", "systemd-sysv", "openssh-server", "dbus", "sudo", "iproute2", "python3")
# No documents, translations and fsync, also for packages that are installed later, as in small images.
DPKG = ("path-exclude=/usr/share/doc/*", "path-exclude=/usr/share/locale/*", "force-unsafe-io")
# Run on the new root ($1): remove what is specific to one host, and add the users of the tests.
HOOKS = (
    'rm -rf "$1"/etc/ssh/ssh_host_* "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*'
    ' "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/apt/auth.conf "$1"/etc/apt/auth.conf.d/*',
    'chroot "$1" useradd --create-home --shell /bin/bash deploy',
    "echo 'deploy ALL=(ALL:ALL) NOPASSWD: ALL' >\"$1\"/etc/sudoers.d/deploy",
    'chroot "$1" useradd --create-home --shell /bin/bash --groups sudo limited',
    'chroot "$1" systemctl disable --quiet apt-daily.timer apt-daily-upgrade.timer',
)
_DEBS = Path("var/cache/apt/archives")


def unpack(root: Path) -> None:
    """Put a new bare host's file system at ``root``, with apt working as it does on this machine.

    Takes about half a minute the first time and a second or two after that. Raises ``CommandFailed`` when it
    can't be made, and ``NoMirror`` when this machine's apt knows no Debian mirror.
    """
    archive = _archive()
    root.mkdir(parents=True)
    with progress("unpacking a bare Debian 12 host"):
        run(["tar", "--extract", "--numeric-owner", "--file", archive, "--directory", root])
    apt.configure(root)
    for deb in (CACHE / "apt").glob("*.deb"):
        _link(deb, root / _DEBS / deb.name)


def keep_packages(root: Path) -> None:
    """Keep the packages that apt downloaded on a host for the next one (apt checks their hashes again)."""
    (CACHE / "apt").mkdir(parents=True, exist_ok=True)
    for deb in (root / _DEBS).glob("*.deb"):
        _link(deb, CACHE / "apt" / deb.name)


def install_java_8(host: Host) -> None:
    """Give a running host Java 8, which Debian has in unstable alone; nothing when it is there.

    Takes a minute or less; what was downloaded is kept for the next host. The host's C library then comes from
    unstable, too. Raises ``NoMirror`` and ``CommandFailed``.
    """
    if host.ssh("test -x /usr/lib/jvm/java-8-openjdk-*/jre/bin/java", check=False).returncode == 0:
        return
    apt.add_unstable(host.root)
    # A library of unstable's took over files that one of the host's release still has.
    command = "DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Options::=--force-overwrite"
    with progress(f"installing Java 8 on host {host.name}"):
        host.ssh(f"{command} update && {command} install -y --no-install-recommends -t sid openjdk-8-jre-headless")
    keep_packages(host.root)


def _archive() -> Path:
    """The tar file, made when it is not in the cache yet."""
    recipe = json.dumps([apt.SUITE, PACKAGES, DPKG, HOOKS, os.uname().machine])
    archive = CACHE / f"debian-{apt.SUITE}-{sha256(recipe.encode()).hexdigest()[:12]}.tar"
    with locked(archive.with_suffix(".lock")):
        if not archive.exists():
            ensure("mmdebstrap")
            part = archive.with_suffix(".part.tar")
            with progress("making a bare Debian 12 host (once; half a minute or more)"):
                run(["mmdebstrap", *_options(), apt.SUITE, part, "-"], stdin=apt.sources(), timeout=1800)
            part.rename(archive)
    return archive


def _options() -> list[str]:
    return [
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        *(f"--aptopt={setting}" for setting in apt.settings()),
        *(f"--dpkgopt={setting}" for setting in DPKG),
        *(f"--setup-hook=copy-in {login} /etc/apt" for login in apt.logins()),
        *(f"--customize-hook={hook}" for hook in HOOKS),
    ]


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the two places are on different disks."""
    if target.exists():
        return
    try:
        target.hardlink_to(source)
    except OSError:
        part = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copy(source, part)
        part.rename(target)
