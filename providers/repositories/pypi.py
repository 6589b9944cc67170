"""PyPI repositories: Python packages."""

from __future__ import annotations

from typing import Any

from ..declare import Prop, prop
from ..schema import text
from .base import GroupRepository, HostedRepository, ProxyRepository, WritableMember
from .npm import RemoveQuarantined


def _path(value: Any) -> str:
    """A path from the root of the remote, without a slash at its end."""
    return str(text(r"/[^\s?#]+", hint="must be a path that begins with /")(value)).rstrip("/") or "/"


class PypiHostedRepository(HostedRepository, format="pypi"):
    """Python packages that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/pypi/hosted``.
    """


class PypiProxyRepository(RemoveQuarantined, ProxyRepository, format="pypi"):
    """Python packages of a remote repository. It caches what clients request.

    Source: Nexus REST ``/v1/repositories/pypi/proxy``.
    """

    index_path: Prop[str] = prop(_path, path="pypi.indexPath", default="/simple", since="3.91")
    """Where the remote has its index, below ``remote_url``."""


class PypiGroupRepository(WritableMember, GroupRepository, format="pypi"):
    """Several repositories of Python packages under one address.

    Source: Nexus REST ``/v1/repositories/pypi/group``.
    """

    writable_member: Prop[str | None] = prop(
        text(), path="group.writableMember", default=None, since="3.75", edition="pro", refers="Repository"
    )
    """The member that takes what is uploaded to the group."""
