"""The authority of a server's certificate, as given in ``ca``: checked in preview, trusted by the client."""

from __future__ import annotations

import functools
import ssl

from .certificates import certificates_pem
from .errors import Untrusted
from .schema import Invalid


def authority_pem(value: object) -> str:
    """The certificates in a PEM text, in one form, each of which TLS can use."""
    if isinstance(value, str) and value.strip() and "-----BEGIN" not in value:
        raise Invalid("must be a certificate in PEM, from -----BEGIN CERTIFICATE----- on, not the path of a file")
    return _usable(value) if isinstance(value, str) else certificates_pem(value)


@functools.lru_cache(maxsize=8)  # every check of a resource checks the configured authority
def _usable(text: str) -> str:
    known = certificates_pem(text)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=known)
    except (ssl.SSLError, ValueError) as error:
        raise Invalid(f"contains a certificate that TLS can't use ({error}). Give another one") from None
    return known


def tls_context(ca: str = "") -> ssl.SSLContext:
    """A context that trusts the public authorities and these certificates; raises :class:`Untrusted` when they are
    not usable."""
    context = ssl.create_default_context()
    # Set from Python 3.13 on. It refuses authorities as `openssl req -x509` makes them, which Docker accepts.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    try:
        if ca:
            context.load_verify_locations(cadata=authority_pem(ca))
    except Invalid as error:
        raise Untrusted(f"ca: {error}") from None
    return context
