"""The settings with which this machine's apt reaches Debian, for use on hosts."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.shell import run

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITE = "bookworm"
"""The Debian release of a host, whatever this machine's own is."""

ETC = Path("/etc")

# What decides how a mirror is reached; not a proxy that a program on this machine finds.
_WANTED = re.compile(
    r"Acquire::(https?|Check-Valid-Until|Check-Date|Retries|ForceIPv[46])\b(?!.*(Auto-?Detect|CAInfo))"
)


class NoMirror(RuntimeError):
    """This machine's apt knows no Debian mirror."""


def configure(root: Path) -> None:
    """Let a host's apt use this machine's mirrors, proxy, logins and certificate authorities."""
    etc = root / "etc/apt"
    listed, lines = sources(), settings()
    bundle = _bundle()
    if bundle.exists() and "https:" in listed + "".join(lines):
        shutil.copy(bundle, etc / "machine-ca.crt")
        lines.append('Acquire::https::CAInfo "/etc/apt/machine-ca.crt";')
    (etc / "sources.list.d/debian.sources").write_text(listed)
    (etc / "apt.conf.d/90machine").write_text("".join(f"{line}\n" for line in lines))
    for login in logins():
        if login.is_dir():
            shutil.copytree(login, etc / login.name, dirs_exist_ok=True)
        else:
            shutil.copy(login, etc / login.name)


def add_unstable(root: Path) -> None:
    """Let a host's apt know Debian unstable too, for packages that are asked for from there (``-t sid``) alone."""
    etc = root / "etc/apt"
    release = re.sub(r"^Suites:.*", "Suites: sid\nCheck-Valid-Until: no", sources().split("\n\n")[0], flags=re.M)
    (etc / "sources.list.d/unstable.sources").write_text(release)
    (etc / "preferences.d/unstable").write_text("Package: *\nPin: release n=sid\nPin-Priority: 100\n")


def logins() -> list[Path]:
    """The files and folders in which this machine's apt has logins for mirrors."""
    return [path for name in ("auth.conf", "auth.conf.d") if (path := ETC / "apt" / name).exists()]


def settings() -> list[str]:
    """This machine's settings of how apt reaches a mirror, as lines of apt.conf."""
    found = [line for line in _dump() if _WANTED.match(line) and not line.endswith(' "";')]
    for scheme in ("http", "https"):
        proxy = os.environ.get(f"{scheme}_proxy")
        if proxy and not any(line.startswith(f"Acquire::{scheme}::Proxy ") for line in found):
            found.append(f'Acquire::{scheme}::Proxy "{proxy}";')
    return found


def sources() -> str:
    """This machine's Debian mirrors, as a deb822 file for a host. Raises ``NoMirror``."""
    release = re.search(r"^VERSION_CODENAME=(\w+)", (ETC / "os-release").read_text(), re.MULTILINE)
    own = release[1] if release else ""
    suites = {own + part: SUITE + part for part in ("", "-updates", "-security")}
    stanzas = [
        f"Types: deb\nURIs: {mirror}\nSuites: {suites[suite]}\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        for uri, suite, components in (*_one_line_sources(), *_deb822_sources())
        if suite in suites and "main" in components
        for mirror in _mirrors(uri)
    ]
    if not stanzas:
        raise NoMirror(f"no Debian mirror ({own}, main) in {ETC}/apt/sources.list or sources.list.d; add one")
    return "\n".join(dict.fromkeys(stanzas))


_Source = tuple[str, str, list[str]]  # URI, suite, components


def _one_line_sources() -> Iterator[_Source]:
    for listing in (ETC / "apt/sources.list", *sorted((ETC / "apt/sources.list.d").glob("*.list"))):
        for line in listing.read_text().splitlines() if listing.exists() else ():
            if match := re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line):
                yield match[1], match[2], match[3].split()


def _deb822_sources() -> Iterator[_Source]:
    for listing in sorted((ETC / "apt/sources.list.d").glob("*.sources")):
        text = re.sub(r"^#.*\n", "", listing.read_text(), flags=re.MULTILINE)
        for stanza in re.split(r"\n\s*\n", text):
            pairs = re.findall(r"^([\w-]+):(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE)
            fields = {key.lower(): value.split() for key, value in pairs}
            if "deb" in fields.get("types", []) and fields.get("enabled", ["yes"]) != ["no"]:
                for uri in fields.get("uris", []):
                    for suite in fields.get("suites", []):
                        yield uri, suite, fields.get("components", [])


def _mirrors(uri: str) -> list[str]:
    """The mirrors behind a URI: cloud images name a file that lists them."""
    if not uri.startswith("mirror+file:"):
        return [uri]
    listed = Path(re.sub(r"^mirror\+file:/*", "/", uri)).read_text().splitlines()
    return [line.split()[0] for line in listed if line.strip() and not line.startswith("#")]


def _bundle() -> Path:
    """The certificate authorities that this machine's apt trusts."""
    named = [line.split('"')[1] for line in _dump() if line.startswith("Acquire::https::CAInfo ")]
    return Path(named[0]) if named else ETC / "ssl/certs/ca-certificates.crt"


def _dump() -> list[str]:
    return run(["apt-config", "dump"]).stdout.splitlines()
