"""Apt repositories: Debian packages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..declare import Prop, prop
from ..schema import boolean, text
from .base import HostedRepository, ProxyRepository
from .lifecycle import ProxyProvider
from .signing import OPENPGP_KEY, OptionalSigningKey, SigningKey


class AptHostedRepository(SigningKey, HostedRepository, format="apt"):
    """Debian packages that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/apt/hosted``.
    """

    distribution: Prop[str] = prop(text(), path="apt.distribution")
    """Name of the distribution that it serves, as in ``deb <url> <distribution> main``."""


class AptProxyRepositoryProvider(ProxyProvider):
    format = "apt"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from super().validate(inputs)
        if inputs.get("enforce_distribution") is True and inputs.get("distribution") is None:
            yield "distribution", "is required with enforce_distribution"


class AptProxyRepository(OptionalSigningKey, ProxyRepository, provider=AptProxyRepositoryProvider, format="apt"):
    """Debian packages of a remote repository. It caches what clients request.

    Source: Nexus REST ``/v1/repositories/apt/proxy``.
    """

    distribution: Prop[str | None] = prop(text(), path="apt.distribution", default=None)
    """Name of the distribution, such as ``bookworm``."""
    flat: Prop[bool] = prop(boolean, path="apt.flat", default=False)
    """The remote has no folders for distributions."""
    enforce_distribution: Prop[bool] = prop(boolean, path="apt.enforceDistribution", default=False, since="3.90")
    """Refuse requests for any other distribution."""
    signing_keypair: Prop[str | None] = prop(
        OPENPGP_KEY, path="aptSigning.keypair", default=None, secret=True, since="3.91"
    )
    """Private key for signing, in OpenPGP armor."""
    signing_passphrase: Prop[str | None] = prop(
        text(empty=True), path="aptSigning.passphrase", default=None, secret=True, since="3.91"
    )
    """Passphrase of the key."""
