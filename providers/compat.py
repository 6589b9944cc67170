"""What each version and edition of Nexus has and needs: the one table of them.

The declaration of a resource or property contains its availability (``since``, ``until``, ``edition``, an
:class:`Availability`). This module contains everything else that depends on the version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pulumi.dynamic import CheckFailure

from .schema import failure
from .unknown import is_unknown

REST_SINCE = (3, 26)
JAVA_8_ARCHIVE_SINCE = (3, 67)
USER_REALM_SINCE = (3, 69)
H2_2_SINCE = (3, 70)
JAVA_17_SINCE = (3, 71)
MODERN_PKCS12_SINCE = (3, 71)
NO_ORIENT_SINCE = (3, 71)
LICENCE_SINCE = (3, 77)
BUNDLED_JAVA_SINCE = (3, 78)
ARCHIVE_BY_ARCHITECTURE_SINCE = (3, 80)
S3_EXPIRATION_OPTIONAL_SINCE = (3, 81)
LOWER_LIMITS_SINCE = (3, 87)
LDAP_SCHEME_NAMES_SINCE = (3, 88)
LDAP_VERIFICATION_SINCE = (3, 92)

EULA_URL = "https://links.sonatype.com/products/nxrm/ce-eula"
"""The licence of the Community Edition, which a server from ``LICENCE_SINCE`` on needs to be accepted."""
KNOWN_BAD = {"3.96.0": "it answers HEAD of a manifest with 500 (sonatype/nexus-public#1059)"}
"""Versions on which a registry does not work."""


@dataclass(frozen=True)
class Availability:
    """Which servers have a resource, a property or a value.

    Args:
        since: the first version, such as ``3.84``.
        until: the last version.
        edition: ``pro`` when only that edition has it.
    """

    since: str = ""
    until: str = ""
    edition: str = ""

    def refusal(self, version: str, edition: str) -> str:
        """Why a server does not have it; empty when it has, or when that is not known."""
        number = parse(version)[:2] if version else ()
        if number and self.since and number < _short(self.since):
            return f"is not known to Nexus {version}, but from {self.since} on. Upgrade it, or leave this out"
        if number and self.until and number > _short(self.until):
            return f"is known to Nexus up to {self.until}, not to {version}. Leave it out"
        if edition and self.edition and edition.lower() != self.edition:
            return f"is only in the edition {self.edition.capitalize()}, and the server is {edition}. Leave it out"
        return ""


def _short(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def parse(version: str) -> tuple[int, int, int]:
    """``3.71.0-06`` as ``(3, 71, 0)``; raises ValueError for what is no version."""
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?:-\d+)?", version)
    if not match:
        raise ValueError(f"{version!r} is no Nexus version. Give one such as 3.71.0-06")
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch)


def no_rest_reason(version: str) -> str:
    """The error for a version without a REST API for repositories and realms; empty for others."""
    if not version or parse(version) >= REST_SINCE:
        return ""
    return f"Nexus {version}, whose REST API begins with 3.26.0. Install a newer one"


def rest_failures(version: object) -> list[CheckFailure]:
    """The failure for a server without a REST API for repositories and realms."""
    if isinstance(version, str) and not is_unknown(version) and (reason := no_rest_reason(version)):
        return [failure("connection", f"names {reason}")]
    return []


def parse_server_header(header: str) -> tuple[str, str]:
    """Version and edition in a ``Server`` header such as ``Nexus/3.19.1-01 (OSS)``; empty when it has none."""
    match = re.search(r"\bNexus/(\d+\.\d+\.\d+(?:-\d+)?)\b(?: \((\w+)\))?", header)
    return (match[1], match[2] or "") if match else ("", "")


@dataclass(frozen=True)
class UsageLimits:
    """What a server may hold and serve.

    Attributes:
        components: at most so many; a docker component is a tag.
        requests: in a day, of clients to repositories.
    """

    components: int
    requests: int


def usage_limits(version: str, edition: str) -> UsageLimits | None:
    """The limits of a server; None where it has none, or version or edition are not known."""
    if edition.lower() != "community" or not version or parse(version) < LICENCE_SINCE:
        return None
    return UsageLimits(40_000, 100_000) if parse(version) >= LOWER_LIMITS_SINCE else UsageLimits(100_000, 200_000)


def licence_reason(version: str) -> str:
    """Why the licence must be accepted for this version; empty for a version without one."""
    if parse(version) < LICENCE_SINCE:
        return ""
    return f"serves nothing until its licence is accepted. Read {EULA_URL}"


def java_major(version: str) -> int | None:
    """The Java that this version runs on; None where the archive brings its own."""
    if parse(version) >= BUNDLED_JAVA_SINCE:
        return None
    return 17 if parse(version) >= JAVA_17_SINCE else 8


def release(version: str) -> tuple[int, int, int, int]:
    """A version as four numbers that compare, the build being the last."""
    build = version.partition("-")[2]
    return (*parse(version), int(build or 0))


def version_change_error(before: str, desired: str, *, h2: bool) -> str:
    """Why a server that ran ``before`` can't be changed to ``desired``; empty when it can.

    Args:
        before: the version whose data are there.
        desired: the version that is to run on them.
        h2: whether the data of a version before 3.71 are in H2, instead of OrientDB.
    """
    if release(desired) < release(before):
        return (
            f"{desired} is older than {before} and can't read its database. Give {before} or newer, or restore "
            f"the data of {desired} on the host and remove this resource from the state (pulumi state delete)"
        )
    if h2:
        if parse(before) < H2_2_SINCE <= parse(desired):
            return (
                f"{desired} does not read the H2 database of {before}, whose format is older. Migrate it by hand "
                "(https://help.sonatype.com/en/upgrade-h2.html)"
            )
    elif parse(before) < NO_ORIENT_SINCE <= parse(desired):
        return (
            f"{desired} does not read the OrientDB of {before}. Go to 3.70 first, move its data to H2 with "
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
    if JAVA_8_ARCHIVE_SINCE <= number < JAVA_17_SINCE:
        return f"nexus-{version}-java8-unix.tar.gz"
    if number < BUNDLED_JAVA_SINCE:
        return f"nexus-{version}-unix.tar.gz"
    if number < ARCHIVE_BY_ARCHITECTURE_SINCE:
        if architecture != "x86_64":
            raise ValueError(f"version {version} has no archive for {architecture}. Use 3.80 or newer")
        return f"nexus-unix-x86-64-{version}.tar.gz"
    return f"nexus-{version}-linux-{'x86_64' if architecture == 'x86_64' else 'aarch_64'}.tar.gz"


def archive_url(version: str, architecture: str) -> str:
    """Where the vendor offers that archive."""
    return f"https://download.sonatype.com/nexus/3/{archive_name(version, architecture)}"
