"""Property values as they travel between program, engine and providers, and how they lie in a file.

A value is plain JSON; a secret is ``{SIGNATURE: SECRET, "value": …}`` and an unknown the text ``UNKNOWN``, as in Pulumi's
own wire format. In a file a secret has a ``ciphertext``, in the format of the CLI's passphrase provider.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc

SIGNATURE: str = rpc._special_sig_key
SECRET: str = rpc._special_secret_sig
UNKNOWN: str = rpc.UNKNOWN

Props = dict[str, Any]


class EngineError(Exception):
    """Something the user must be told; the message is the whole sentence."""


def walk(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """The value with ``leaf`` applied to everything in it that is no list and no mapping, and to every secret."""
    if isinstance(value, dict) and SIGNATURE not in value:
        return {key: walk(item, leaf) for key, item in value.items()}
    return [walk(item, leaf) for item in value] if isinstance(value, list) else leaf(value)


def is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def secret(value: Any) -> Props:
    return value if is_secret(value) else {SIGNATURE: SECRET, "value": value}


def plain(value: Any, mask: str | None = None) -> Any:
    """The value without its marks: secrets in the clear or, with ``mask``, replaced by that text."""
    return walk(value, lambda it: it if not is_secret(it) else plain(it["value"]) if mask is None else mask)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, secret or not (1 and true are not)."""
    return json.dumps(plain(one), sort_keys=True) == json.dumps(plain(other), sort_keys=True)


def annotate(outs: Props, ins: Props) -> Props:
    """Mark what a provider answered in the clear as secret wherever the input of the same key is or holds one."""
    for key in outs.keys() & ins.keys():
        if all(isinstance(side[key], dict) and not is_secret(side[key]) for side in (outs, ins)):
            annotate(outs[key], ins[key])
        elif SECRET in json.dumps(ins[key]):
            outs[key] = secret(outs[key])
    return outs


def to_struct(props: Props) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(props)
    return struct


def from_struct(struct: struct_pb2.Struct) -> Props:
    """Properties out of a message; what the engine can't keep (assets, archives, resource references) is an error."""

    def leaf(value: Any) -> Any:
        if isinstance(value, dict) and not is_secret(value):
            raise EngineError("the sandbox engine has no assets, archives and resource references as values")
        return value

    return dict(walk(json_format.MessageToDict(struct), leaf))


class Keyring:
    """Encrypts with a key made from a passphrase and a stack's salt (``encryptionsalt``; a new one when ``None``)."""

    def __init__(self, passphrase: str, salt: str | None = None) -> None:
        raw = base64.b64decode(salt.split(":")[1]) if salt else os.urandom(8)
        self._key = AESGCM(hashlib.pbkdf2_hmac("sha256", passphrase.encode(), raw, 1_000_000, 32))
        self.salt = salt or f"v1:{base64.b64encode(raw).decode()}:{self.encrypt('pulumi')}"
        self.decrypt(self.salt.split(":", 2)[2])

    def encrypt(self, text: str) -> str:
        nonce = os.urandom(12)
        parts = nonce, self._key.encrypt(nonce, text.encode(), None)
        return ":".join(["v1", *(base64.b64encode(part).decode() for part in parts)])

    def decrypt(self, text: str) -> str:
        try:
            _, nonce, sealed = text.split(":")
            return self._key.decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None).decode()
        except InvalidTag:
            raise EngineError("incorrect passphrase: PULUMI_CONFIG_PASSPHRASE is not this stack's") from None

    def seal(self, value: Any) -> Any:
        """The value with every secret in it encrypted."""

        def leaf(it: Any) -> Any:
            return (
                {SIGNATURE: SECRET, "ciphertext": self.encrypt(json.dumps(it["value"]))} if is_secret(it) else it
            )

        return walk(value, leaf)

    def unseal(self, value: Any) -> Any:
        """The value with every secret in it decrypted, and marked."""
        return walk(value, lambda it: secret(json.loads(self.decrypt(it["ciphertext"]))) if is_secret(it) else it)
