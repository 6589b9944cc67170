"""What docker and OCI repositories share: names, connectors, and the check of a remote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..client import NexusClient
from ..declare import ListProp, Prop, PropertyGroup, prop
from ..kind import Actual
from ..schema import boolean, choice, set_of, text
from .base import GroupRepository, HostedRepository, ProxyRepository, WritableMember, http_url
from .connectors import ConnectorProvider, Connectors
from .lifecycle import GroupProvider, HostedProvider, ProxyProvider
from .upstream import IMAGE, check_upstream

NAME = text(
    r"[a-z0-9-][a-z0-9._-]*",
    hint="must be lower-case letters, digits, '-', '_' and '.', not starting with '_' or '.': newer servers "
    "refuse anything else in a docker repository's name",
    max_length=200,
)


class ImageName(PropertyGroup):
    """For repositories of images."""

    name: Prop[str] = prop(NAME, path="name", replaces=True)
    """Name of the repository; lower case, at most 200 characters."""


class ImageHostedProvider(ConnectorProvider, HostedProvider):
    """A hosted repository of images."""

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from super().validate(inputs)
        if inputs.get("latest_policy") is True and inputs.get("write_policy") in ("ALLOW", "DENY"):
            yield "latest_policy", "has an effect only with write_policy ALLOW_ONCE"


class LatestPolicy(PropertyGroup):
    """For hosted repositories of images."""

    write_policy: Prop[str] = prop(
        choice("ALLOW", "ALLOW_ONCE", "DENY", upper=True), path="storage.writePolicy", default="ALLOW"
    )
    """``ALLOW`` (tags may be pushed again), ``ALLOW_ONCE`` or ``DENY``."""
    latest_policy: Prop[bool] = prop(boolean, path="storage.latestPolicy", default=False, since="3.41")
    """With ``ALLOW_ONCE``, let the tag ``latest`` be pushed again."""


class ImageHostedRepository(
    ImageName, LatestPolicy, Connectors, HostedRepository, provider=ImageHostedProvider, abstract=True
):
    """A hosted repository of images."""


class RemoteIndex(PropertyGroup):
    """The index and the foreign layers of a proxy of images."""

    index_type: Prop[str] = prop(
        choice("HUB", "REGISTRY", "CUSTOM"), path="{format}Proxy.indexType", default="REGISTRY"
    )
    """``REGISTRY`` (the remote itself), ``HUB`` (Docker Hub) or ``CUSTOM`` (``index_url``)."""
    index_url: Prop[str | None] = prop(http_url, path="{format}Proxy.indexUrl", default=None)
    """Address of the index for ``CUSTOM``."""
    cache_foreign_layers: Prop[bool] = prop(
        boolean, path="{format}Proxy.cacheForeignLayers", default=False, since="3.30"
    )
    """Keep layers that images name at other addresses."""
    foreign_layer_url_whitelist: ListProp[str] = prop(
        set_of(text()), path="{format}Proxy.foreignLayerUrlWhitelist", default=[], since="3.30"
    )
    """Regular expressions for the addresses of foreign layers that are kept; a set."""


class ProbeImage(PropertyGroup):
    """A check that the remote can be reached."""

    probe_image: Prop[str | None] = prop(
        text(IMAGE, hint="must be the name of an image with a tag or digest, such as library/alpine:3"),
        local=True,
        default=None,
    )
    """An image of the remote, ``library/alpine:3``, whose manifest is asked for through the repository after a
    creation or change. When it can't be had, the ``up`` fails and says why: the login at the remote, its address
    or the image. The remote counts it as a pull."""


class ImageProxyProvider(ConnectorProvider, ProxyProvider):
    """A repository in front of a registry."""

    def verify(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        super().verify(client, inputs, actual)
        if inputs.get("probe_image") and inputs.get("online") and not inputs.get("blocked"):
            check_upstream(client, inputs)

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from super().validate(inputs)
        if inputs.get("index_type") == "CUSTOM" and inputs.get("index_url") is None:
            yield "index_url", "is required with index_type CUSTOM"


class ImageProxyRepository(
    ImageName, RemoteIndex, ProbeImage, Connectors, ProxyRepository, provider=ImageProxyProvider, abstract=True
):
    """A repository in front of a registry."""


class ImageGroupProvider(ConnectorProvider, GroupProvider):
    """Several repositories of images under one name."""


class ImageGroupRepository(
    ImageName, WritableMember, Connectors, GroupRepository, provider=ImageGroupProvider, abstract=True
):
    """Several repositories of images under one name."""
