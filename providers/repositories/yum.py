"""Yum repositories: RPM packages."""

from __future__ import annotations

from ..declare import Prop, prop
from ..schema import choice, integer
from .base import GroupRepository, HostedRepository, ProxyRepository
from .signing import OptionalSigningKey


class YumHostedRepository(HostedRepository, format="yum"):
    """RPM packages that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/yum/hosted``.
    """

    repodata_depth: Prop[int] = prop(integer(0, 5), path="yum.repodataDepth", default=0)
    """At which depth of folders the ``repodata`` folders stand, 0 to 5."""
    deploy_policy: Prop[str] = prop(
        choice("STRICT", "PERMISSIVE", upper=True), path="yum.deployPolicy", default="STRICT"
    )
    """``STRICT`` takes only RPMs and Yum's metadata, ``PERMISSIVE`` any file."""


class YumProxyRepository(OptionalSigningKey, ProxyRepository, format="yum"):
    """RPM packages of a remote repository. It caches what clients request.

    Source: Nexus REST ``/v1/repositories/yum/proxy``.
    """


class YumGroupRepository(OptionalSigningKey, GroupRepository, format="yum"):
    """Several repositories of RPM packages under one address.

    Source: Nexus REST ``/v1/repositories/yum/group``.
    """
