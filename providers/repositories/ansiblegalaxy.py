"""Ansible Galaxy repositories: Ansible collections and roles."""

from __future__ import annotations

from .base import GroupRepository, HostedRepository, ProxyRepository


class AnsibleGalaxyHostedRepository(HostedRepository, format="ansiblegalaxy", since="3.93"):
    """Ansible collections and roles that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/ansiblegalaxy/hosted``.
    """


class AnsibleGalaxyProxyRepository(ProxyRepository, format="ansiblegalaxy", since="3.93"):
    """Ansible collections and roles of a remote repository (``https://galaxy.ansible.com``). It caches what
    clients request.

    Source: Nexus REST ``/v1/repositories/ansiblegalaxy/proxy``.
    """


class AnsibleGalaxyGroupRepository(GroupRepository, format="ansiblegalaxy", since="3.93"):
    """Several repositories of Ansible collections and roles under one address.

    Source: Nexus REST ``/v1/repositories/ansiblegalaxy/group``.
    """
