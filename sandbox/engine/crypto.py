"""Secrets at rest, in the format of the CLI's passphrase provider, so that one stack file serves both engines."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from functools import cached_property
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .values import SIGNATURE, EngineError, is_secret, secret

PROOF = "pulumi"
"""What is encrypted beside the salt: it decrypts to this only with the right passphrase."""


class Keyring:
    """Encrypts and decrypts with a key made from a passphrase and the salt of a stack (a new one when ``None``)."""

    def __init__(self, passphrase: str, state: str | None = None) -> None:
        self._passphrase = passphrase
        salt = base64.b64decode(state.split(":")[1]) if state else os.urandom(8)
        self._salt = salt
        if state and self._try(state.split(":", 2)[2]) != PROOF:
            raise EngineError("incorrect passphrase: PULUMI_CONFIG_PASSPHRASE is not the one of this stack")
        self.state = state or f"v1:{base64.b64encode(salt).decode()}:{self.encrypt(PROOF)}"

    @cached_property
    def _key(self) -> AESGCM:
        return AESGCM(hashlib.pbkdf2_hmac("sha256", self._passphrase.encode(), self._salt, 1_000_000, 32))

    def encrypt(self, text: str) -> str:
        """``v1:<nonce>:<ciphertext>``."""
        nonce = os.urandom(12)
        sealed = self._key.encrypt(nonce, text.encode(), None)
        return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, text: str) -> str:
        """The text behind what ``encrypt`` made."""
        clear = self._try(text)
        if clear is None:
            raise EngineError("a secret can't be decrypted with this stack's passphrase")
        return clear

    def _try(self, text: str) -> str | None:
        version, nonce, sealed = text.split(":")
        if version != "v1":
            raise EngineError(f"a secret of the unknown version {version}")
        try:
            return self._key.decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None).decode()
        except InvalidTag:
            return None

    def seal(self, value: Any) -> Any:
        """The value with every secret in it encrypted."""
        if is_secret(value):
            return {SIGNATURE: value[SIGNATURE], "ciphertext": self.encrypt(json.dumps(value["value"]))}
        if isinstance(value, dict):
            return {key: self.seal(item) for key, item in value.items()}
        return [self.seal(item) for item in value] if isinstance(value, list) else value

    def unseal(self, value: Any) -> Any:
        """The value with every secret in it decrypted, and still marked."""
        if isinstance(value, dict):
            if SIGNATURE in value:
                return secret(json.loads(self.decrypt(value["ciphertext"])))
            return {key: self.unseal(item) for key, item in value.items()}
        return [self.unseal(item) for item in value] if isinstance(value, list) else value
