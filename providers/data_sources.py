"""Data sources: functions that read what is on a server, for programs that refer to it.

Each is there twice, as in every Pulumi package: ``get_roles`` reads at once and returns the result,
``get_roles_output`` takes outputs for arguments and returns an output. The connection is the argument, or what the
configuration keys ``nexus-registry:url``, ``:password`` … say.

**A data source reads during preview too**, unlike a resource of this package, which calls Nexus only in an update.
``get_…_output`` calls nothing, and its result is unknown, while the connection is unknown or a resource in
``depends_on`` is still to be created. So a program that also makes the server waits for it::

    server = NexusServer("nexus", ...)
    roles = get_roles_output(
        connection=server.connection, opts=pulumi.InvokeOutputOptions(depends_on=[server])
    )
    pulumi.export("roles", roles.apply(lambda found: [role.role_id for role in found]))

When a server does not answer a preview, the result of ``get_…_output`` is unknown, with a warning; in an update,
and from ``get_…`` always, that is an error. Results hold no secret and are not marked as one.

Errors are those of the resources: a :class:`~.errors.NexusError` whose text begins with the function's name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, TypeVar, cast

import pulumi
from pulumi import Input, InvokeOutputOptions, Output
from pulumi.dynamic import CheckResult
from pulumi.runtime.rpc import _expand_dependencies

from .client import RETRY_TIMEOUT, Connection, NexusClient
from .compat import parse_server_header, usage_limits
from .connection import resolve
from .errors import Forbidden, NexusError, NotFound, Refused, Unreachable
from .provider import CONNECTION, NAMESPACE, Provider
from .results import (
    BlobStoreInfo,
    PrivilegeInfo,
    RealmInfo,
    RepositoryInfo,
    RoleInfo,
    ServerInfo,
    UsageInfo,
    UserInfo,
)
from .schema import Field, check, mapping
from .suggest import not_on_server
from .system.soft_quota import quota_violation

T = TypeVar("T")
PREVIEW_TIMEOUT = 5.0
"""Seconds for which a preview tries to reach a server, which may not be there yet."""


def get_server(connection: Connection | None = None) -> ServerInfo:
    """Version, edition and id of the server. Source: the ``Server`` header and REST ``/v1/system/node``."""

    def read(client: NexusClient) -> ServerInfo:
        try:
            node = str(client.get_object("/v1/system/node").get("nodeId", ""))
        except (Forbidden, NotFound):  # only an administrator may read it
            node = ""
        return ServerInfo(*parse_server_header(client.server), node)

    return _read("get_server", connection, read)


def get_server_output(
    connection: Input[Connection] | None = None, opts: InvokeOutputOptions | None = None
) -> Output[ServerInfo]:
    """:func:`get_server`, with outputs for arguments."""
    return _output(get_server, opts, connection=connection)


def get_repositories(connection: Connection | None = None) -> list[RepositoryInfo]:
    """Every repository that the user of the connection may see. Source: Nexus REST ``/v1/repositories``."""
    return _read("get_repositories", connection, _repositories)


def get_repositories_output(
    connection: Input[Connection] | None = None, opts: InvokeOutputOptions | None = None
) -> Output[list[RepositoryInfo]]:
    """:func:`get_repositories`, with outputs for arguments."""
    return _output(get_repositories, opts, connection=connection)


def get_repository(name: str, connection: Connection | None = None) -> RepositoryInfo:
    """The repository of this name; it is an error when there is none. Source: Nexus REST ``/v1/repositories``."""

    def read(client: NexusClient) -> RepositoryInfo:
        there = {one.name: one for one in _repositories(client)}
        if missing := not_on_server("name", [name], there):
            raise NotFound(missing)
        return there[name]

    return _read("get_repository", connection, read, name)


def get_repository_output(
    name: Input[str], connection: Input[Connection] | None = None, opts: InvokeOutputOptions | None = None
) -> Output[RepositoryInfo]:
    """:func:`get_repository`, with outputs for arguments."""
    return _output(get_repository, opts, name=name, connection=connection)


def get_blob_stores(connection: Connection | None = None) -> list[BlobStoreInfo]:
    """Every blob store, with usage and limits. Source: Nexus REST ``/v1/blobstores`` and ``…/quota-status``."""

    def read(client: NexusClient) -> list[BlobStoreInfo]:
        found = []
        for one in client.get_list("/v1/blobstores"):
            quota = one.get("softQuota") or {}
            found.append(
                BlobStoreInfo(
                    one["name"],
                    one["type"],
                    int(one["blobCount"]),
                    int(one["totalSizeInBytes"]),
                    int(one["availableSpaceInBytes"]),
                    str(quota.get("type", "")),
                    int(quota.get("limit", 0)),
                    quota_violation(client, one["name"]) if quota else "",
                )
            )
        return found

    return _read("get_blob_stores", connection, read)


def get_blob_stores_output(
    connection: Input[Connection] | None = None, opts: InvokeOutputOptions | None = None
) -> Output[list[BlobStoreInfo]]:
    """:func:`get_blob_stores`, with outputs for arguments."""
    return _output(get_blob_stores, opts, connection=connection)


def get_roles(connection: Connection | None = None, source: str = "default") -> list[RoleInfo]:
    """Every role of a user source; ``default`` is Nexus's own. Source: Nexus REST ``/v1/security/roles``."""

    def read(client: NexusClient) -> list[RoleInfo]:
        return [
            RoleInfo(
                one["id"],
                one["name"],
                one.get("description") or "",
                one["source"],
                bool(one.get("readOnly")),
                tuple(sorted(one["privileges"])),
                tuple(sorted(one["roles"])),
            )
            for one in client.get_list("/v1/security/roles", source=source)
        ]

    return _read("get_roles", connection, read, source)


def get_roles_output(
    connection: Input[Connection] | None = None,
    source: Input[str] = "default",
    opts: InvokeOutputOptions | None = None,
) -> Output[list[RoleInfo]]:
    """:func:`get_roles`, with outputs for arguments."""
    return _output(get_roles, opts, connection=connection, source=source)


def get_users(connection: Connection | None = None, source: str = "default") -> list[UserInfo]:
    """Every user of a user source; ``default`` is Nexus's own. Source: Nexus REST ``/v1/security/users``.

    Of another source, Nexus returns at most 100 users.
    """

    def read(client: NexusClient) -> list[UserInfo]:
        return [
            UserInfo(
                one["userId"],
                one.get("firstName") or "",
                one.get("lastName") or "",
                one.get("emailAddress") or "",
                one["status"],
                one["source"],
                tuple(sorted(one.get("roles") or ())),
                tuple(sorted(one.get("externalRoles") or ())),
            )
            for one in client.get_list("/v1/security/users", source=source)
        ]

    return _read("get_users", connection, read, source)


def get_users_output(
    connection: Input[Connection] | None = None,
    source: Input[str] = "default",
    opts: InvokeOutputOptions | None = None,
) -> Output[list[UserInfo]]:
    """:func:`get_users`, with outputs for arguments."""
    return _output(get_users, opts, connection=connection, source=source)


def get_privileges(connection: Connection | None = None) -> list[PrivilegeInfo]:
    """Every privilege, those of repositories included. Source: Nexus REST ``/v1/security/privileges``."""

    def read(client: NexusClient) -> list[PrivilegeInfo]:
        return [
            PrivilegeInfo(one["name"], one["type"], one.get("description") or "", bool(one.get("readOnly")))
            for one in client.get_list("/v1/security/privileges")
        ]

    return _read("get_privileges", connection, read)


def get_privileges_output(
    connection: Input[Connection] | None = None, opts: InvokeOutputOptions | None = None
) -> Output[list[PrivilegeInfo]]:
    """:func:`get_privileges`, with outputs for arguments."""
    return _output(get_privileges, opts, connection=connection)


def get_realms(connection: Connection | None = None) -> list[RealmInfo]:
    """Every security realm that the server has: the active ones first, in their order, then the others.

    Source: Nexus REST ``/v1/security/realms/available`` and ``…/active``.
    """

    def read(client: NexusClient) -> list[RealmInfo]:
        names = {one["id"]: one["name"] for one in client.get_list("/v1/security/realms/available")}
        active = [one for one in client.get_list("/v1/security/realms/active") if one in names]
        return [RealmInfo(one, names[one], one in active) for one in (*active, *sorted(set(names) - set(active)))]

    return _read("get_realms", connection, read)


def get_realms_output(
    connection: Input[Connection] | None = None, opts: InvokeOutputOptions | None = None
) -> Output[list[RealmInfo]]:
    """:func:`get_realms`, with outputs for arguments."""
    return _output(get_realms, opts, connection=connection)


def get_usage(connection: Connection | None = None) -> UsageInfo:
    """Components and requests in a day, and their limits. Source: the gauges of Nexus REST ``/metrics/data``."""

    def read(client: NexusClient) -> UsageInfo:
        try:
            gauges = client.get_object("/metrics/data").get("gauges") or {}
        except NotFound:
            gauges = {}
        limits = usage_limits(*client.served)
        return UsageInfo(
            _number((gauges.get("nexus.analytics.component_total_count") or {}).get("value")),
            _number((gauges.get("nexus.analytics.content_request_count") or {}).get("value")),
            limits.components if limits else None,
            limits.requests if limits else None,
        )

    return _read("get_usage", connection, read)


def get_usage_output(
    connection: Input[Connection] | None = None, opts: InvokeOutputOptions | None = None
) -> Output[UsageInfo]:
    """:func:`get_usage`, with outputs for arguments."""
    return _output(get_usage, opts, connection=connection)


def _number(gauge: Any) -> int | None:
    value = gauge.get("day") if isinstance(gauge, Mapping) else gauge
    return int(value) if isinstance(value, (int, float)) else None


def _repositories(client: NexusClient) -> list[RepositoryInfo]:
    return [
        RepositoryInfo(
            one["name"],
            one["format"],
            one["type"],
            one["url"],
            ((one.get("attributes") or {}).get("proxy") or {}).get("remoteUrl") or "",
        )
        for one in client.get_list("/v1/repositories")
    ]


def _read(function: str, connection: Connection | None, read: Callable[[NexusClient], T], *arguments: str) -> T:
    parts = connection.values() if isinstance(connection, Mapping) else [connection]
    if any(isinstance(one, Output) for one in (*parts, *arguments)):
        raise Refused(f"{function}: an argument is an output. Use {function}_output")
    timeout = PREVIEW_TIMEOUT if pulumi.runtime.is_dry_run() else RETRY_TIMEOUT
    try:
        return read(NexusClient(_checked(connection), retry_timeout=timeout))
    except NexusError as error:
        remedy = (
            f" If this program also makes the server, use {function}_output with "
            "opts=pulumi.InvokeOutputOptions(depends_on=[server]), which reads it when it is there"
        )
        text = f"{function}: {error}{remedy if isinstance(error, Unreachable) else ''}"
        raise type(error)(text, status=error.status, messages=error.messages, fault_id=error.fault_id) from None


def _checked(connection: Mapping[str, Any] | None) -> Connection:
    """The connection in full; errors are those of a resource."""
    config, provider = pulumi.Config(NAMESPACE), Provider()
    provider.configured = {key: value for key in CONNECTION if (value := config.get(key))}
    given = {} if connection is None else {"connection": connection}
    inputs, failures = check({"connection": Field(mapping(CONNECTION))}, given)
    failures += provider.connection_failures(CheckResult(inputs, failures))
    if failures:
        raise Refused(" ".join(f"{one.property} {one.reason}" for one in failures))
    return cast("Connection", resolve(provider.configured, inputs))


def _output(function: Callable[..., T], opts: InvokeOutputOptions | None, **arguments: Any) -> Output[T]:
    given = {name: value for name, value in arguments.items() if value is not None}

    def read(known: Mapping[str, Any]) -> Output[T]:
        work = asyncio.ensure_future(_read_when_created(function, opts, known))
        return Output(*(_Part(work, index) for index in range(3)))

    return Output.unsecret(Output.from_input(given).apply(read))


class _Part:
    """One entry of a tuple that is awaited; unlike a coroutine it need not be awaited when another one fails."""

    def __init__(self, work: Awaitable[tuple[Any, ...]], index: int) -> None:
        self._work, self._index = work, index

    def __await__(self) -> Generator[Any, None, Any]:
        return (yield from self._work.__await__())[self._index]


async def _read_when_created(
    function: Callable[..., T], opts: InvokeOutputOptions | None, known: Mapping[str, Any]
) -> tuple[set[pulumi.Resource], T | None, bool]:
    """The resources in ``depends_on``, what was read, and whether it was: not when a preview would create one."""
    stated: Any = [] if opts is None or opts.depends_on is None else opts.depends_on
    listed = await Output.from_input(stated if isinstance(stated, list) else [stated]).future()
    resources = set((await _expand_dependencies(cast("Any", listed or []), None)).values())
    ids = [one.id for one in resources if isinstance(one, pulumi.CustomResource)]
    if not all([await one.is_known() for one in ids]):
        return resources, None, False
    try:
        return resources, await asyncio.to_thread(function, **known), True
    except Unreachable as error:
        if not pulumi.runtime.is_dry_run():
            raise
        pulumi.log.warn(str(error))
        return resources, None, False
