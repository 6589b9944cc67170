"""Go repositories: Go modules."""

from __future__ import annotations

from .base import GroupRepository, HostedRepository, ProxyRepository


class GoHostedRepository(HostedRepository, format="go", since="3.93"):
    """Go modules that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/go/hosted``.
    """


class GoProxyRepository(ProxyRepository, format="go"):
    """Go modules of a remote repository. It caches what clients request.

    Source: Nexus REST ``/v1/repositories/go/proxy``.
    """


class GoGroupRepository(GroupRepository, format="go"):
    """Several repositories of Go modules under one address.

    Source: Nexus REST ``/v1/repositories/go/group``.
    """
