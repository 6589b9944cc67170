"""Odd names on a real Nexus: each is refused in preview by its property, or lives from creation to deletion."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nexus_registry.providers import MODULES
from nexus_registry.providers.client import Connection, client_for
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.errors import NexusError, Refused
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.repositories.raw import RawHostedRepository
from nexus_registry.providers.rest import ObjectProvider
from nexus_registry.providers.security.admin_password import AdminPasswordProvider
from nexus_registry.providers.security.anonymous import AnonymousAccessProvider
from nexus_registry.providers.security.content_selector import ContentSelectorProvider
from nexus_registry.providers.security.privilege import WildcardPrivilege
from nexus_registry.providers.security.realm import RealmActivationProvider
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.user import UserProvider
from nexus_registry.providers.system.blob_store import FileBlobStoreProvider
from nexus_registry.providers.system.routing_rule import RoutingRuleProvider
from nexus_registry.providers.system.text_properties import TextPropertiesProvider

from sandbox.faults.report import record

from ..contract.docker_api import named
from ..contract.tracked import Tracked
from .conftest import FULL
from .faulty_server import FaultyServer


@dataclass
class Kind:
    """A kind of object: the property that names it, what else it needs, and an edit of it."""

    provider: type[NexusProvider]
    key: str
    first: dict[str, Any] = field(default_factory=dict)
    edit: dict[str, Any] = field(default_factory=dict)
    singleton: bool = False
    """Whether it is always there, so that deletion puts back what was."""


KINDS = {
    "role": Kind(RoleProvider, "role_id", {"privileges": ["nx-metrics-all"]}, {"description": "another"}),
    "user": Kind(UserProvider, "user_id", {"password": "pw-1", "roles": ["nx-anonymous"]}, {"password": "pw-2"}),
    "docker repository": Kind(DockerHostedRepositoryProvider, "name", {}, {"write_policy": "DENY"}),
    "routing rule": Kind(RoutingRuleProvider, "name", {"matchers": ["^/a"]}, {"mode": "ALLOW"}),
    "anonymous access": Kind(AnonymousAccessProvider, "user_id", {"enabled": True}, {"enabled": False}, True),
}
PRIVILEGE: Any = WildcardPrivilege.provider_class
RAW: Any = RawHostedRepository.provider_class
ALIKE = {
    "content selector": Kind(
        ContentSelectorProvider, "name", {"expression": 'format == "raw"'}, {"description": "another"}
    ),
    "privilege": Kind(PRIVILEGE, "name", {"pattern": "nexus:metrics:read"}, {"description": "another"}),
    "file blob store": Kind(
        FileBlobStoreProvider,
        "name",
        {"path": "odd"},
        {"soft_quota_type": "spaceRemainingQuota", "soft_quota_limit_bytes": 1},
    ),
    "raw repository": Kind(RAW, "name", {}, {"write_policy": "DENY"}),
}
"""Kinds with a check of names that one of the others has too, which the server keeps in other places."""
LEGAL_FOR_ALL = ["a", "-", "a..b", "a.", "a-", "x" * 200]
ODD = [
    *("@", "ada@example.com", "%", "%2f", "%00", ";", ";a=b", "\\", "?", "#", "+", "&", "=", "a b", " a "),
    *("é", "e\u0301", "中", "\U0001f600", "a\U0001f600b", "'", '"', '"a@b"', "<b>", "(", ",", "["),
    *("a/b", "/", "a/", "..", ".", "a:b", "a\tb", "a\nb", "a\0b", "\x01", "\x7f", "\xa0", "\u2028", "\ufeff"),
    *("a.", "...", "{}", "|", "*", "~", "${x}", "\x01 \x1f"),
    *("null", "true", "0", "x" * 200, "x" * 201, "é" * 200, "\U0001f600" * 100, "\U0001f600" * 101, "@" * 200),
]
TOKENS = [*"abA09@%;\\?#+&=. -_'\"<>(),[]{}|^`~!$*:/\t", "é", "中", "\U0001f600", "\u0301", "\xa0", "%2F", ".."]
names = st.lists(st.sampled_from(TOKENS), min_size=1, max_size=8).map("".join)
some = settings(
    max_examples=200 if FULL else 20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
LIFE = "create, up, refresh, update, refresh, destroy"
LARGEST_SHOWN = 30
every_check = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
every_kind = pytest.mark.parametrize("kind", (KINDS | ALIKE).values(), ids=KINDS | ALIKE)


@pytest.fixture
def connection(faulty: FaultyServer) -> Connection:
    """Straight to the server."""
    return {"url": faulty.nexus.url, "username": "admin", "password": faulty.nexus.password}


def shown(name: str) -> str:
    """The name for the report: ASCII alone, a long one by its first character."""
    count = "" if len(name) <= LARGEST_SHOWN else f" {len(name)} times"
    return f"`{ascii(name[0] if count else name)[1:-1]}`{count}"


def is_legal(kind: Kind, connection: Connection, name: str) -> bool:
    """Whether check takes the name; a refusal must be of that property alone."""
    result = kind.provider().check({}, {**kind.first, kind.key: name, "connection": connection})
    assert {failure.property for failure in result.failures} <= {kind.key}
    return not result.failures


def live(kind: Kind, connection: Connection, name: str) -> None:
    """The object from creation to deletion, as the engine drives it."""
    first = {**kind.first, kind.key: name}
    edited = {**first, **kind.edit}
    tracked = Tracked(kind.provider(), connection)
    try:
        assert tracked.up(**first) == "create"
        assert tracked.up(**first) == "same"
        assert tracked.refresh() == "same"
        assert tracked.up(**edited) == "update"
        assert tracked.refresh() == "same"
        kept = dict(tracked.outs or {})
        tracked.destroy()
        if not kind.singleton:
            assert kind.provider().read(name, kept).id == ""
            kind.provider().delete(name, kept)
    finally:
        with suppress(NexusError):
            tracked.destroy()


@every_kind
def test_odd_name_is_refused_or_works(kind: Kind, connection: Connection) -> None:
    for name in ODD:
        legal = is_legal(kind, connection, name)
        if legal:
            live(kind, connection, name)
        subject = kind.provider.kind
        outcome = "lives" if legal else "refused in preview"
        record(lane="names", operation=LIFE, subject=subject, fault=shown(name), first=outcome, second=outcome)


@every_kind
def test_valid_names_work_on_server(kind: Kind, connection: Connection) -> None:
    for name in LEGAL_FOR_ALL:
        assert is_legal(kind, connection, name), name
        live(kind, connection, name)


@every_check
@some
@given(name=names)
def test_any_name_is_refused_in_check_or_works(kind: Kind, connection: Connection, name: str) -> None:
    if is_legal(kind, connection, name):
        live(kind, connection, name)


def kinds(base: type[NexusProvider]) -> Iterator[type[ObjectProvider]]:
    for one in base.__subclasses__():
        if (
            issubclass(one, ObjectProvider)
            and one.__module__.startswith("nexus_registry.")
            and hasattr(one, "schema")
        ):
            yield one
        yield from kinds(one)


def test_every_check_of_name_is_tested() -> None:
    for modules in MODULES:
        importlib.import_module(f"nexus_registry.providers.{modules}")
    tried = {id(kind.provider.schema[kind.key].normalise) for kind in KINDS.values()}
    # Tasks and capabilities are found by an id of the server's, and no server here has their API.
    named = [one for one in kinds(NexusProvider) if not issubclass(one, TextPropertiesProvider)]
    untried = [one.kind for one in named if id(one.schema[one.key].normalise) not in tried]
    assert untried == ["trusted certificate"], "whose key is the certificate itself: test_security_kinds"


def test_realm_of_odd_name_is_not_on_server(connection: Connection) -> None:
    for name in ODD:
        provider = RealmActivationProvider()
        if not provider.check({}, {"realm": name, "connection": connection}).failures:
            with pytest.raises(Refused, match=re.escape(f"realm {name!r}: ")):
                Tracked(provider, connection).up(realm=name)


@settings(some, max_examples=8)
@given(name=names)
def test_password_of_oddly_named_administrator_is_set(connection: Connection, name: str) -> None:
    if not is_legal(KINDS["user"], connection, name):
        return
    account = Tracked(UserProvider(), connection)
    account.up(user_id=name, password="first-1", roles=["nx-admin"])
    try:
        own: Connection = {**connection, "username": name, "password": "second-2"}
        password = Tracked(AdminPasswordProvider(), own)
        assert password.up(username=name, password="second-2", current_password="first-1") == "create"
        assert password.refresh() == "same"
        assert client_for(own).login()
    finally:
        account.destroy()


@pytest.mark.parametrize(
    ("provider", "inputs"),
    [
        (RoleProvider, {"role_id": "i" * 200, "name": "n" * 200, "description": "d" * 399 + "é"}),
        (
            UserProvider,
            {
                "user_id": named("user"),
                "password": "p" * 4000,
                "roles": ["nx-anonymous"],
                "first_name": "f" * 200,
                "last_name": "\U0001f600" * 100,
                "email_address": "e" * 60 + "@" + ".".join(["d" * 60, "d" * 60, "d" * 17]),
            },
        ),
    ],
    ids=["role", "user"],
)
def test_texts_of_maximum_length_are_accepted(
    connection: Connection, provider: type[NexusProvider], inputs: dict[str, Any]
) -> None:
    tracked = Tracked(provider(), connection)
    assert tracked.up(**inputs) == "create"
    assert tracked.refresh() == "same"
    tracked.destroy()
