"""NuGet repositories: NuGet packages."""

from __future__ import annotations

from typing import Any

from ..declare import Prop, prop
from ..schema import boolean, choice, integer, text
from .base import GroupRepository, HostedRepository, ProxyRepository, http_url


def symbol_url(value: Any) -> str:
    """An address of at most 2048 characters."""
    return str(text(max_length=2048)(http_url(value)))


class NugetHostedRepository(HostedRepository, format="nuget"):
    """NuGet packages that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/nuget/hosted``.
    """


class NugetProxyRepository(ProxyRepository, format="nuget"):
    """NuGet packages of a remote repository (``https://api.nuget.org/v3/index.json``). It caches what clients
    request.

    Source: Nexus REST ``/v1/repositories/nuget/proxy``.
    """

    nuget_version: Prop[str] = prop(choice("V2", "V3", upper=True), path="nugetProxy.nugetVersion", default="V3")
    """Version of NuGet's protocol that the remote speaks, ``V2`` or ``V3``."""
    query_cache_item_max_age: Prop[int] = prop(
        integer(0, 2147483647), path="nugetProxy.queryCacheItemMaxAge", default=3600, unit="seconds"
    )
    """How long results of a search are kept, in seconds."""
    symbol_server_url: Prop[str | None] = prop(
        symbol_url, path="nugetProxy.symbolServerUrl", default=None, since="3.94"
    )
    """Address of the remote's symbol server, at most 2048 characters."""
    allow_anonymous_symbol_access: Prop[bool] = prop(
        boolean, path="nugetProxy.allowAnonymousSymbolAccess", default=False, since="3.94"
    )
    """Serve symbols without a login, as debuggers need it."""


class NugetGroupRepository(GroupRepository, format="nuget"):
    """Several repositories of NuGet packages under one address.

    Source: Nexus REST ``/v1/repositories/nuget/group``.
    """
