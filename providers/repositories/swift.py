"""Swift repositories: Swift packages."""

from __future__ import annotations

from .base import GroupRepository, ProxyRepository, RequireAuthentication, UploadRepository


class SwiftHostedRepository(UploadRepository, format="swift", since="3.90"):
    """Swift packages that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/swift/hosted``.
    """


class SwiftProxyRepository(RequireAuthentication, ProxyRepository, format="swift", since="3.89"):
    """Swift packages of a remote repository (``https://github.com``). It caches what clients request.

    Source: Nexus REST ``/v1/repositories/swift/proxy``.
    """


class SwiftGroupRepository(GroupRepository, format="swift", since="3.91"):
    """Several repositories of Swift packages under one address.

    Source: Nexus REST ``/v1/repositories/swift/group``.
    """
