"""Docker repositories: hosted, proxy and group."""

from __future__ import annotations

from ..declare import Prop, PropertyGroup, prop
from ..schema import boolean, text
from .images import ImageGroupRepository, ImageHostedProvider, ImageHostedRepository, ImageProxyRepository


class DockerHostedRepositoryProvider(ImageHostedProvider):
    kind = "docker repository"


class DockerHostedRepository(ImageHostedRepository, provider=DockerHostedRepositoryProvider, format="docker"):
    """A hosted docker repository and the ports at which Docker clients reach it.

    Errors: a taken name, an unknown blob store, a refused or dead port, ``path_enabled`` on an older server,
    images that prevent a deletion.

    Source: Nexus REST ``/v1/repositories/docker/hosted``.
    """


class EcrAuthentication(PropertyGroup, optional="dockerProxy.ecrAuth"):
    """Tokens for Amazon ECR, which Nexus draws itself."""

    ecr_enabled: Prop[bool] = prop(
        boolean, path="dockerProxy.ecrAuth.enabled", default=False, since="3.94", edition="pro"
    )
    """Log in to Amazon ECR with tokens that Nexus renews."""
    ecr_region: Prop[str | None] = prop(
        text(), path="dockerProxy.ecrAuth.awsRegion", default=None, since="3.94", edition="pro"
    )
    """AWS region of the registry."""
    ecr_registry_id: Prop[str | None] = prop(
        text(), path="dockerProxy.ecrAuth.registryId", default=None, since="3.94", edition="pro"
    )
    """AWS account of the registry."""
    ecr_access_key_id: Prop[str | None] = prop(
        text(), path="dockerProxy.ecrAuth.accessKeyId", default=None, since="3.94", edition="pro"
    )
    """Access key; without one the server's own role is used."""
    ecr_secret_access_key: Prop[str | None] = prop(
        text(),
        path="dockerProxy.ecrAuth.secretAccessKey",
        default=None,
        secret=True,
        since="3.94",
        edition="pro",
    )
    """Secret of the access key."""


class DockerProxyRepository(EcrAuthentication, ImageProxyRepository, format="docker"):
    """A docker repository in front of another registry, of which it keeps what was pulled.

    Errors: those of a hosted one; with ``probe_image``, a login that the remote refuses, or an image that it has
    not.

    Source: Nexus REST ``/v1/repositories/docker/proxy``.
    """


class DockerGroupRepository(ImageGroupRepository, format="docker"):
    """Several docker repositories under one address.

    Source: Nexus REST ``/v1/repositories/docker/group``.
    """
