"""npm repositories: npm packages."""

from __future__ import annotations

from ..declare import Prop, PropertyGroup, prop
from ..schema import boolean
from .base import GroupRepository, HostedRepository, ProxyRepository, WritableMember


class RemoveQuarantined(PropertyGroup):
    """Repository Firewall up to 3.93; later ``firewall_mode``."""

    remove_quarantined: Prop[bool] = prop(
        boolean, path="{format}.removeQuarantined", default=False, until="3.93", edition="pro"
    )
    """Hide versions that Repository Firewall holds in quarantine from the lists of a package."""


class NpmHostedRepository(HostedRepository, format="npm"):
    """Packages of npm that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/npm/hosted``.
    """


class NpmProxyRepository(RemoveQuarantined, ProxyRepository, format="npm"):
    """Packages of npm of a remote repository. It caches what clients request.

    Source: Nexus REST ``/v1/repositories/npm/proxy``.
    """


class NpmGroupRepository(WritableMember, GroupRepository, format="npm"):
    """Several repositories of npm packages under one address.

    Source: Nexus REST ``/v1/repositories/npm/group``.
    """
