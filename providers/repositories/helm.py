"""Helm repositories: Helm charts."""

from __future__ import annotations

from .base import GroupRepository, HostedRepository, ProxyRepository


class HelmHostedRepository(HostedRepository, format="helm"):
    """Helm charts that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/helm/hosted``.
    """


class HelmProxyRepository(ProxyRepository, format="helm"):
    """Helm charts of a remote repository. It caches what clients request.

    Source: Nexus REST ``/v1/repositories/helm/proxy``.
    """


class HelmGroupRepository(GroupRepository, format="helm", since="3.92"):
    """Several repositories of Helm charts under one address.

    Source: Nexus REST ``/v1/repositories/helm/group``.
    """
