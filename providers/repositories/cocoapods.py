"""CocoaPods repositories: CocoaPods specifications and archives."""

from __future__ import annotations

from .base import ProxyRepository


class CocoapodsProxyRepository(ProxyRepository, format="cocoapods"):
    """CocoaPods specifications and archives of a remote repository (``https://cdn.cocoapods.org``). It caches
    what clients request.

    Source: Nexus REST ``/v1/repositories/cocoapods/proxy``.
    """
