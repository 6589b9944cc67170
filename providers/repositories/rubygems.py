"""RubyGems repositories: Ruby gems."""

from __future__ import annotations

from .base import GroupRepository, HostedRepository, ProxyRepository


class RubygemsHostedRepository(HostedRepository, format="rubygems"):
    """Ruby gems that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/rubygems/hosted``.
    """


class RubygemsProxyRepository(ProxyRepository, format="rubygems"):
    """Ruby gems of a remote repository (``https://rubygems.org``). It caches what clients request.

    Source: Nexus REST ``/v1/repositories/rubygems/proxy``.
    """


class RubygemsGroupRepository(GroupRepository, format="rubygems"):
    """Several repositories of Ruby gems under one address.

    Source: Nexus REST ``/v1/repositories/rubygems/group``.
    """
