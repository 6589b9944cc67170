"""R repositories: R packages."""

from __future__ import annotations

from .base import GroupRepository, HostedRepository, ProxyRepository


class RHostedRepository(HostedRepository, format="r"):
    """R packages that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/r/hosted``.
    """


class RProxyRepository(ProxyRepository, format="r"):
    """R packages of a remote repository (``https://cran.r-project.org``). It caches what clients request.

    Source: Nexus REST ``/v1/repositories/r/proxy``.
    """


class RGroupRepository(GroupRepository, format="r"):
    """Several repositories of R packages under one address.

    Source: Nexus REST ``/v1/repositories/r/group``.
    """
