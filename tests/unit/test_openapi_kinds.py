"""The kinds of security and system, and the requests of every kind, against Nexus's own description of its API."""

from __future__ import annotations

import functools
import re
from string import ascii_lowercase
from typing import Any

import jsonschema
import nexus_registry.providers as providers
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from nexus_registry.providers.client import NexusClient
from nexus_registry.providers.compat import Availability
from nexus_registry.providers.coverage import NOT_RESOURCES
from nexus_registry.providers.declare import NexusResource
from nexus_registry.providers.errors import NotFound
from nexus_registry.providers.kind import Actual
from nexus_registry.providers.repositories.base import Repository

from .openapi import VERSIONS, Api, declared, inputs_of

API = {version: Api.of(version) for version in VERSIONS}
LATEST = VERSIONS[-1]
EVERY = [
    one
    for one in (getattr(providers, name) for name in providers.__all__)
    if isinstance(one, type) and issubclass(one, NexusResource)
]
KINDS = [one for one in EVERY if not issubclass(one, Repository)]
BY_OTHER_MEANS = ("AdminPassword", "RealmActivation")
"""Kinds that do not write by ``insert`` and ``write`` alone; neither sends an object."""
AVAILABLE_ALL_THE_SAME = {
    ("Eula", "3.74"): "on servers without the agreement nothing is written",
}
"""Kinds that are taken where they are not described, and why."""
LOWER_CASE = "up to 3.82 its values are described in lower case; servers take both"
MISDESCRIBED = {
    ("LdapServer", "protocol"): LOWER_CASE,
    ("LdapServer", "groupType"): LOWER_CASE,
    ("HostedRepository", "storage.writePolicy"): LOWER_CASE,
    ("OciProxyRepository", "ociProxy.indexType"): "in 3.94 its values are one string with commas",
}
"""Where the values of a property are described wrongly, by the kind or its base, and how."""
SENT_BESIDE = {
    "routingRule": "up to 3.93 described as routingRule and returned as routingRuleName; both are sent",
    "routingRuleName": "the same",
    "npm.removeQuarantined": "gone with 3.94; the default is sent to a server that is not known to lack it",
    "pypi.removeQuarantined": "the same",
}
"""What is sent and described in another version only, and why."""
CREATED_WITH = {"User": {"password": "some password"}}
"""What a new object needs and one that exists does not."""
every_kind = pytest.mark.parametrize("cls", KINDS, ids=lambda one: one.__name__)
every_version = pytest.mark.parametrize("version", VERSIONS)
writing_kind = pytest.mark.parametrize(
    "cls", [one for one in EVERY if one.__name__ not in BY_OTHER_MEANS], ids=lambda one: one.__name__
)


def plain(operation: str) -> str:
    """An operation without the names of what is in its address."""
    return re.sub(r"\{\w+\}", "{}", operation)


class Recorder:
    """A client of a server that has nothing but cleanup policies and takes everything."""

    url = "https://nexus.example.com"
    username = "admin"

    def __init__(self, version: str) -> None:
        self.server = f"Nexus/{version}.0-01 (PRO)"
        self.served = f"{version}.0-01", "PRO"
        self.sent: list[tuple[str, Any]] = []
        self.seen: dict[str, float] = {}
        self._api = API[version]

    def get_object(self, path: str, **_: str) -> dict[str, Any]:
        return {}

    def get_list(self, path: str, **_: str) -> list[Any]:
        return []

    def cached_list(self, path: str, **_: Any) -> list[Any]:
        if not path.endswith("cleanup-policies"):
            return []
        if f"POST {path}" not in self._api.writes:
            raise NotFound("")
        return [{"name": name} for name in ascii_lowercase]  # which repositories name

    def login(self) -> bool:
        return True

    is_before = NexusClient.is_before

    def delete(self, path: str, body: Any = None) -> None:
        pass

    def post(self, path: str, body: Any) -> None:
        self.sent.append((f"POST {path}", body))

    def put(self, path: str, body: Any) -> None:
        self.sent.append((f"PUT {path}", body))

    def post_raw(self, path: str, body: bytes, content_type: str) -> None:
        self.sent.append((f"POST {path}", content_type))

    def put_text(self, path: str, secret: str) -> None:
        self.sent.append((f"PUT {path}", "text/plain"))


def actual(cls: type[NexusResource], inputs: dict[str, Any]) -> Actual:
    """What a server has that has these inputs, and what it returns besides."""
    provider: Any = cls.provider_class()
    match cls.__name__:
        case "LdapServerOrder":
            return Actual([{"name": name} for name in inputs["names"]], {})
        case "ActiveRealms":
            return Actual([], {})
        case "IpAllowlist":
            there = {key: {"id": "1"} for key in list(inputs["entries"])[:1]}
            return Actual(there, {"entries": dict.fromkeys(there, "another")})
        case "Eula":
            return Actual({"accepted": False, "disclaimer": "some text"}, {})
    more: dict[str, Any] = {"id": "1"} if hasattr(provider, "paged") else {}
    if cls.__name__ == "User":
        more = {"source": "default"}
    elif issubclass(cls, Repository):
        more = dict.fromkeys(provider.read_only, "read-only")
    return Actual({**provider.to_body(inputs), **more}, {})


def described(sent: str, cls: type[NexusResource], version: str) -> str:
    """The operation of the description that this request is, or ``""``."""
    (own,) = {
        one
        for one in map(plain, cls.provider_class.operations())  # type: ignore[attr-defined]
        if re.fullmatch(re.escape(one).replace(r"\{\}", "[^/]+"), sent)
    }
    return next((one for one in API[version].writes if plain(one) == own), "")


@functools.cache
def schema(version: str, operation: str, classes: tuple[str, ...]) -> dict[str, Any]:
    made = API[version].schema(operation)
    for name in [name for one, name in MISDESCRIBED if one in classes]:
        found = functools.reduce(lambda inner, key: inner["properties"][key], name.split("."), made)
        found.pop("enum", None)
    return made


def without_none(value: Any) -> Any:
    """The value without members that are null, which the description does not tell from missing ones."""
    if isinstance(value, dict):
        return {key: without_none(one) for key, one in value.items() if one is not None}
    return value


def sent_as_described(body: dict[str, Any], version: str, operation: str) -> dict[str, Any]:
    """The body without the name, where that stands in the address alone, what ``SENT_BESIDE`` names, and nulls."""
    known, sent = API[version].bodies[operation], without_none(body)
    for path in SENT_BESIDE:
        before, _, name = path.rpartition(".")
        inner = sent.get(before) if before else sent
        if path not in known and inner:
            inner.pop(name, None)
            if before and not inner:
                del sent[before]
    return {key: one for key, one in sent.items() if key != "name" or key in known}


def available(cls: type[NexusResource], version: str) -> bool:
    provider: Any = cls.provider_class
    return not provider.availability.refusal(f"{version}.0", "pro")


EXAMPLES = settings(
    deadline=None, suppress_health_check=list(HealthCheck), database=None, phases=[Phase.generate, Phase.shrink]
)


@pytest.mark.kinds(on="schema")
@writing_kind
@every_version
@settings(EXAMPLES, max_examples=2, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_requests_are_valid_in_each_version(cls: type[NexusResource], version: str, data: st.DataObject) -> None:
    assert_requests_are_valid(cls, version, data)


@pytest.mark.nightly
@writing_kind
@every_version
@settings(EXAMPLES, max_examples=20, derandomize=False, print_blob=True)
@given(data=st.data())
def test_random_requests_are_valid_in_each_version(
    cls: type[NexusResource], version: str, data: st.DataObject
) -> None:
    assert_requests_are_valid(cls, version, data)


def assert_requests_are_valid(cls: type[NexusResource], version: str, data: st.DataObject) -> None:
    """Create and write an object with drawn inputs, and compare the requests with the description."""
    if not available(cls, version) or (cls.__name__, version) in AVAILABLE_ALL_THE_SAME:
        return
    provider: Any = cls.provider_class()
    undescribed = {name for path, name in declared(cls).items() if (cls.__name__, path) in OF_INTERNAL_API}
    inputs = {name: value for name, value in checked(cls, version, data).items() if name not in undescribed}
    client: Any = Recorder(version)
    if not provider.singleton:
        provider.insert(client, {**CREATED_WITH.get(cls.__name__, {}), **inputs})
    if getattr(provider, "update_path", "{item}"):
        provider.write(client, inputs, actual(cls, inputs))
    assert client.sent
    for sent, body in client.sent:
        operation = described(sent, cls, version)
        assert operation, f"{sent} is not in the description"
        if isinstance(body, dict):
            made = sent_as_described(body, version, operation)
            classes = tuple(base.__name__ for base in cls.__mro__)
            jsonschema.validate(made, schema(version, operation, classes))


def checked(cls: type[NexusResource], version: str, data: st.DataObject) -> dict[str, Any]:
    """Inputs that the kind's check takes."""
    server = {"url": Recorder.url, "username": "admin", "password": "x", "version": f"{version}.0"}
    news = {**data.draw(inputs_of(cls)), "connection": server}
    for name, one in cls.declared_properties.items():
        if (one.required or name in CREATED_WITH.get(cls.__name__, {})) and name not in news:
            news[name] = data.draw(inputs_of(cls, name))
    for _ in range(20):  # what contradicts another property is taken out, and what another one requires put in
        result = cls.provider_class().check({}, news)
        for name in {failure.property for failure in result.failures}:
            needed = cls.declared_properties[name].required or not news.get(name)
            news[name] = data.draw(inputs_of(cls, name).filter(bool)) if needed else None
    assert not [(one.property, one.reason) for one in result.failures]
    return result.inputs


def paths_of(cls: type[NexusResource], version: str) -> set[str]:
    """The properties that hold no others in the bodies of the kind's requests, as the version describes them."""
    own = set(map(plain, cls.provider_class.operations()))  # type: ignore[attr-defined]
    return {
        path
        for operation, body in API[version].bodies.items()
        if plain(operation) in own
        for path, facts in body.items()
        if facts["type"] != "object" or "values" in facts
    }


OF_INTERNAL_API = {("CleanupPolicy", "sortBy"): "only /internal/cleanup-policies has it before 3.94"}
OF_MAPS = ("properties.",)
"""Below these paths the API takes any keys."""
NOT_DECLARED = {
    r"type": "the class says it",
    r"id": "the server gives it",
    r"properties": "the properties of the class are in it",
    r"concurrentRun": "of a new task only, and never returned",
    r"ipOrCidr|description": "the entries of IpAllowlist",
    r"disclaimer": "sent back as it came",
    r"password|source|externalRoles": "of User: written by itself, fixed, and read-only",
    r"emailAddress|firstName|lastName|status|readOnly": "of ExternalUser: sent back as they came",
    r"https?Proxy\.(authInfo\.)?enabled": "follows from the host and the user name",
    r"notifyEmail": "sent with another key only",
    r"softQuotaAttributes\..*": "another name of softQuota, described from 3.88 on",
    r"bucketConfiguration\.activeRegion": "read-only",
    r"bucketConfiguration\.security\..*": "another name of bucketSecurity",
    r"bucketConfiguration\.advancedConnection\..*": "another name of advancedBucketConnection",
    r"bucketConfiguration\.encryption\.encryptionType": "of Google: follows from encryption_key",
    r"bucketConfiguration\.(authentication|bucketSecurity)\.method": "another name of authenticationMethod",
}
"""Properties of the API that no property of the kind stands for, and why."""


@every_kind
@every_version
def test_kind_is_available_where_it_is_described(cls: type[NexusResource], version: str) -> None:
    own = set(map(plain, cls.provider_class.operations()))  # type: ignore[attr-defined]
    described = bool(own & set(map(plain, API[version].writes)))
    assert available(cls, version) is (described or (cls.__name__, version) in AVAILABLE_ALL_THE_SAME)


@every_kind
@every_version
def test_properties_are_available_where_they_are_described(cls: type[NexusResource], version: str) -> None:
    provider: Any = cls.provider_class
    if not (of_api := paths_of(cls, version)):
        return
    wrong = {
        path
        for path, name in declared(cls).items()
        if not path.startswith(OF_MAPS)
        and path != "entries"
        and (cls.__name__, path) not in OF_INTERNAL_API
        and (not provider.field_availability.get(name, Availability()).refusal(f"{version}.0", "pro"))
        is not (path in of_api)
    }
    assert not wrong


@every_kind
def test_properties_are_those_of_api(cls: type[NexusResource]) -> None:
    read_only: Any = cls.provider_class.read_only  # type: ignore[attr-defined]
    missing = paths_of(cls, LATEST) - set(declared(cls)) - set(read_only)
    assert {path for path in missing if not any(re.fullmatch(one, path) for one in NOT_DECLARED)} == set()


def test_every_write_is_kinds_or_has_reason() -> None:
    of_kinds = {plain(one) for cls in EVERY for one in cls.provider_class.operations()}  # type: ignore[attr-defined]
    with_reason = set(map(plain, NOT_RESOURCES))
    written = set(map(plain, API[LATEST].writes))
    assert written - of_kinds - with_reason == set()
    assert with_reason <= written - of_kinds
    older = {plain(one) for version in VERSIONS for one in API[version].writes}
    assert of_kinds <= older
