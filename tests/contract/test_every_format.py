"""Each of the 67 kinds of repositories from creation to deletion, with the stand-in playing the newest API."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import nexus_registry.providers as providers
import pytest
from nexus_registry.providers.client import Connection, NexusClient, client_for
from nexus_registry.providers.compat import Availability
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.declare import NexusResource
from nexus_registry.providers.repositories.base import GroupRepository, HostedRepository, ProxyRepository
from nexus_registry.providers.schema import limits

from docs.examples import SAMPLES, inputs_of
from tests.unit.openapi import repository_kinds

from .docker_api import named
from .every_version import other_value, refusal
from .server import Nexus
from .tracked import Tracked

BASES = (HostedRepository, ProxyRepository, GroupRepository)
CORE = ("apt", "maven", "raw")
REMOTE = SAMPLES["remote_url"]


@pytest.fixture(scope="module")
def connection(nexus: Nexus) -> Iterator[Connection]:
    """The server as one that has every kind."""
    nexus.play("3.94.0-01")
    yield {"url": nexus.url, "username": nexus.username, "password": nexus.password}
    nexus.play()


@pytest.fixture(scope="module")
def client(connection: Connection) -> NexusClient:
    return client_for(connection)


@pytest.fixture(scope="module")
def member(connection: Connection) -> Iterator[Callable[[str], str]]:
    """Makes, once, a repository of a format that a group can have as its member."""
    made: dict[str, Tracked] = {}

    def of(form: str) -> str:
        name = f"member-{form}"
        if form not in made:
            cls = next(one for one in repository_kinds() if kind(one)[0] == form and kind(one)[1] != "group")
            made[form] = Tracked(provider_of(cls)(), connection)
            made[form].up(**first(cls, name))
        return name

    yield of
    for one in made.values():
        one.destroy()


def provider_of(cls: type[NexusResource]) -> type[NexusProvider]:
    return cast("type[NexusProvider]", cls.provider_class)


def kind(cls: type[NexusResource]) -> tuple[str, str]:
    """Format and type."""
    settings: Any = cls.provider_class
    return settings.format, settings.type


def first(cls: type[NexusResource], name: str, members: list[str] | None = None) -> dict[str, Any]:
    """What a repository of the kind needs."""
    values = {"distribution": "bookworm", **inputs_of(cls), "name": name, "member_names": members}
    # Core is older than the version that is played: its apt proxies need a distribution.
    needed = [name for name, one in cls.declared_properties.items() if one.required or name == "distribution"]
    return {name: values[name] for name in needed}


def edit(cls: type[NexusResource]) -> dict[str, Any]:
    """Another value for a property that only this format has; for one of the base where it has none."""
    shared = {name for base in BASES if issubclass(cls, base) for name in base.declared_properties}
    # Of Core's own formats the server has the properties of 3.71 only.
    version = "3.71.0" if kind(cls)[0] in CORE else "3.94.0"
    for name, one in cls.declared_properties.items():
        known = not Availability(one.since, one.until, one.edition).refusal(version, "OSS")
        plain = one.check is not None and limits(one.check).get("form") in ("boolean", "choice")
        own = known and plain and one.path and name not in shared and not (one.required or one.secret)
        if own and (value := other_value(one.field, one.default)) is not None and is_accepted(cls, {name: value}):
            return {name: value}
    return {"strict_content_type_validation": False}


def is_accepted(cls: type[NexusResource], inputs: dict[str, Any]) -> bool:
    server = {"url": "https://nexus.example.com", "username": "admin", "password": "x"}
    return not cls.provider_class().check({}, {"connection": server, **first(cls, "a", ["b"]), **inputs}).failures


@pytest.mark.kinds
@pytest.mark.parametrize("cls", repository_kinds(), ids=lambda one: one.__name__)
def test_repository_is_created_updated_and_deleted(
    cls: type[NexusResource], connection: Connection, client: NexusClient, member: Callable[[str], str]
) -> None:
    form, type_ = kind(cls)
    members = [member(form)] if type_ == "group" else None
    desired = first(cls, named(f"{form}-{type_}"), members)
    edited = {**desired, **edit(cls)}
    tracked = Tracked(provider_of(cls)(), connection)
    assert tracked.up(**desired) == "create"
    assert tracked.refresh() == "same"
    assert tracked.up(**desired) == "same"

    by_hand = tracked.provider.check({}, {"connection": connection, **desired, "online": False}).inputs
    client.put(f"/v1/repositories/{form}/{type_}/{desired['name']}", tracked.provider.to_body(by_hand))
    assert tracked.refresh() == "drift"
    assert tracked.up(**edited) == "update"
    assert tracked.refresh() == "same"
    other = replace(tracked)
    tracked.destroy()
    assert other.refresh() == "gone"


@pytest.mark.parametrize(
    ("kind_name", "inputs", "said"),
    [
        ("NpmGroup", {"member_names": ["no-such"]}, "member_names: no-such is not on the server"),
        ("NpmGroup", {"member_names": ["maven-releases"]}, "maven-releases is not of the format npm"),
        ("NpmHosted", {"name": "maven-releases"}, "name is taken by the maven2 hosted repository"),
        ("NpmHosted", {"name": "member-yum"}, "name is taken by the yum hosted repository 'member-yum'"),
        ("NpmHosted", {"blob_store_name": "nope"}, "blob_store_name: nope is not on the server.*default"),
        ("NpmProxy", {"remote_url": REMOTE, "routing_rule_name": "no-rule"}, "routing_rule_name is None"),
        ("NpmProxy", {"remote_url": REMOTE, "remove_quarantined": True}, "remove_quarantined: .* up to 3.93"),
    ],
)
def test_refusal_of_a_closed_format_names_the_property(
    connection: Connection, member: Callable[[str], str], kind_name: str, inputs: dict[str, Any], said: str
) -> None:
    member("yum")
    cls = getattr(providers, f"{kind_name}Repository")
    assert re.search(said, refusal(provider_of(cls), connection, **{"name": named("refused"), **inputs}))


def test_kind_that_a_version_lacks_is_refused(nexus: Nexus, connection: Connection) -> None:
    nexus.play("3.82.0-01")
    try:
        said = refusal(provider_of(providers.OciHostedRepository), connection, name="images")
    finally:
        nexus.play("3.94.0-01")
    assert "is not known to Nexus 3.82.0-01, but from 3.94 on" in said
