"""Raw repositories: files of any kind."""

from __future__ import annotations

from ..declare import ListProp, Prop, PropertyGroup, prop
from ..schema import boolean, choice, set_of, text
from .base import GroupRepository, HostedRepository, ProxyRepository


class ContentDisposition(PropertyGroup):
    """How browsers handle a file."""

    content_disposition: Prop[str] = prop(
        choice("INLINE", "ATTACHMENT", upper=True), path="raw.contentDisposition", default="ATTACHMENT"
    )
    """``INLINE`` (browsers show a file) or ``ATTACHMENT`` (they save it)."""


class QueryParameters(PropertyGroup):
    """What becomes of the query part of a request."""

    forward_query_parameters: Prop[bool] = prop(
        boolean, path="raw.forwardQueryParameters", default=False, since="3.93"
    )
    """Pass query parameters on to the remote."""
    excluded_query_parameters: ListProp[str] = prop(
        set_of(text(), most=100), path="raw.excludedQueryParameters", default=[], since="3.93"
    )
    """Names of parameters that are not passed on, in any case; a set of at most 100."""


class RawHostedRepository(QueryParameters, ContentDisposition, HostedRepository, format="raw"):
    """Files of any kind that are uploaded to the repository.

    Source: Nexus REST ``/v1/repositories/raw/hosted``.
    """


class RawProxyRepository(QueryParameters, ContentDisposition, ProxyRepository, format="raw"):
    """Files of any kind of a remote repository. It caches what clients request.

    Source: Nexus REST ``/v1/repositories/raw/proxy``.
    """


class RawGroupRepository(QueryParameters, ContentDisposition, GroupRepository, format="raw"):
    """Several repositories of files of any kind under one address.

    Source: Nexus REST ``/v1/repositories/raw/group``.
    """
