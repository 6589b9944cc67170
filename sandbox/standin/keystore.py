"""TLS of the server, from a keystore as Jetty reads it: PKCS#12 or JKS, read again when it changes."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from typing import Any

import jks
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    pkcs12,
)
from cryptography.x509 import Certificate, load_der_x509_certificate

from .config import CannotStart, Tls

_SCANNER = logging.getLogger("org.eclipse.jetty.util.ssl.KeyStoreScanner")
_SELECTOR = logging.getLogger("org.eclipse.jetty.io.ManagedSelector")
_JKS = b"\xfe\xed\xfe\xed"
_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


class ServerTls:
    """A TLS context for every HTTPS listener, whose certificate is what the keystore held at the last look.

    A keystore that can't be read fails the start. One that becomes unreadable later takes every handshake down,
    with no fall-back to the old certificate, until a readable one is there: as Jetty's scanner does.
    """

    def __init__(self, settings: Tls) -> None:
        self._settings = settings
        self._seen = self._stamp()
        self._current: ssl.SSLContext | None = _context(settings)
        self.context = _context(settings)
        self.context.sni_callback = self._choose

    async def watch(self) -> None:
        """Look for a changed keystore at the interval of the scanner; returns at once where there is none."""
        while self._settings.scan_interval:
            await asyncio.sleep(self._settings.scan_interval)
            stamp = self._stamp()
            if stamp == self._seen:
                continue
            self._seen = stamp
            self._current = None
            try:
                self._current = _context(self._settings)
                _SCANNER.info("Reloaded %s", self._settings.keystore)
            except CannotStart as error:
                _SCANNER.warning("Keystore Reload Failed\n%s", error)

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> int | None:
        if self._current is None:
            _SELECTOR.warning("java.lang.IllegalStateException: SslContextFactory reload failed")
            return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
        connection.context = self._current
        return None

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._settings.keystore.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def _context(settings: Tls) -> ssl.SSLContext:
    """A context with the keystore's key and chain. Raises ``CannotStart`` in Jetty's words."""
    raw = _read(settings.truststore)
    _open(raw, settings.trust_password, settings.trust_password)
    key, chain = _open(_read(settings.keystore), settings.password, settings.key_password)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    known = sorted(_VERSIONS[name] for name in settings.protocols if name in _VERSIONS)
    context.minimum_version, context.maximum_version = known[0], known[-1]
    memory = os.memfd_create("certificate")  # the key never touches a disk
    try:
        os.write(memory, pem + b"".join(one.public_bytes(Encoding.PEM) for one in chain))
        context.load_cert_chain(f"/proc/self/fd/{memory}")
    finally:
        os.close(memory)
    return context


def _read(path: Any) -> bytes:
    try:
        return bytes(path.read_bytes())
    except OSError as error:
        raise CannotStart(f"java.io.IOException: {path}: {error.strerror}") from None


def _open(raw: bytes, password: str, key_password: str) -> tuple[Any, list[Certificate]]:
    """The private key and its chain."""
    try:
        if raw.startswith(_JKS):
            entry = next(iter(jks.KeyStore.loads(raw, password).private_keys.values()))
            if not entry.is_decrypted():
                entry.decrypt(key_password)
            chain = [load_der_x509_certificate(der) for _, der in entry.cert_chain]
            return load_der_private_key(entry.pkey_pkcs8, None), chain
        found = pkcs12.load_pkcs12(raw, password.encode())
    except StopIteration:
        raise CannotStart("java.lang.IllegalStateException: no valid keystore: no private key") from None
    except jks.DecryptionFailureException:
        raise CannotStart("java.security.UnrecoverableKeyException: Cannot recover key") from None
    except jks.KeystoreSignatureException:
        raise CannotStart("java.io.IOException: Keystore was tampered with, or password was incorrect") from None
    except ValueError as error:
        words = "keystore password was incorrect" if "assword" in str(error) else "Invalid keystore format"
        raise CannotStart(f"java.io.IOException: {words}") from None
    if found.key is None or found.cert is None:
        raise CannotStart("java.lang.IllegalStateException: no valid keystore: no private key")
    if key_password != password:
        raise CannotStart("java.security.UnrecoverableKeyException: Get Key failed")
    return found.key, [found.cert.certificate, *(extra.certificate for extra in found.additional_certs)]
