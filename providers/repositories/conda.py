"""Conda repositories: Conda packages."""

from __future__ import annotations

from .base import GroupRepository, HostedRepository, ProxyRepository


class CondaHostedRepository(HostedRepository, format="conda", since="3.92"):
    """Conda packages that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/conda/hosted``.
    """


class CondaProxyRepository(ProxyRepository, format="conda"):
    """Conda packages of a remote repository (``https://repo.anaconda.com/pkgs``). It caches what clients request.

    Source: Nexus REST ``/v1/repositories/conda/proxy``.
    """


class CondaGroupRepository(GroupRepository, format="conda", since="3.92"):
    """Several repositories of Conda packages under one address.

    Source: Nexus REST ``/v1/repositories/conda/group``.
    """
