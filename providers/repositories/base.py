"""The three bases of every repository: hosted, proxy and group, and the groups of properties that they share."""

from __future__ import annotations

import re
from typing import Any

from ..address import has_login, is_address
from ..declare import ListProp, NexusResource, Prop, PropertyGroup, prop
from ..marks import Incarnation, Incarnations
from ..names import NAME
from ..schema import Invalid, boolean, choice, integer, list_of, text
from .cleanup import Cleanup
from .lifecycle import GroupProvider, HostedProvider, ProxyProvider, RepositoryProvider

AGE = integer(-1, 2147483647)


def http_url(value: Any) -> str:
    """An address that a proxy can be in front of."""
    url = str(text()(value))
    if not re.fullmatch(r"https?://[^\s/?#]+(/\S*)?", url) or not is_address(url):
        raise Invalid("must be an http:// or https:// address")
    if has_login(url):
        raise Invalid("must hold no login. Give authentication_username and authentication_password")
    return url


class Repository(Incarnation, NexusResource, provider=RepositoryProvider, abstract=True):
    """What every repository has."""

    name: Prop[str] = prop(NAME, path="name", replaces=True)
    """Name of the repository, at most 200 characters."""
    online: Prop[bool] = prop(boolean, path="online", default=True)
    """Whether the repository responds to requests."""
    blob_store_name: Prop[str] = prop(
        text(), path="storage.blobStoreName", default="default", replaces=True, refers="BlobStore"
    )
    """Where its content is kept."""
    strict_content_type_validation: Prop[bool] = prop(
        boolean, path="storage.strictContentTypeValidation", default=True
    )
    """Refuse content that is not of the format's types."""


class UploadRepository(Cleanup, Repository, provider=HostedProvider, abstract=True):
    """A repository that holds what is uploaded to it; without ``proprietary_components``."""

    write_policy: Prop[str] = prop(
        choice("ALLOW", "ALLOW_ONCE", "DENY", upper=True), path="storage.writePolicy", default="ALLOW_ONCE"
    )
    """``ALLOW`` (a version may be uploaded again), ``ALLOW_ONCE`` or ``DENY``."""
    force_destroy: Prop[bool] = prop(boolean, local=True, default=False)
    """Let a deletion or replacement take the components with it; must be in the state first, by an ``up`` of its
    own."""


class HostedRepository(UploadRepository, abstract=True):
    """A repository that holds what is uploaded to it."""

    proprietary_components: Prop[bool] = prop(
        boolean, path="component.proprietaryComponents", default=False, since="3.30"
    )
    """The components are internal: proxies must not request their names from a remote."""


class Authentication(PropertyGroup, optional="httpClient.authentication", requires=("authentication_type",)):
    """How a proxy logs in to its remote."""

    authentication_type: Prop[str | None] = prop(
        choice("username", "ntlm", "bearerToken"),
        path="httpClient.authentication.type",
        default=None,
        values_since={"bearerToken": "3.75"},
    )
    """``username``, ``ntlm`` or ``bearerToken``."""
    authentication_username: Prop[str | None] = prop(
        text(), path="httpClient.authentication.username", default=None
    )
    """User at the remote."""
    authentication_password: Prop[str | None] = prop(
        text(), path="httpClient.authentication.password", default=None, secret=True
    )
    """Password of ``authentication_username``."""
    authentication_ntlm_host: Prop[str | None] = prop(
        text(), path="httpClient.authentication.ntlmHost", default=None
    )
    """Host name for NTLM."""
    authentication_ntlm_domain: Prop[str | None] = prop(
        text(), path="httpClient.authentication.ntlmDomain", default=None
    )
    """Domain for NTLM."""
    authentication_bearer_token: Prop[str | None] = prop(
        text(), path="httpClient.authentication.bearerToken", default=None, secret=True, since="3.75"
    )
    """Token for ``bearerToken``."""
    authentication_preemptive: Prop[bool] = prop(
        boolean, path="httpClient.authentication.preemptive", default=False, since="3.30"
    )
    """Send the credentials before the remote requests them; only over HTTPS."""


class HttpConnection(PropertyGroup, optional="httpClient.connection"):
    """How a proxy connects to its remote, where that differs from the server's own settings."""

    retries: Prop[int | None] = prop(integer(0, 10), path="httpClient.connection.retries", default=None)
    """How often a request is tried again, 0 to 10."""
    timeout: Prop[int | None] = prop(
        integer(1, 3600), path="httpClient.connection.timeout", default=None, unit="seconds"
    )
    """How long to wait for the remote, 1 to 3600 seconds."""
    user_agent_suffix: Prop[str | None] = prop(text(), path="httpClient.connection.userAgentSuffix", default=None)
    """Text added to the User-Agent."""
    enable_circular_redirects: Prop[bool] = prop(
        boolean, path="httpClient.connection.enableCircularRedirects", default=False
    )
    """Follow redirects to an address that was requested before."""
    enable_cookies: Prop[bool] = prop(boolean, path="httpClient.connection.enableCookies", default=False)
    """Keep the remote's cookies."""
    use_trust_store: Prop[bool] = prop(boolean, path="httpClient.connection.useTrustStore", default=False)
    """Trust certificates in Nexus's trust store, too."""


class Replication(PropertyGroup, optional="replication"):
    """Replication of content before a client requests it."""

    preemptive_pull_enabled: Prop[bool] = prop(
        boolean, path="replication.preemptivePullEnabled", default=False, edition="pro"
    )
    """Pull new content of the remote before a client requests it."""
    asset_path_regex: Prop[str | None] = prop(
        text(), path="replication.assetPathRegex", default=None, edition="pro"
    )
    """Regular expression for the paths that are pulled."""


class ProxyRepository(
    Cleanup, Authentication, HttpConnection, Replication, Repository, provider=ProxyProvider, abstract=True
):
    """A repository in front of another one. It caches what clients request."""

    remote_url: Prop[str] = prop(http_url, path="proxy.remoteUrl")
    """Address of the other repository."""
    content_max_age: Prop[int] = prop(AGE, path="proxy.contentMaxAge", default=1440, unit="minutes")
    """Minutes for which cached content is valid; -1: without limit."""
    metadata_max_age: Prop[int] = prop(AGE, path="proxy.metadataMaxAge", default=1440, unit="minutes")
    """Minutes for which cached metadata are valid; -1: without limit."""
    preserve_encoded_characters: Prop[bool] = prop(
        boolean, path="proxy.preserveEncodedCharacters", default=False, since="3.90"
    )
    """Pass ``%2F`` and the like on as they are."""
    negative_cache_enabled: Prop[bool] = prop(boolean, path="negativeCache.enabled", default=True)
    """Remember what the remote does not have."""
    negative_cache_time_to_live: Prop[int] = prop(
        integer(0, 2147483647), path="negativeCache.timeToLive", default=1440, unit="minutes"
    )
    """Minutes for which a path is remembered that the remote does not have."""
    blocked: Prop[bool] = prop(boolean, path="httpClient.blocked", default=False)
    """Send no request to the remote."""
    auto_block: Prop[bool] = prop(boolean, path="httpClient.autoBlock", default=True)
    """Send no request for a while after the remote has not responded."""
    routing_rule_name: Prop[str | None] = prop(text(), path="routingRuleName", default=None, refers="RoutingRule")
    """The routing rule that limits which paths may be requested."""
    firewall_mode: Prop[str] = prop(
        choice("DISABLED", "AUDIT", "QUARANTINE", "PCCS"),
        path="firewall.mode",
        default="DISABLED",
        since="3.94",
        edition="pro",
    )
    """What Repository Firewall does: ``DISABLED``, ``AUDIT``, ``QUARANTINE`` or ``PCCS``."""


class GroupRepository(Incarnations, Repository, provider=GroupProvider, abstract=True):
    """Several repositories of one format under one name."""

    member_names: ListProp[str] = prop(list_of(text(), least=1), path="group.memberNames", refers="Repository")
    """Names of the members in order of precedence; at least one."""


class WritableMember(PropertyGroup):
    """For groups that take uploads."""

    writable_member: Prop[str | None] = prop(
        text(), path="group.writableMember", default=None, edition="pro", refers="Repository"
    )
    """The member that takes what is uploaded to the group."""


class RequireAuthentication(PropertyGroup):
    """For formats whose clients log in only when the server requests it."""

    require_authentication: Prop[bool] = prop(
        boolean, path="{format}.requireAuthentication", default=False, since="3.75"
    )
    """Ask clients to log in even for what anybody may read."""
