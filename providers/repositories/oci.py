"""OCI repositories: OCI images and artifacts."""

from __future__ import annotations

from ..declare import Prop, PropertyGroup, prop
from ..schema import choice, text
from .images import ImageGroupRepository, ImageHostedRepository, ImageProxyRepository


class Cosign(PropertyGroup, optional="cosign"):
    """Whether images must be signed with cosign."""

    cosign_enforcement: Prop[str] = prop(
        choice("NONE", "KEYLESS", upper=True), path="cosign.enforcement", default="NONE"
    )
    """``NONE``, or ``KEYLESS``: a pull needs a valid keyless signature."""
    cosign_identity_regex: Prop[str | None] = prop(text(max_length=512), path="cosign.identityRegex", default=None)
    """Regular expression for the signer's name in the certificate, at most 512 characters."""
    cosign_issuer_regex: Prop[str | None] = prop(text(max_length=512), path="cosign.issuerRegex", default=None)
    """Regular expression for the issuer of the signer's identity, at most 512 characters."""


class OciHostedRepository(Cosign, ImageHostedRepository, format="oci", since="3.94"):
    """OCI images and artifacts that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/oci/hosted``.
    """


class OciProxyRepository(Cosign, ImageProxyRepository, format="oci", since="3.94"):
    """OCI images and artifacts of a remote repository. It caches what clients request.

    Source: Nexus REST ``/v1/repositories/oci/proxy``.
    """


class OciGroupRepository(Cosign, ImageGroupRepository, format="oci", since="3.94"):
    """Several repositories of OCI images and artifacts under one address.

    Source: Nexus REST ``/v1/repositories/oci/group``.
    """
