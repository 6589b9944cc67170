"""Property values in the forms that Pulumi has for them, on the wire and in files.

A value is plain JSON; a secret is ``{SIGNATURE: SECRET, "value": …}`` and an unknown the text ``UNKNOWN``. At rest
a secret has a ``ciphertext`` in the format of the CLI's passphrase provider: one stack file serves both engines.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pulumi.runtime import rpc

SIGNATURE, SECRET, UNKNOWN = rpc._special_sig_key, rpc._special_secret_sig, rpc.UNKNOWN
Props = dict[str, Any]


class UserError(Exception):
    """An error for the user; its message is complete."""


def walk(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """The value with ``leaf`` applied to everything in it that is no list and no mapping, and to every secret."""
    if isinstance(value, dict) and SIGNATURE not in value:
        return {key: walk(item, leaf) for key, item in value.items()}
    return [walk(item, leaf) for item in value] if isinstance(value, list) else leaf(value)


def is_secret(value: Any) -> bool:
    """Whether this very value is a secret."""
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def secret(value: Any) -> Props:
    """The value, marked."""
    return value if is_secret(value) else {SIGNATURE: SECRET, "value": value}


def plain(value: Any, mask: str | None = None) -> Any:
    """The value without its marks: secrets in the clear or, with ``mask``, replaced by that text."""
    return walk(value, lambda it: it if not is_secret(it) else plain(it["value"]) if mask is None else mask)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, secret or not (1 and true are not)."""
    return json.dumps(plain(one), sort_keys=True) == json.dumps(plain(other), sort_keys=True)


def annotate(outs: Props, ins: Props) -> Props:
    """Mark what came back in the clear as secret wherever the input of the same key is or holds one."""
    for key in outs.keys() & ins.keys():
        if all(isinstance(side[key], dict) and not is_secret(side[key]) for side in (outs, ins)):
            annotate(outs[key], ins[key])
        elif SECRET in json.dumps(ins[key]):
            outs[key] = secret(outs[key])
    return outs


@cache
def _derived(passphrase: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, 1_000_000, 32)


class Keyring:
    """Encrypts with a key made of a passphrase and a stack's ``encryptionsalt`` (a new one when ``None``)."""

    def __init__(self, passphrase: str, salt: str | None = None) -> None:
        raw = base64.b64decode(salt.split(":")[1]) if salt else os.urandom(8)
        self._key = AESGCM(_derived(passphrase, raw))
        self.salt = salt or f"v1:{base64.b64encode(raw).decode()}:{self.encrypt('pulumi')}"
        self.decrypt(self.salt.split(":", 2)[2])

    def encrypt(self, text: str) -> str:
        """``v1:<nonce>:<ciphertext>``, which is what ``secure`` holds in a stack file."""
        nonce = os.urandom(12)
        parts = nonce, self._key.encrypt(nonce, text.encode(), None)
        return ":".join(["v1", *(base64.b64encode(part).decode() for part in parts)])

    def decrypt(self, text: str) -> str:
        """The decrypted text."""
        try:
            nonce, sealed = map(base64.b64decode, text.split(":")[1:])
            return self._key.decrypt(nonce, sealed, None).decode()
        except InvalidTag:
            raise UserError("incorrect passphrase: PULUMI_CONFIG_PASSPHRASE is not this stack's") from None

    def seal(self, it: Any) -> Any:
        """A secret encrypted, anything else as it is."""
        return {SIGNATURE: SECRET, "ciphertext": self.encrypt(json.dumps(it["value"]))} if is_secret(it) else it

    def unseal(self, it: Any) -> Any:
        """What ``seal`` was given."""
        return secret(json.loads(self.decrypt(it["ciphertext"]))) if is_secret(it) else it
