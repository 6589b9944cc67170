"""pub repositories: Dart and Flutter packages."""

from __future__ import annotations

from .base import GroupRepository, HostedRepository, ProxyRepository


class PubHostedRepository(HostedRepository, format="pub", since="3.92"):
    """Dart and Flutter packages that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/pub/hosted``.
    """


class PubProxyRepository(ProxyRepository, format="pub", since="3.92"):
    """Dart and Flutter packages of a remote repository (``https://pub.dev``). It caches what clients request.

    Source: Nexus REST ``/v1/repositories/pub/proxy``.
    """


class PubGroupRepository(GroupRepository, format="pub", since="3.92"):
    """Several repositories of Dart and Flutter packages under one address.

    Source: Nexus REST ``/v1/repositories/pub/group``.
    """
