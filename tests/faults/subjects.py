"""What the fault matrix is run for: each kind of the registry, and one kind for each other base."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import requests
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.repositories.raw import RawGroupRepository, RawProxyRepository
from nexus_registry.providers.security.admin_password import AdminPasswordProvider
from nexus_registry.providers.security.anonymous import AnonymousAccessProvider
from nexus_registry.providers.security.realm import RealmActivationProvider
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.user import UserProvider
from nexus_registry.providers.system.eula import EulaProvider

from ..contract.docker_api import Api

Change = Callable[[Api], Any]
GONE: tuple[str, list[str]] = ("gone", [])


@dataclass
class ManualChange:
    """A change by hand: what a refresh shows of it, and which further inputs the next up needs."""

    change: Change
    drift: tuple[str, list[str]]
    fix: dict[str, Any] = field(default_factory=dict)


@dataclass
class Subject:
    """A kind of object.

    Args:
        title: its column in the report.
        provider: what manages it.
        first: what is desired at first.
        edit: what an update changes.
        remove: by hand, brings the server back to what it was without the object.
        reset: by hand, brings the server back to ``first`` after an update.
        fields: keys of the server's answers that are taken out of them, one at a time.
        logins: who is tried in the audit.
        operations: those that send anything.
        by_hand: how it is changed, and deleted where it can be, by hand.
    """

    title: str
    provider: type[NexusProvider]
    first: dict[str, Any]
    edit: dict[str, Any]
    remove: Change
    reset: Change
    fields: tuple[str, ...]
    by_hand: dict[str, ManualChange]
    logins: tuple[tuple[str, str], ...] = ()
    operations: tuple[str, ...] = ("create", "update", "read", "delete")
    secrets: tuple[str, ...] = field(default=())


def _put(path: str, body: Any) -> Change:
    return lambda api: api.ok("PUT", path, body)


def _change(path: str, **changes: Any) -> Change:
    """Read, change and write an object, like a user of the API."""

    def change(api: Api) -> None:
        body = api.ok("GET", path)
        for key in ("source", "readOnly", "format", "type", "url"):
            body.pop(key, None)
        api.ok("PUT", path, {**body, **changes})

    return change


def _delete(path: str) -> Change:
    return lambda api: api.call("DELETE", path)


def _password(user: str, password: str) -> Change:
    def change(api: Api) -> None:
        url = f"{api.nexus.url}/service/rest/v1/security/users/{user}/change-password"
        headers = {"Content-Type": "text/plain"}
        requests.put(url, data=password, headers=headers, auth=api.auth, timeout=30).raise_for_status()

    return change


def _both(*steps: Change) -> Change:
    return lambda api: [step(api) for step in steps]


_REALMS = ["NexusAuthenticatingRealm"]
_ANONYMOUS = {"userId": "anonymous", "realmName": "NexusAuthorizingRealm"}
_USER = {
    "userId": "f-user",
    "firstName": "f-user",
    "lastName": "f-user",
    "emailAddress": "f-user@example.invalid",
    "source": "default",
    "status": "active",
    "roles": ["nx-anonymous"],
}
_ONE_DAY = {"contentMaxAge": 1440, "metadataMaxAge": 1440}


def _licence(accepted: bool) -> Change:
    def say(api: Api) -> None:
        api.ok("POST", "system/eula", {**api.ok("GET", "system/eula"), "accepted": accepted})

    return say


def subjects(port: int) -> list[Subject]:
    """All kinds; ``port`` is for the docker connector."""
    repository = "repositories/docker/hosted/f-images"
    proxy = "repositories/raw/proxy/f-proxy"
    group = "repositories/raw/group/f-group"
    return [
        Subject(
            "DockerHostedRepository ᵖ",
            DockerHostedRepositoryProvider,
            {"name": "f-images", "http_port": port},
            {"write_policy": "ALLOW_ONCE", "force_basic_auth": False},
            remove=_delete("repositories/f-images"),
            reset=lambda api: _change(
                repository,
                storage={**api.ok("GET", repository)["storage"], "writePolicy": "ALLOW"},
                docker={**api.ok("GET", repository)["docker"], "forceBasicAuth": True},
            )(api),
            fields=("name", "storage", "docker", "writePolicy", "format", "items"),
            by_hand={
                "taken offline": ManualChange(_change(repository, online=False), ("drift", ["online"])),
                "deleted": ManualChange(_delete("repositories/f-images"), GONE),
            },
        ),
        Subject(
            "RawProxyRepository",
            cast("type[NexusProvider]", RawProxyRepository.provider_class),
            {"name": "f-proxy", "remote_url": "https://example.invalid/files/"},
            {"remote_url": "https://example.invalid/others/", "content_max_age": 60},
            remove=_delete("repositories/f-proxy"),
            reset=_change(proxy, proxy={"remoteUrl": "https://example.invalid/files/", **_ONE_DAY}),
            fields=("name", "proxy", "remoteUrl", "format"),
            by_hand={
                "remote": ManualChange(
                    _change(proxy, proxy={"remoteUrl": "https://example.invalid/", **_ONE_DAY}),
                    ("drift", ["remote_url"]),
                ),
                "deleted": ManualChange(_delete("repositories/f-proxy"), GONE),
            },
        ),
        Subject(
            "RawGroupRepository",
            cast("type[NexusProvider]", RawGroupRepository.provider_class),
            {"name": "f-group", "member_names": ["kept-raw"]},
            {"member_names": ["kept-other-raw", "kept-raw"]},
            remove=_delete("repositories/f-group"),
            reset=_change(group, group={"memberNames": ["kept-raw"]}),
            fields=("name", "group", "memberNames", "type"),
            by_hand={
                "members": ManualChange(
                    _change(group, group={"memberNames": ["kept-other-raw"]}), ("drift", ["member_names"])
                ),
                "deleted": ManualChange(_delete("repositories/f-group"), GONE),
            },
        ),
        Subject(
            "Role",
            RoleProvider,
            {"role_id": "f-role", "privileges": ["nx-logging-read", "nx-metrics-all"], "roles": ["nx-anonymous"]},
            {"privileges": ["nx-metrics-all"], "description": "edited"},
            remove=_delete("security/roles/f-role"),
            reset=_change(
                "security/roles/f-role", privileges=["nx-logging-read", "nx-metrics-all"], description=""
            ),
            fields=("id", "name", "privileges"),
            by_hand={
                "privileges": ManualChange(
                    _change("security/roles/f-role", privileges=["nx-all"]), ("drift", ["privileges"])
                ),
                "deleted": ManualChange(_delete("security/roles/f-role"), GONE),
            },
        ),
        Subject(
            "User",
            UserProvider,
            {"user_id": "f-user", "password": "f-user-pw-1", "roles": ["nx-anonymous"]},
            {"first_name": "Ada", "password": "f-user-pw-2", "roles": ["nx-anonymous", "kept-role"]},
            remove=_delete("security/users/f-user"),
            reset=_both(_put("security/users/f-user", _USER), _password("f-user", "f-user-pw-1")),
            fields=("userId", "id", "status", "roles"),
            by_hand={
                "roles": ManualChange(
                    _put("security/users/f-user", {**_USER, "roles": ["kept-role"]}), ("drift", ["roles"])
                ),
                "disabled": ManualChange(
                    _put("security/users/f-user", {**_USER, "status": "disabled"}), ("drift", ["status"])
                ),
                "password": ManualChange(_password("f-user", "by-hand-1"), ("drift", ["password"])),
                "deleted": ManualChange(_delete("security/users/f-user"), GONE),
            },
            logins=(("f-user", "f-user-pw-1"), ("f-user", "f-user-pw-2")),
            secrets=("f-user-pw-1", "f-user-pw-2"),
        ),
        Subject(
            "RealmActivation ᵖ",
            RealmActivationProvider,
            {},
            {},
            remove=_put("security/realms/active", _REALMS),
            reset=_put("security/realms/active", [*_REALMS, "DockerToken"]),
            fields=("id", "format"),
            operations=("create", "read", "delete"),
            by_hand={"deleted": ManualChange(_put("security/realms/active", _REALMS), GONE)},
        ),
        Subject(
            "AnonymousAccess",
            AnonymousAccessProvider,
            {"enabled": True},
            {"enabled": False, "user_id": "kept-user"},
            remove=_put("security/anonymous", {**_ANONYMOUS, "enabled": False}),
            reset=_put("security/anonymous", {**_ANONYMOUS, "enabled": True}),
            fields=("enabled", "userId"),
            by_hand={
                "turned off": ManualChange(
                    _put("security/anonymous", {**_ANONYMOUS, "enabled": False}), ("drift", ["enabled"])
                ),
                "another account": ManualChange(
                    _put("security/anonymous", {**_ANONYMOUS, "enabled": True, "userId": "kept-user"}),
                    ("drift", ["user_id"]),
                ),
            },
        ),
        Subject(
            "Eula ᵖ",
            EulaProvider,
            {"accepted": True},
            {},
            remove=_licence(False),
            reset=_licence(True),
            fields=("accepted", "disclaimer"),
            operations=("create", "read"),
            by_hand={"withdrawn": ManualChange(_licence(False), ("drift", ["accepted"]))},
        ),
        Subject(
            "AdminPassword",
            AdminPasswordProvider,
            {"username": "keeper", "password": "keeper-pw-2", "current_password": "keeper-pw-1"},
            {"password": "keeper-pw-3"},
            remove=_password("keeper", "keeper-pw-1"),
            reset=_password("keeper", "keeper-pw-2"),
            fields=(),
            operations=("create", "update", "read"),
            by_hand={
                "password": ManualChange(
                    _password("keeper", "keeper-pw-4"),
                    ("drift", ["password"]),
                    fix={"current_password": "keeper-pw-4"},
                )
            },
            logins=tuple(("keeper", f"keeper-pw-{number}") for number in (1, 2, 3, 4)),
            secrets=tuple(f"keeper-pw-{number}" for number in (1, 2, 3, 4)),
        ),
    ]
