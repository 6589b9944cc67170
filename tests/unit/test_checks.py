"""Check, normalisation and comparison of every kind of Nexus object, without requests."""

from __future__ import annotations

import copy
import re
from typing import Any

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nexus_registry.providers.client import NexusClient
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.declare import NexusResource
from nexus_registry.providers.errors import Untrusted
from nexus_registry.providers.repositories.docker import DockerHostedRepository, DockerHostedRepositoryProvider
from nexus_registry.providers.schema import describe
from nexus_registry.providers.security.admin_password import AdminPassword, AdminPasswordProvider
from nexus_registry.providers.security.anonymous import AnonymousAccess, AnonymousAccessProvider
from nexus_registry.providers.security.realm import RealmActivation, RealmActivationProvider
from nexus_registry.providers.security.role import Role, RoleProvider
from nexus_registry.providers.security.user import User, UserProvider
from nexus_registry.providers.system.capability import Capability
from nexus_registry.providers.system.eula import Eula, EulaProvider
from nexus_registry.providers.unknown import has_unknown
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

from .certs import authority

CA = authority().certificate_pem
CONNECTION = {"url": "https://nexus.example.com:8443", "username": "admin", "password": "pw"}

KINDS: dict[type[NexusResource], tuple[type[NexusProvider], dict[str, Any]]] = {
    DockerHostedRepository: (DockerHostedRepositoryProvider, {"name": "images", "https_port": 5000.0}),
    Role: (RoleProvider, {"role_id": "push", "privileges": ["b", "a"], "roles": ["y", "x"]}),
    User: (UserProvider, {"user_id": "ci", "password": "pw", "roles": ["push", "pull"]}),
    RealmActivation: (RealmActivationProvider, {}),
    AnonymousAccess: (AnonymousAccessProvider, {"enabled": True}),
    Eula: (EulaProvider, {"accepted": True}),
    AdminPassword: (AdminPasswordProvider, {"password": "pw"}),
}
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def an_unknown() -> Any:
    """The unknown value of a preview."""
    return Unknown()  # type: ignore[no-untyped-call]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=True)
    | st.text(max_size=8)
    | st.builds(an_unknown)
    | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def checked(kind: type[NexusResource], **changes: Any) -> dict[str, Any]:
    provider, inputs = KINDS[kind]
    result = provider().check({}, {"connection": CONNECTION, **copy.deepcopy(inputs), **changes})
    assert not result.failures, [(one.property, one.reason) for one in result.failures]
    return result.inputs


@every_kind
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_value_is_accepted_or_refused_by_name(kind: type[NexusResource], data: st.DataObject) -> None:
    provider, inputs = KINDS[kind]
    name = data.draw(st.sampled_from([*provider.schema, "no_such_property"]))
    news = {"connection": CONNECTION, **inputs, name: data.draw(json_values)}
    result = provider().check({}, news)
    assert {failure.property for failure in result.failures} <= {*provider.schema, "no_such_property"}
    if not result.failures:
        if not has_unknown(result.inputs):
            assert not provider().diff("id", result.inputs, result.inputs).replaces
        again = provider().check(result.inputs, result.inputs)
        assert not again.failures


@every_kind
def test_checked_inputs_are_stable(kind: type[NexusResource]) -> None:
    inputs = checked(kind)
    again = KINDS[kind][0]().check(inputs, inputs).inputs
    assert again == inputs
    assert KINDS[kind][0]().diff("id", inputs, again).changes is False


@every_kind
def test_diff_ignores_order_defaults_and_server_fields(kind: type[NexusResource]) -> None:
    provider, _ = KINDS[kind]
    news = checked(kind)
    reversed_lists = {key: value[::-1] if isinstance(value, list) else value for key, value in news.items()}
    olds = {
        key: value
        for key, value in reversed_lists.items()
        if value != provider.schema[key].default or key == "name"
    }
    assert provider().diff("id", {**olds, "added_by_server": 1, "__provider": "other"}, news).changes is False


@every_kind
def test_diff_unknown_value_replaces_like_change(kind: type[NexusResource]) -> None:
    provider, _ = KINDS[kind]
    olds = checked(kind)
    for name, field in provider.schema.items():
        for unknown in (an_unknown(), UNKNOWN):
            diff = provider().diff("id", olds, {**olds, name: unknown})
            assert (diff.changes, diff.replaces) == (True, [name] if field.replaces else []), name


@every_kind
def test_immutable_property_replaces(kind: type[NexusResource]) -> None:
    provider, _ = KINDS[kind]
    olds = checked(kind)
    for name, field in provider.schema.items():
        if field.replaces:
            diff = provider().diff("id", olds, {**olds, name: "another"})
            assert diff.replaces == [name]
            assert diff.delete_before_replace is True


@every_kind
def test_changed_login_updates_state_only(kind: type[NexusResource]) -> None:
    provider, _ = KINDS[kind]
    olds = {**checked(kind), **dict.fromkeys(provider.outputs, "kept")}
    changed = {**CONNECTION, "username": "somebody", "password": "else"}
    news = {**checked(kind), "connection": changed}
    assert provider().diff("id", olds, news).changes is True
    outs = provider().update("id", olds, news).outs
    assert outs is not None
    assert outs["connection"] == changed
    assert all(outs[name] == "kept" for name in provider.outputs)


@every_kind
def test_server_without_rest_is_refused_in_one_sentence(kind: type[NexusResource]) -> None:
    provider, inputs = KINDS[kind]
    result = provider().check({}, {**inputs, "connection": {**CONNECTION, "version": "3.19.1-01"}})
    (failure,) = result.failures
    assert failure.property == "connection"
    assert "3.26.0" in failure.reason


@every_kind
def test_missing_connection_names_configuration_keys(kind: type[NexusResource]) -> None:
    provider, inputs = KINDS[kind]
    (failure,) = provider().check({}, inputs).failures
    assert (failure.property, "nexus-registry:url" in failure.reason) == ("connection", True)


@every_kind
def test_state_holds_provider_class_only(kind: type[NexusResource]) -> None:
    assert kind._resource_type_name == f"dynamic/nexus:{kind.__name__}"
    provider, _ = KINDS[kind]
    assert len(serialize_provider(provider())) < 200


@pytest.mark.parametrize(
    ("kind", "changes", "wrong", "reason"),
    [
        (DockerHostedRepository, {"name": "Images"}, "name", "lower-case"),
        (DockerHostedRepository, {"name": "_images"}, "name", "not starting with"),
        (DockerHostedRepository, {"http_port": 5000, "https_port": 5000}, "https_port", "port of its own"),
        (DockerHostedRepository, {"https_port": 8443}, "https_port", "Nexus itself"),
        (DockerHostedRepository, {"https_port": 70000}, "https_port", "from 1 to 65535"),
        (DockerHostedRepository, {"https_port": 5000.5}, "https_port", "whole number"),
        (DockerHostedRepository, {"https_port": "https"}, "https_port", "whole number"),
        (DockerHostedRepository, {"write_policy": "sometimes"}, "write_policy", "ALLOW, ALLOW_ONCE, DENY"),
        (DockerHostedRepository, {"path_enabled": True}, "path_enabled", "Choose one way"),
        (
            DockerHostedRepository,
            {"path_enabled": True, "https_port": None, "connection": {**CONNECTION, "version": "3.82.0-08"}},
            "path_enabled",
            "not known to Nexus 3.82.0-08",
        ),
        (
            DockerHostedRepository,
            {"path_enabled": True, "https_port": None, "subdomain": "images"},
            "path_enabled",
            "excludes http_port, https_port and subdomain",
        ),
        (DockerHostedRepository, {"latest_policy": True}, "latest_policy", "ALLOW_ONCE"),
        (Role, {"role_id": ""}, "role_id", "not be empty"),
        (Role, {"role_id": "\x01 "}, "role_id", "not be empty"),
        (Role, {"role_id": "a\0"}, "role_id", "NUL"),
        (AnonymousAccess, {"user_id": "x" * 201}, "user_id", "at most 200"),
        (Role, {"role_id": "a/b"}, "role_id", "no '/'"),
        (Role, {"role_id": "a/"}, "role_id", "no '/'"),
        (Role, {"roles": ["pull", "push"]}, "roles", "names 'push', which is the role itself"),
        (Role, {"privileges": "nx-all"}, "privileges", "must be a list"),
        (Role, {"privileges": ["a", 3.0]}, "privileges", "entry 2"),
        (User, {"roles": []}, "roles", "at least one role"),
        (User, {"user_id": "admin"}, "user_id", "AdminPassword"),
        (User, {"user_id": "a:b"}, "user_id", "':'"),
        (User, {"user_id": "u" * 201}, "user_id", "at most 200"),
        (User, {"email_address": "nobody"}, "email_address", "e-mail"),
        (User, {"status": "asleep"}, "status", "active, disabled"),
        (Eula, {"accepted": False}, "accepted", "ce-eula"),
        (AnonymousAccess, {"enabled": "yes"}, "enabled", "true or false"),
        (Role, {"connection": {"url": "nexus:8443", "password": "x"}}, "connection", "https://host:port"),
        (
            Role,
            {"connection": {"url": "https://nexus..example.com", "password": "x"}},
            "connection",
            "https://host",
        ),
        (Role, {"connection": {"url": "https://nexus:8443"}}, "connection", "password is required"),
        (
            Role,
            {"connection": {"url": "https://op:pw@nexus", "password": "x"}},
            "connection",
            "url must hold no login",
        ),
    ],
)
def test_preview_refuses_invalid_input_by_property(
    kind: type[NexusResource], changes: dict[str, Any], wrong: str, reason: str
) -> None:
    provider, inputs = KINDS[kind]
    result = provider().check({}, {"connection": CONNECTION, **inputs, **changes})
    assert [failure.property for failure in result.failures] == [wrong]
    assert reason in result.failures[0].reason


MANY = [f"nx-repository-view-docker-team-{number}-read" for number in range(100)]


def test_check_normalises_numbers_and_policies() -> None:
    inputs = checked(DockerHostedRepository, https_port=5000.0, http_port="5001", write_policy="allow_once")
    assert (inputs["https_port"], inputs["http_port"], inputs["write_policy"]) == (5000, 5001, "ALLOW_ONCE")
    assert isinstance(inputs["https_port"], int)


def test_map_that_differs_is_described_without_its_values() -> None:
    """The properties of a capability or task of any type may hold a secret."""
    schema = Capability.provider_class.schema
    desired = {"properties": {"apiKey": "s3cret-1", "url": "https://a", "same": "s3cret-3"}}
    actual = {"properties": {"apiKey": "s3cret-2", "more": "s3cret-4", "same": "s3cret-3"}}
    assert describe(["properties"], desired, actual, schema) == "properties differs in apiKey, more, url"
    assert describe(["properties"], desired, {"properties": None}, schema) == (
        "properties differs in apiKey, same, url"
    )


@pytest.mark.parametrize(
    ("found", "wanted", "said"),
    [
        (["a"], ["b"], "privileges is ['a'], desired ['b']"),
        ([*MANY[1:], "more"], MANY, f"privileges lacks ['{MANY[0]}'] and has besides ['more']"),
        (MANY[1:], MANY, f"privileges lacks ['{MANY[0]}']"),
        (MANY[::-1], MANY, "privileges has another order"),
        ("x" * 1000, None, f"privileges is '{'x' * 399}... (1002 characters), desired None"),
        (
            f"{'x' * 500}A",
            f"{'x' * 500}B",
            f"privileges is ...'{'x' * 40}A' (503 characters), desired ...'{'x' * 40}B' (503 characters)",
        ),
    ],
    ids=["short", "two lists", "longer list", "order", "text", "two texts"],
)
def test_long_value_that_differs_is_shortened(found: Any, wanted: Any, said: str) -> None:
    assert describe(["privileges"], {"privileges": wanted}, {"privileges": found}, RoleProvider.schema) == said


def test_incarnation_changes_only_at_replacement() -> None:
    provider = DockerHostedRepositoryProvider()
    first = checked(DockerHostedRepository)
    edited = provider.check(first, {**first, "online": False, "incarnation": None}).inputs
    replaced = provider.check({}, {**first, "incarnation": None}).inputs
    assert edited["incarnation"] == first["incarnation"] != replaced["incarnation"]


@pytest.mark.parametrize(
    ("kind", "name", "max_length"),
    [
        (Role, "role_id", 200),
        (Role, "name", 200),
        (Role, "description", 400),
        (User, "user_id", 200),
        (User, "first_name", 200),
        (User, "last_name", 200),
        (DockerHostedRepository, "name", 200),
    ],
)
def test_check_refuses_text_longer_than_database_column(
    kind: type[NexusResource], name: str, max_length: int
) -> None:
    provider, inputs = KINDS[kind]

    def reasons(value: str) -> list[str]:
        result = provider().check({}, {"connection": CONNECTION, **inputs, name: value})
        assert {failure.property for failure in result.failures} <= {name}
        return [failure.reason for failure in result.failures]

    assert reasons("x" * max_length) == []
    assert f"at most {max_length} characters, not {max_length + 1}" in reasons("x" * (max_length + 1))[0]
    if kind is not DockerHostedRepository:  # the database counts UTF-16
        assert reasons("\U0001f600" * (max_length // 2)) == []
        assert "an emoji counts as two" in reasons("\U0001f600" * (max_length // 2 + 1))[0]


@pytest.mark.parametrize(
    ("configured", "said"),
    [
        ({"version": "3.71.0-06"}, "is required, or the configuration keys nexus-registry:url and :password"),
        ({"ca": CA, "version": ""}, "is required, or the configuration keys nexus-registry:url and :password"),
        ({"url": "https://x:8443"}, "nexus-registry:password is required"),
        ({"password": "pw"}, "nexus-registry:url is required"),
        ({"url": "x:8443", "password": "pw"}, "nexus-registry:url must be https://host:port"),
        ({**CONNECTION, "ca": "/etc/ssl/ca.pem"}, "nexus-registry:ca must be a certificate in PEM, .*the path"),
        ({**CONNECTION, "version": "latest"}, "nexus-registry:version must be a version"),
        ({**CONNECTION, "version": "3.19.1-01"}, "3.26.0"),
    ],
)
def test_check_validates_configured_connection(configured: dict[str, str], said: str) -> None:
    provider = RoleProvider()
    values = {f"nexus-registry:{key}": value for key, value in configured.items()}
    provider.configure(ConfigureRequest(Config(values, "other")))
    (failure,) = provider.check({}, {"role_id": "push"}).failures
    assert failure.property == "connection"
    assert re.search(said, failure.reason)


def test_unknown_connection_has_no_version() -> None:
    """That of the configuration is of another server."""
    provider = Capability.provider_class()
    provider.configured = {**CONNECTION, "version": "3.26.0-01"}
    assert not provider.check({}, {"connection": UNKNOWN, "type": "audit"}).failures


def test_check_accepts_configured_and_explicit_connection() -> None:
    provider = RoleProvider()
    for configured in ({**CONNECTION, "ca": CA}, {"version": "latest", "ca": CA}):
        values = {f"nexus-registry:{key}": value for key, value in configured.items()}
        provider.configure(ConfigureRequest(Config(values, "other")))
        own = {} if "url" in configured else {"connection": CONNECTION}
        assert not provider.check({}, {"role_id": "push", **own}).failures


BROKEN_CA = CA[:100] + CA[164:]


@pytest.mark.parametrize(
    ("ca", "said"),
    [
        ("/etc/ssl/ca.pem", "must be a certificate in PEM, .*not the path of a file"),
        (CA.splitlines()[0], "whole text"),
        (BROKEN_CA, "damaged"),
        (CA.replace("\n", r"\n"), "real line breaks"),
        ("", "must not be empty"),
    ],
    ids=["path", "cut", "damaged", "escaped", "empty"],
)
def test_unusable_ca_is_refused_by_check_and_client(ca: str, said: str) -> None:
    (failure,) = RoleProvider().check({}, {"role_id": "push", "connection": {**CONNECTION, "ca": ca}}).failures
    assert failure.property == "connection"
    assert re.search(f"^ca .*{said}", failure.reason)
    if ca:
        with pytest.raises(Untrusted, match=f"^ca: .*{said}"):
            NexusClient({**CONNECTION, "ca": ca})  # type: ignore[typeddict-item]


@every_kind
@pytest.mark.parametrize(
    ("opts", "said"),
    [
        (pulumi.ResourceOptions(import_="x"), "import_: 'some' is a dynamic resource.*adopt=True"),
        (pulumi.ResourceOptions(replace_on_changes=["*"]), "replace_on_changes: .*--replace"),
    ],
    ids=["import_", "replace_on_changes"],
)
def test_option_without_effect_is_refused(
    kind: type[NexusResource], opts: pulumi.ResourceOptions, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        kind("some", **KINDS[kind][1], opts=opts)
