"""What a version of Nexus needs, and where its archive is."""

from __future__ import annotations

from ..providers.versions import parse

INITIAL_PASSWORD_SINCE = (3, 55)
MODERN_PKCS12_SINCE = (3, 71)
LICENCE_SINCE = (3, 77)
BUNDLED_JAVA_SINCE = (3, 78)
H2_2_SINCE = (3, 70)
NO_ORIENT_SINCE = (3, 71)


def java_major(version: str) -> int | None:
    """The Java that this version runs on; None where the archive brings its own."""
    if parse(version) >= BUNDLED_JAVA_SINCE:
        return None
    return 17 if parse(version) >= (3, 71) else 8


def release(version: str) -> tuple[int, int, int, int]:
    """A version as four numbers that compare, the build being the last."""
    build = version.partition("-")[2]
    return (*parse(version), int(build or 0))


def refused_change(before: str, wished: str, *, h2: bool) -> str:
    """Why a server that ran ``before`` can't be changed to ``wished``; empty when it can.

    Args:
        before: the version whose data are there.
        wished: the version that is to run on them.
        h2: whether the data of a version before 3.71 are in H2, instead of OrientDB.
    """
    if release(wished) < release(before):
        return f"{wished} is older than {before}, which runs, and no database goes back: give {before} or newer"
    if h2:
        if parse(before) < H2_2_SINCE <= parse(wished):
            return (
                f"{wished} does not read the H2 database of {before}: from 3.70 on it is of another form, which "
                "Sonatype's way leads to by hand: https://help.sonatype.com/en/upgrade-h2.html"
            )
    elif parse(before) < NO_ORIENT_SINCE <= parse(wished):
        return (
            f"{wished} does not read the OrientDB of {before}: go to 3.70 first, move its data to H2 with "
            "Sonatype's database migrator by hand (https://help.sonatype.com/en/orient-3-70-java-8-or-11.html), "
            "let an up with nexus.datastore.enabled true in properties run it, and then change the version"
        )
    return ""


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
