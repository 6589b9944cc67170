"""Until when a certificate holds, from when on it is to be renewed, and for which hosts clients take it.

Plain data in, plain data out; the moment is given.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta, timezone

from cryptography import x509

from .certificates import TIME, certificates_in, certificates_pem, facts, format_name, iso


def validity_error(certificate: x509.Certificate, now: datetime) -> str:
    """Why a certificate does not hold at ``now``; an empty text when it does."""
    name = format_name(certificate.subject)
    if certificate.not_valid_after_utc < now:
        return f"expired on {iso(certificate.not_valid_after_utc)} ({name}). Give a renewed one"
    if certificate.not_valid_before_utc > now:
        begin = iso(certificate.not_valid_before_utc)
        return f"is not valid before {begin} ({name}); it is {iso(now)}: wait, or set this machine's clock right"
    return ""


def hostname_error(certificate: x509.Certificate, hostname: str | None) -> tuple[str, str] | None:
    """Why clients would not take a certificate for this host, as (property, reason); Docker, as every Go program,
    checks its subjectAltName only."""
    names = facts(certificate)["names"]
    if not names:
        return "certificate", (
            f"names no host in its subjectAltName ({format_name(certificate.subject)}), and Docker looks nowhere "
            "else. Have it issued with the host's name there"
        )
    if hostname is None or any(_covers(name, hostname) for name in names):
        return None
    listed = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
    return "hostname", (
        f"{hostname!r} is none of the names that the certificate is for ({listed}), so clients would refuse it. "
        "Give one of these, or a certificate that is for this name"
    )


def _covers(name: str, hostname: str) -> bool:
    try:
        return ipaddress.ip_address(name) == ipaddress.ip_address(hostname.strip("[]"))
    except ValueError:
        name, hostname = name.rstrip(".").lower(), hostname.rstrip(".").lower()
    return name == hostname or (name.startswith("*.") and name[2:] == hostname.partition(".")[2])


def renewal_due(certificate: str, renew_before: int, now: datetime | None = None) -> bool:
    """Whether a certificate ends within ``renew_before`` days from ``now`` (or has ended); 0 is never.

    For the ``diff`` of a resource that issues certificates: when it answers with a change then, what takes the
    certificate, such as a Keystore, follows in the same ``up``.

    Args:
        certificate: in PEM, or its end as Keystore's ``not_after`` writes it.
        renew_before: days.
        now: default: the clock's.
    """
    if "-----BEGIN" in certificate:
        ends = certificates_in(certificates_pem(certificate))[0].not_valid_after_utc
    else:
        ends = datetime.strptime(certificate, TIME).replace(tzinfo=timezone.utc)
    return bool(renew_before) and ends - timedelta(days=renew_before) <= (now or datetime.now(timezone.utc))
