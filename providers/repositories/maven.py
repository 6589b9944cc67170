"""Maven repositories: Maven artifacts."""

from __future__ import annotations

from ..declare import Prop, PropertyGroup, prop
from ..schema import choice
from .base import GroupRepository, HostedRepository, ProxyRepository


class MavenPolicies(PropertyGroup):
    """What a Maven repository takes, and how browsers handle a file."""

    version_policy: Prop[str] = prop(
        choice("RELEASE", "SNAPSHOT", "MIXED", upper=True), path="maven.versionPolicy", default="RELEASE"
    )
    """Which versions it holds: ``RELEASE``, ``SNAPSHOT`` or ``MIXED``."""
    layout_policy: Prop[str] = prop(
        choice("STRICT", "PERMISSIVE", upper=True), path="maven.layoutPolicy", default="STRICT"
    )
    """``STRICT`` refuses paths that are not of Maven's layout, ``PERMISSIVE`` takes them."""
    content_disposition: Prop[str] = prop(
        choice("INLINE", "ATTACHMENT", upper=True),
        path="maven.contentDisposition",
        default="ATTACHMENT",
        since="3.33",
        always_sent=True,
    )
    """``INLINE`` (browsers show a file) or ``ATTACHMENT`` (they save it)."""


class MavenHostedRepository(MavenPolicies, HostedRepository, format="maven", stored_format="maven2"):
    """Maven artifacts that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/maven/hosted``.
    """


class MavenProxyRepository(MavenPolicies, ProxyRepository, format="maven", stored_format="maven2"):
    """Maven artifacts of a remote repository. It caches what clients request.

    Source: Nexus REST ``/v1/repositories/maven/proxy``.
    """


class MavenGroupRepository(GroupRepository, format="maven", stored_format="maven2"):
    """Several repositories of Maven artifacts under one address.

    Source: Nexus REST ``/v1/repositories/maven/group``.
    """
