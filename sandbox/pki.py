"""A certificate authority for the sandbox: certificates that clients here trust, and ones that they must not."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KeyKind = Literal["rsa", "ec"]
_KEY_TYPES = {"rsa": trustme.KeyType.RSA, "ec": trustme.KeyType.ECDSA}


@dataclass(frozen=True)
class Issued:
    """A server's key and certificate, all PEM text.

    ``private_key_pem`` is unencrypted PKCS#8. ``chain_pem`` leads from the certificate to the authority: the
    intermediate's certificate, or nothing when the authority signed it itself; the authority is not in it.
    """

    private_key_pem: str
    certificate_pem: str
    chain_pem: str


@dataclass(frozen=True)
class Authority:
    """A root certificate and its key, both PEM text; ``certificate_pem`` is what clients trust."""

    certificate_pem: str
    private_key_pem: str

    @classmethod
    def create(cls, name: str = "Sandbox CA") -> Authority:
        """A new authority of an organization of this name."""
        made = trustme.CA(organization_name=name)
        return cls(made.cert_pem.bytes().decode(), made.private_key_pem.bytes().decode())

    @classmethod
    def load(cls, folder: Path) -> Authority:
        """The authority that ``save`` left in a folder."""
        return cls((folder / "ca.pem").read_text(), (folder / "ca-key.pem").read_text())

    @classmethod
    def kept(cls, folder: Path) -> Authority:
        """The authority of a folder, made there the first time."""
        if not (folder / "ca.pem").exists():
            cls.create("Sandbox CA").save(folder)
        return cls.load(folder)

    def save(self, folder: Path) -> None:
        """Write ``ca-key.pem`` (0600) and ``ca.pem`` to a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        key = folder / "ca-key.pem"
        key.touch(mode=0o600)
        key.write_text(self.private_key_pem)
        (folder / "ca.pem").write_text(self.certificate_pem)

    def issue(
        self,
        names: Sequence[str],
        *,
        key: KeyKind = "rsa",
        days: float = 90,
        not_before: dt.datetime | None = None,
        not_after: dt.datetime | None = None,
        intermediate: bool = False,
    ) -> Issued:
        """A certificate for a server with these DNS names and IP addresses, the first one its common name.

        It is valid from an hour ago on for ``days`` days, unless ``not_before`` and ``not_after`` (with a time
        zone) say otherwise: in the past for an expired one, in the future for one that is not valid yet.
        ``intermediate`` puts one more authority between the root and it. Raises ``ValueError`` without a name,
        or when it would end before it begins.
        """
        now = dt.datetime.now(dt.timezone.utc)
        start = not_before or min(
            now - dt.timedelta(hours=1), not_after - dt.timedelta(days=1) if not_after else now
        )
        issuer = trustme.CA.from_pem(self.certificate_pem.encode(), self.private_key_pem.encode())
        leaf = (issuer.create_child_ca() if intermediate else issuer).issue_cert(
            *names,
            common_name=names[0] if names else None,
            not_before=start,
            not_after=not_after or max(start, now) + dt.timedelta(days=days),
            key_type=_KEY_TYPES[key],
        )
        certificate, *chain = (one.bytes().decode() for one in leaf.cert_chain_pems)
        made = load_pem_private_key(leaf.private_key_pem.bytes(), password=None)
        pkcs8 = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Issued(pkcs8.decode(), certificate, "".join(chain))
