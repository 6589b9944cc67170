"""The keys that sign what a repository serves: OpenPGP, and RSA in PEM for Alpine."""

from __future__ import annotations

import base64
import re
from typing import Any

from ..declare import Prop, PropertyGroup, prop
from ..schema import Invalid, Normalise, described, limits, text

_SECRET_KEY = 5
"""The tag of the OpenPGP packet that a private key begins with (RFC 9580, section 5)."""
_NO_BASE64 = re.compile(r"(?m)^.*:.*$|^=[\w+/]{4}\s*$|\s")
"""Headers, the checksum of OpenPGP armor, and white space."""


def _private_key(label: str, hint: str, *, openpgp: bool) -> Normalise:
    """A check for an armored private key, whose value is no part of a message."""
    taken = text(multiline=True)

    def normalise(value: Any) -> str:
        given = str(taken(value))
        armor = re.match(rf"\s*-----BEGIN ({label})-----[ \t\r]*\n(.*?)-----END \1-----", given, re.DOTALL)
        if not armor:
            raise Invalid(f"must be {hint}")
        try:
            key = base64.b64decode(_NO_BASE64.sub("", armor[2]), validate=True)
        except ValueError:
            key = b""
        if not key or (openpgp and _packet(key[0]) != _SECRET_KEY):
            raise Invalid(f"holds no private key between its BEGIN and END lines. Give {hint}")
        return given

    return described(normalise, **{**limits(taken), "pattern": label})


def _packet(octet: int) -> int:
    """The tag of the OpenPGP packet that begins with this octet; 0 for what is no packet."""
    if not octet & 0x80:
        return 0
    return octet & 0x3F if octet & 0x40 else octet >> 2 & 0x0F


OPENPGP_KEY = _private_key(
    "PGP PRIVATE KEY BLOCK",
    "an OpenPGP private key as `gpg --export-secret-keys --armor` prints it",
    openpgp=True,
)
RSA_KEY = _private_key("(?:RSA |ENCRYPTED )?PRIVATE KEY", "an RSA private key in PEM", openpgp=False)


class SigningKey(PropertyGroup):
    """The key that signs what the repository serves."""

    signing_keypair: Prop[str] = prop(OPENPGP_KEY, path="{format}Signing.keypair", secret=True)
    """Private key for signing, in OpenPGP armor."""
    signing_passphrase: Prop[str | None] = prop(
        text(empty=True), path="{format}Signing.passphrase", default=None, secret=True
    )
    """Passphrase of the key."""


class OptionalSigningKey(PropertyGroup, optional="{format}Signing", requires=("signing_keypair",)):
    """The key that signs what the repository serves, where it need not be signed anew."""

    signing_keypair: Prop[str | None] = prop(
        OPENPGP_KEY, path="{format}Signing.keypair", default=None, secret=True
    )
    """Private key for signing, in OpenPGP armor."""
    signing_passphrase: Prop[str | None] = prop(
        text(empty=True), path="{format}Signing.passphrase", default=None, secret=True
    )
    """Passphrase of the key."""


class RsaSigningKey(SigningKey):
    """The same with a key of another form."""

    signing_keypair: Prop[str] = prop(RSA_KEY, path="{format}Signing.keypair", secret=True)
    """RSA private key for signing, in PEM."""


class OptionalRsaSigningKey(OptionalSigningKey):
    """The same with a key of another form."""

    signing_keypair: Prop[str | None] = prop(RSA_KEY, path="{format}Signing.keypair", default=None, secret=True)
    """RSA private key for signing, in PEM."""
