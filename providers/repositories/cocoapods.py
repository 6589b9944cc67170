"""CocoaPods repositories: CocoaPods specifications and archives."""

from __future__ import annotations

from .base import ProxyRepository


class CocoapodsProxyRepository(ProxyRepository, format="cocoapods"):
    """CocoaPods specifications and archives of a remote repository (``https://cdn.cocoapods.org``), of which it
    keeps what was asked for.

    Source: Nexus REST ``/v1/repositories/cocoapods/proxy``.
    """
