"""p2 repositories: Eclipse plug-ins (p2)."""

from __future__ import annotations

from .base import ProxyRepository


class P2ProxyRepository(ProxyRepository, format="p2"):
    """Eclipse plug-ins (p2) of a remote repository (``https://download.eclipse.org/releases/latest``). It caches
    what clients request.

    Source: Nexus REST ``/v1/repositories/p2/proxy``.
    """
