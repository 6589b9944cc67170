"""Alpine repositories: Alpine Linux packages."""

from __future__ import annotations

from .base import GroupRepository, HostedRepository, ProxyRepository
from .signing import OptionalRsaSigningKey, RsaSigningKey


class AlpineHostedRepository(OptionalRsaSigningKey, HostedRepository, format="alpine", since="3.93"):
    """Alpine Linux packages that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/alpine/hosted``.
    """


class AlpineProxyRepository(RsaSigningKey, ProxyRepository, format="alpine", since="3.93"):
    """Alpine Linux packages of a remote repository (``https://dl-cdn.alpinelinux.org/alpine``). It caches what
    clients request.

    Source: Nexus REST ``/v1/repositories/alpine/proxy``.
    """


class AlpineGroupRepository(RsaSigningKey, GroupRepository, format="alpine", since="3.93"):
    """Several repositories of Alpine Linux packages under one address.

    Source: Nexus REST ``/v1/repositories/alpine/group``.
    """
