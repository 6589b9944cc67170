"""What a version of Nexus needs, and where its archive is."""

from __future__ import annotations

from ..providers.versions import parse

INITIAL_PASSWORD_SINCE = (3, 55)
MODERN_PKCS12_SINCE = (3, 71)
LICENCE_SINCE = (3, 77)
BUNDLED_JAVA_SINCE = (3, 78)


def java_major(version: str) -> int | None:
    """The Java that this version runs on; None where the archive brings its own."""
    if parse(version) >= BUNDLED_JAVA_SINCE:
        return None
    return 17 if parse(version) >= (3, 71) else 8


def archive_name(version: str, architecture: str) -> str:
    """The vendor's file name for a version with its build, such as ``3.71.0-06``.

    Args:
        version: with the build, which is part of the name.
        architecture: ``x86_64`` or ``aarch64``; up to 3.77 there is one archive for all.
    """
    number = parse(version)
    if (3, 67) <= number < (3, 71):
        return f"nexus-{version}-java8-unix.tar.gz"
    if number < (3, 78):
        return f"nexus-{version}-unix.tar.gz"
    if number < (3, 80):
        if architecture != "x86_64":
            raise ValueError(f"version {version} has no archive for {architecture}: use 3.80 or newer")
        return f"nexus-unix-x86-64-{version}.tar.gz"
    return f"nexus-{version}-linux-{'x86_64' if architecture == 'x86_64' else 'aarch_64'}.tar.gz"


def archive_url(version: str, architecture: str) -> str:
    """Where the vendor offers that archive."""
    return f"https://download.sonatype.com/nexus/3/{archive_name(version, architecture)}"
