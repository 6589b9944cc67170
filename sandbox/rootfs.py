"""The file system of a bare Debian 12 host: made once, kept as a tar file, unpacked for each host."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from sandbox.packages import ensure
from sandbox.paths import CACHE
from sandbox.shell import locked, progress, run

SUITE = "bookworm"
PACKAGES = ("systemd", "systemd-sysv", "openssh-server", "dbus", "sudo", "iproute2", "python3-minimal")
# Run on the new root ($1): what belongs to one host is taken out, the users that a test may come as put in.
HOOKS = (
    'rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*'
    ' "$1"/etc/apt/apt.conf.d/99mmdebstrap; rm -rf "$1"/etc/apt/auth.conf "$1"/etc/apt/auth.conf.d/*',
    'chroot "$1" useradd --create-home --shell /bin/bash deploy',
    "echo 'deploy ALL=(ALL:ALL) NOPASSWD: ALL' >\"$1\"/etc/sudoers.d/deploy",
    'chroot "$1" useradd --create-home --shell /bin/bash --groups sudo limited',
    'chroot "$1" systemctl disable --quiet apt-daily.timer apt-daily-upgrade.timer',
    ': >"$1"/etc/machine-id',
)
_DEBS = Path("var/cache/apt/archives")


def unpack(root: Path) -> None:
    """Put a new bare host's file system at ``root``, with apt working as it does on this machine.

    Takes about a minute the first time and some seconds after that. Raises ``CommandFailed`` when it can't be
    made, and ``RuntimeError`` when this machine's apt knows no Debian source.
    """
    archive = _archive()
    root.mkdir(parents=True)
    with progress("unpacking a bare Debian 12 host"):
        run(["tar", "--extract", "--numeric-owner", "--file", archive, "--directory", root])
    _configure_apt(root)
    for deb in (CACHE / "apt").glob("*.deb"):
        _link(deb, root / _DEBS / deb.name)


def keep_packages(root: Path) -> None:
    """Keep the packages that apt downloaded on a host for the next one (apt checks their hashes again)."""
    (CACHE / "apt").mkdir(parents=True, exist_ok=True)
    for deb in (root / _DEBS).glob("*.deb"):
        kept = CACHE / "apt" / deb.name
        if not kept.exists():
            _link(deb, kept)


def _archive() -> Path:
    """The tar file, made when it is not in the cache yet."""
    recipe = json.dumps([SUITE, PACKAGES, HOOKS, os.uname().machine])
    archive = CACHE / f"debian-{SUITE}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.tar"
    with locked(archive.with_suffix(".lock")):
        if archive.exists():
            return archive
        ensure("mmdebstrap")
        part = archive.with_suffix(".part.tar")
        options = [f"--include={','.join(PACKAGES)}", *(f"--customize-hook={hook}" for hook in HOOKS)]
        options += [f"--aptopt={setting}" for setting in _apt_settings()]
        for login in (Path("/etc/apt/auth.conf"), Path("/etc/apt/auth.conf.d")):
            if login.exists():
                options.append(f"--setup-hook=copy-in {login} /etc/apt")
        with progress("making a bare Debian 12 host (once; about a minute)"):
            command: list[str | Path] = ["mmdebstrap", "--quiet", "--variant=minbase", *options, SUITE, part, "-"]
            run(command, stdin=_apt_sources(), timeout=1800)
        part.rename(archive)
    return archive


def _configure_apt(root: Path) -> None:
    """Let the host's apt use this machine's Debian mirror, proxy, logins and certificate authorities."""
    etc = root / "etc/apt"
    sources = _apt_sources()
    (etc / "sources.list.d/debian.sources").write_text(sources)
    settings = _apt_settings()
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if "https:" in sources + "".join(settings) and bundle.exists():
        shutil.copy(bundle, etc / "machine-ca.crt")
        settings.append('Acquire::https::CAInfo "/etc/apt/machine-ca.crt";')
    (etc / "apt.conf.d/90machine").write_text("".join(f"{setting}\n" for setting in settings))
    if Path("/etc/apt/auth.conf").exists():
        shutil.copy("/etc/apt/auth.conf", etc / "auth.conf")
    if Path("/etc/apt/auth.conf.d").exists():
        shutil.copytree("/etc/apt/auth.conf.d", etc / "auth.conf.d", dirs_exist_ok=True)


def _apt_settings() -> list[str]:
    """This machine's settings of how apt reaches a mirror, as lines of apt.conf."""
    dump = run(["apt-config", "dump"]).stdout.splitlines()
    wanted = re.compile(r"Acquire::(https?|Check-Valid-Until|Check-Date|Retries|ForceIPv[46])\b(?!.*Auto-?Detect)")
    settings = [line for line in dump if wanted.match(line) and not line.endswith(' "";')]
    for scheme in ("http", "https"):
        proxy = os.environ.get(f"{scheme}_proxy")
        if proxy and not any(line.startswith(f"Acquire::{scheme}::Proxy ") for line in settings):
            settings.append(f'Acquire::{scheme}::Proxy "{proxy}";')
    return settings


def _apt_sources() -> str:
    """This machine's Debian mirrors as a deb822 file for Debian 12."""
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)', Path("/etc/os-release").read_text(), re.MULTILINE))
    suites = {release.get("VERSION_CODENAME", "?") + part: SUITE + part for part in ("", "-updates", "-security")}
    stanzas = [
        f"Types: deb\nURIs: {uri}\nSuites: {suites[suite]}\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        for uri, suite, components in _machine_sources()
        if suite in suites and "main" in components
    ]
    if not stanzas:
        raise RuntimeError("no Debian mirror in /etc/apt/sources.list or /etc/apt/sources.list.d on this machine")
    return "\n".join(dict.fromkeys(stanzas))


def _machine_sources() -> Iterator[tuple[str, str, list[str]]]:
    """URI, suite and components of each package source that this machine's apt uses."""
    folder = Path("/etc/apt/sources.list.d")
    for listing in (Path("/etc/apt/sources.list"), *sorted(folder.glob("*.list"))):
        for line in listing.read_text().splitlines() if listing.exists() else ():
            if match := re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line):
                for uri in _mirrors(match[1]):
                    yield uri, match[2], match[3].split()
    for listing in sorted(folder.glob("*.sources")):
        text = re.sub(r"^#.*\n", "", listing.read_text(), flags=re.MULTILINE)
        for stanza in re.split(r"\n\s*\n", text):
            fields = {
                key.lower(): value.split()
                for key, value in re.findall(r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", stanza, re.MULTILINE)
            }
            if "deb" in fields.get("types", []) and fields.get("enabled", ["yes"]) != ["no"]:
                for uri in (mirror for named in fields.get("uris", []) for mirror in _mirrors(named)):
                    for suite in fields.get("suites", []):
                        yield uri, suite, fields.get("components", [])


def _mirrors(uri: str) -> list[str]:
    """The mirrors behind a URI: cloud images name a file that lists them."""
    if not uri.startswith("mirror+file:"):
        return [uri]
    listed = Path(re.sub(r"^mirror\+file:/*", "/", uri)).read_text().splitlines()
    return [line.split()[0] for line in listed if line.strip() and not line.startswith("#")]


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the two places are on different disks."""
    try:
        target.hardlink_to(source)
    except FileExistsError:
        return
    except OSError:
        shutil.copy(source, target)
