"""SslTrust: a certificate that Nexus trusts when it connects to others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1

from ..certificates import certificates_in, certificates_pem
from ..client import NexusClient
from ..declare import NexusResource, Prop, prop
from ..kind import Actual
from ..rest import ListedProvider
from ..schema import Invalid


def _one_certificate(value: Any) -> str:
    pem = certificates_pem(value)
    count = pem.count("-----BEGIN")
    if count != 1:
        raise Invalid(f"holds {count} certificates. Make an SslTrust of each one")
    return pem


def fingerprint(pem: str) -> str:
    """The id that Nexus gives a certificate: its SHA-1 in pairs of digits."""
    return certificates_in(pem)[0].fingerprint(SHA1()).hex(":").upper()  # noqa: S303 - no signature: a name


class SslTrustProvider(ListedProvider):
    kind = "trusted certificate"
    collection = "/v1/security/ssl/truststore"
    update_path = ""

    def identity(self, inputs: Mapping[str, Any]) -> str:
        return fingerprint(inputs["certificate"])

    def is_it(self, entry: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
        return bool(entry["id"] == self.identity(inputs))

    def actual(self, body: Mapping[str, Any]) -> Actual:
        return Actual(body, {"certificate": certificates_pem(body["pem"]), "fingerprint": body["fingerprint"]})

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        client.post_raw(self.collection, inputs["certificate"].encode(), "application/json")


class SslTrust(NexusResource, provider=SslTrustProvider, key="certificate"):
    """A certificate that Nexus trusts when it connects to LDAP, mail and other servers with ``use_trust_store``.

    One of several programs that trust the same certificate takes it away for all when it deletes it.

    Source: Nexus REST ``/v1/security/ssl/truststore``.
    """

    certificate: Prop[str] = prop(_one_certificate, path="pem", replaces=True)
    """One certificate in PEM."""
    fingerprint: Prop[str] = prop(computed=True, path="fingerprint")
    """Its SHA-1, which is its id on the server."""
