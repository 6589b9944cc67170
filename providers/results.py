"""What the data sources return."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerInfo:
    """A server.

    Attributes:
        version: such as ``3.71.0-06``; empty where a proxy hides the header that holds it.
        edition: ``OSS``, ``COMMUNITY``, ``CORE`` or ``PRO``, as the server calls it; empty likewise.
        node_id: id of the server, the same at each of its addresses; empty where it does not tell.
    """

    version: str
    edition: str
    node_id: str


@dataclass(frozen=True)
class RepositoryInfo:
    """A repository.

    Attributes:
        name: its name.
        format: ``docker``, ``raw``, ``maven2`` …
        type: ``hosted``, ``proxy`` or ``group``.
        url: where clients find it.
        remote_url: of a proxy, the repository that it is in front of; empty otherwise.
    """

    name: str
    format: str
    type: str
    url: str
    remote_url: str


@dataclass(frozen=True)
class BlobStoreInfo:
    """A blob store, what it holds and its limit.

    Attributes:
        name: its name.
        type: ``File``, ``S3``, ``Group`` …, as the server calls it.
        blob_count: how many blobs it holds.
        total_size_bytes: how large they are together.
        available_space_bytes: how much more it has room for.
        soft_quota_type: ``spaceUsedQuota`` or ``spaceRemainingQuota``; empty without a quota.
        soft_quota_limit_bytes: the quota; 0 without one.
        soft_quota_violation: what the server says of a quota that is exceeded; empty otherwise.
    """

    name: str
    type: str
    blob_count: int
    total_size_bytes: int
    available_space_bytes: int
    soft_quota_type: str
    soft_quota_limit_bytes: int
    soft_quota_violation: str


@dataclass(frozen=True)
class RoleInfo:
    """A role.

    Attributes:
        role_id: its id, by which users and other roles name it.
        name: its name in the user interface.
        description: free text.
        source: the user source that it is of; ``default`` is Nexus's own.
        read_only: whether it is built into Nexus.
        privileges: names of its privileges.
        roles: ids of the roles that it contains.
    """

    role_id: str
    name: str
    description: str
    source: str
    read_only: bool
    privileges: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True)
class UserInfo:
    """A user.

    Attributes:
        user_id: the name for the login.
        first_name, last_name, email_address: as given.
        status: ``active``, ``disabled`` …
        source: the user source that it is of; ``default`` is Nexus's own.
        roles: ids of its roles.
        external_roles: ids of the roles that another user source gives it.
    """

    user_id: str
    first_name: str
    last_name: str
    email_address: str
    status: str
    source: str
    roles: tuple[str, ...]
    external_roles: tuple[str, ...]


@dataclass(frozen=True)
class PrivilegeInfo:
    """A privilege.

    Attributes:
        name: its name, by which roles name it.
        type: ``application``, ``repository-view``, ``wildcard`` …
        description: free text.
        read_only: whether it is built into Nexus or belongs to a repository.
    """

    name: str
    type: str
    description: str
    read_only: bool


@dataclass(frozen=True)
class RealmInfo:
    """A security realm that the server has.

    Attributes:
        realm: its id.
        name: its name in the user interface.
        active: whether logins ask it.
    """

    realm: str
    name: str
    active: bool


@dataclass(frozen=True)
class UsageInfo:
    """What a server holds and serves, as it counts hourly, and the limits of its edition.

    Attributes:
        components: how many it holds; a docker component is a tag. None where the server does not tell.
        daily_requests: of clients to repositories; None likewise.
        component_limit: at most so many components; None for an edition without limits.
        daily_request_limit: the same for requests.
    """

    components: int | None
    daily_requests: int | None
    component_limit: int | None
    daily_request_limit: int | None
