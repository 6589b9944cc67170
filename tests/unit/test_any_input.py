"""Any input is accepted or refused by property, and an accepted one reads back unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nexus_registry.components.host.reachable import HostReachableProvider
from nexus_registry.providers import client
from nexus_registry.providers.client import Connection
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.keystore import KeystoreProvider
from nexus_registry.providers.provider import CONNECTION, Provider
from nexus_registry.providers.registry_check import RegistryCheckProvider
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.schema import PROVIDER_KEY
from nexus_registry.providers.security.admin_password import AdminPasswordProvider
from nexus_registry.providers.security.anonymous import AnonymousAccessProvider
from nexus_registry.providers.security.realm import RealmActivationProvider
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.user import UserProvider
from nexus_registry.providers.system.eula import EulaProvider
from nexus_registry.providers.unknown import has_unknown
from pulumi.runtime.rpc import UNKNOWN

from ..contract.tracked import Tracked
from .certs import good
from .fake import FakeServer, serve
from .stored import Stored

CANARY = "cAnArY-4711"
SERVER = {"url": "https://nexus.example.com:8443", "username": "admin", "password": CANARY}
GOOD: dict[type[Provider], dict[str, Any]] = {
    DockerHostedRepositoryProvider: {"name": "images", "https_port": 5000.0, "connection": SERVER},
    RoleProvider: {"role_id": "push", "privileges": ["b", "a"], "connection": SERVER},
    UserProvider: {"user_id": "ci", "password": CANARY, "roles": ["push"], "connection": SERVER},
    RealmActivationProvider: {"connection": SERVER},
    AnonymousAccessProvider: {"enabled": True, "connection": SERVER},
    EulaProvider: {"accepted": True, "connection": SERVER},
    AdminPasswordProvider: {"password": CANARY, "connection": SERVER},
    KeystoreProvider: good(),
    RegistryCheckProvider: {"login_server": "localhost:5000", "username": "ci", "password": CANARY},
    HostReachableProvider: {"host": "example.com", "port": 22.0},
}
every_provider = pytest.mark.parametrize("provider", GOOD, ids=lambda one: one.kind)
bounded = settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)

NEARLY: dict[str, list[Any]] = {
    "url": ["https://x:99999999", "https://[::1", "http://[::1]:8081/context", "https://:443", "https://x:²", "x"],
    "version": ["3.71", "v3", "3.71.0-06", "3.19.1", "", 3.71, "²"],
    "certificate": ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"],
    "private_key": ["-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----"],
    "nexus_version": ["3.71", "3.70 or earlier", "9.9.9"],
    "https_port": ["5000", "²", 8443.0, 1e300, float("inf"), -1, 5000.5],
    "write_policy": ["allow_once", "ß"],
    "roles": [[], [[]], [{}], ["a", UNKNOWN]],
    "login_server": ["x:99999999", "[::1]:5000", ":5000"],
    "role_id": [".", "..", "%2e%2e", " x "],
}
"""Values by property that look valid, or were accepted by mistake once."""
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(UNKNOWN)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*CONNECTION, "x", ""]) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


def spoiled(names: Iterable[str], right: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Valid inputs with a few entries replaced by any value."""
    values = {name: st.sampled_from(NEARLY.get(name, [UNKNOWN])) | anything for name in names}
    return st.fixed_dictionaries({}, optional=values).map(lambda some: {**right, **some})


def inputs_for(provider: type[Provider]) -> st.SearchStrategy[dict[str, Any]]:
    """The valid inputs of a provider with one or more replaced, or with entries of the connection replaced."""
    right = GOOD[provider]
    one = st.sampled_from([*provider.schema, "no_such_property", PROVIDER_KEY])
    few = st.lists(one, min_size=1, max_size=3).flatmap(lambda names: spoiled(names, right))
    if "connection" not in right:
        return few
    return few | spoiled(CONNECTION, SERVER).map(lambda connection: {**right, "connection": connection})


@every_provider
@bounded
@given(data=st.data())
def test_any_json_in_any_property_fails_or_passes_cleanly(provider: type[Provider], data: st.DataObject) -> None:
    news, olds = data.draw(inputs_for(provider)), data.draw(inputs_for(provider))
    result = provider().check({}, news)
    assert {failure.property for failure in result.failures} <= {*provider.schema, "no_such_property"}
    assert all("\n" not in failure.reason and CANARY not in failure.reason for failure in result.failures)
    if not provider().check({}, olds).failures:  # a state holds inputs that were accepted
        provider().diff("id", olds, result.inputs)
    if not result.failures:
        again = provider().check(result.inputs, news)
        assert not again.failures
        assert again.inputs == result.inputs
        if not has_unknown(result.inputs):
            assert provider().diff("id", result.inputs, again.inputs).replaces == []


words = st.text(min_size=1, max_size=12).filter(
    lambda text: re.search(r"[^\s\0-\x20]", text) is not None and not {"\n", "\r"} & set(text)
)
ids = words.filter(lambda text: text not in (".", "..") and not {"/", "\0"} & set(text))
roles = st.lists(st.sampled_from(["everyone", "nobody"]), min_size=1, max_size=3)
DESIRED: dict[type[NexusProvider], dict[str, st.SearchStrategy[Any]]] = {
    DockerHostedRepositoryProvider: {
        "name": st.from_regex(r"[a-z0-9-][a-z0-9._-]{0,20}", fullmatch=True),
        "online": st.booleans(),
        "write_policy": st.sampled_from(["ALLOW", "allow_once", "Deny"]),
        "cleanup_policy_names": st.lists(words, max_size=3),
        "strict_content_type_validation": st.booleans(),
        "force_basic_auth": st.booleans(),
        "http_port": st.none() | st.integers(1, 20000).map(float),
        "https_port": st.none() | st.integers(20001, 65535),
        "probe_connectors": st.just(False),
    },
    RoleProvider: {
        "role_id": ids,
        "name": st.none() | words,
        "description": st.none() | st.text(max_size=12),
        "privileges": st.lists(words, max_size=4),
        "roles": st.lists(words, max_size=3),
    },
    UserProvider: {
        "user_id": ids.filter(lambda text: re.fullmatch(r"[^\s:/\\]+", text) is not None),
        "password": words,
        "roles": roles,
        "first_name": st.none() | words,
        "last_name": st.none() | words,
        "email_address": st.none() | st.just("ada@example.org"),
        "status": st.sampled_from(["active", "disabled"]),
    },
    RealmActivationProvider: {"realm": st.none() | st.sampled_from(["DockerToken", "rutauth-realm"])},
    AnonymousAccessProvider: {
        "enabled": st.booleans(),
        "user_id": st.none() | words,
        "realm_name": st.none() | words,
    },
    EulaProvider: {"accepted": st.just(True)},
}
REPLACING = ("name", "role_id", "user_id", "realm")


class Server:
    """The fake; hypothesis prints its arguments, and this one is short."""

    def __init__(self, fake: FakeServer) -> None:
        self.fake = fake

    def empty(self) -> Connection:
        """Reset the client and the server; returns the connection."""
        self.fake.script = Stored()
        self.fake.requests.clear()
        client.reset()
        return {"url": self.fake.url, "username": "admin", "password": "pw"}


@pytest.fixture(scope="module")
def nexus() -> Iterator[Server]:
    with serve(Stored()) as fake:
        yield Server(fake)


@pytest.mark.parametrize("provider", DESIRED, ids=lambda one: one.kind)
@settings(bounded, max_examples=15)
@given(data=st.data())
def test_written_body_reads_back_unchanged(
    nexus: Server, provider: type[NexusProvider], data: st.DataObject
) -> None:
    tracked = Tracked(provider(), nexus.empty())
    first = {key: data.draw(values, label=key) for key, values in DESIRED[provider].items()}
    assert tracked.up(**first) == "create"
    assert tracked.refresh() == "same"
    assert tracked.up(**first) == "same"
    second = {
        key: data.draw(values, label=key) for key, values in DESIRED[provider].items() if key not in REPLACING
    }
    desired = {**first, **second}
    assert tracked.up(**desired) in ("update", "same")
    assert tracked.refresh() == "same"
    assert tracked.up(**desired) == "same"
