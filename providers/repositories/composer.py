"""Composer repositories: PHP packages for Composer."""

from __future__ import annotations

from .base import ProxyRepository


class ComposerProxyRepository(ProxyRepository, format="composer", since="3.75"):
    """PHP packages for Composer of a remote repository (``https://repo.packagist.org``). It caches what clients
    request.

    Source: Nexus REST ``/v1/repositories/composer/proxy``.
    """
