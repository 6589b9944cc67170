"""Conan repositories: C and C++ packages for Conan."""

from __future__ import annotations

from ..declare import Prop, prop
from ..schema import choice
from .base import GroupRepository, HostedRepository, ProxyRepository, WritableMember


class ConanHostedRepository(HostedRepository, format="conan", since="3.69"):
    """C and C++ packages for Conan that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/conan/hosted``.
    """


class ConanProxyRepository(ProxyRepository, format="conan"):
    """C and C++ packages for Conan of a remote repository (``https://center2.conan.io``). It caches what clients
    request.

    Source: Nexus REST ``/v1/repositories/conan/proxy``.
    """

    conan_version: Prop[str] = prop(choice("V1", "V2", upper=True), path="conanProxy.conanVersion", default="V2")
    """Version of Conan's protocol that the remote speaks, ``V1`` or ``V2``."""


class ConanGroupRepository(WritableMember, GroupRepository, format="conan", since="3.75"):
    """Several repositories of C and C++ packages for Conan under one address.

    Source: Nexus REST ``/v1/repositories/conan/group``.
    """
