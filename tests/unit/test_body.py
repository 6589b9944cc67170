"""Declared properties become the body of a request, and the other way round."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nexus_registry.providers.body import Group, to_body
from nexus_registry.providers.client import Connection
from nexus_registry.providers.schema import check
from pulumi.runtime.rpc import UNKNOWN

from .declared import RawHostedRepository, RawProxyRepository

SERVER: Connection = {"url": "https://nexus.example.com", "username": "admin", "password": "pw"}
PROXY: Any = RawProxyRepository.provider_class()
PLAIN = {"name": "raw", "remote_url": "https://a"}
LOGIN = {"authentication_type": "username", "username": "ci", "password": "pw"}
SENT = {"name": "raw", "online": True, "proxy": {"remoteUrl": "https://a", "contentMaxAge": 1440}, "labels": {}}
THERE = {**SENT, "url": "https://x/raw"}


def checked(**given_inputs: Any) -> dict[str, Any]:
    inputs, failures = check(PROXY.schema, {**PLAIN, **given_inputs})
    assert not failures
    return inputs


@pytest.mark.parametrize(
    ("inputs", "server", "client"),
    [
        ({}, None, "absent"),
        ({}, {"blocked": False}, {"blocked": False}),
        ({}, {"blocked": False, "authentication": None}, {"blocked": False}),
        ({}, {"authentication": {"type": "ntlm", "ntlmHost": "x"}}, {}),
        (LOGIN, None, {"authentication": {"type": "username", "username": "ci", "password": "pw"}}),
        (
            LOGIN,
            {"blocked": False, "authentication": {"type": "ntlm", "ntlmHost": "x", "preemptive": True}},
            {
                "blocked": False,
                "authentication": {
                    "type": "username", "username": "ci", "password": "pw", "ntlmHost": "x", "preemptive": False,
                },
            },
        ),
        ({**LOGIN, "preemptive": True}, {"authentication": None}, {"authentication": {
            "type": "username", "username": "ci", "password": "pw", "preemptive": True}}),
    ],
    ids=["create", "none there", "null there", "taken out", "create with", "changed", "put in"],
)  # fmt: skip
def test_optional_group_is_sent_whole_or_not_at_all(inputs: Any, server: Any, client: Any) -> None:
    base = {**THERE, **({} if server is None else {"httpClient": server})}
    body = PROXY.to_body(checked(**inputs), base if server is not None else None)
    body.pop("url", None)
    assert body == {**SENT, **({} if client == "absent" else {"httpClient": client})}


def test_unknown_default_is_left_out_of_body() -> None:
    provider: Any = RawHostedRepository.provider_class()
    inputs = check(provider.schema, {"name": "raw"})[0]
    assert "raw" not in provider.to_body(inputs)
    assert "raw" not in provider.to_body(inputs, {"name": "raw"})
    assert provider.to_body({**inputs, "content_disposition": "INLINE"})["raw"] == {"contentDisposition": "INLINE"}
    written = provider.to_body(inputs, {"raw": {"contentDisposition": "INLINE"}})
    assert written["raw"] == {"contentDisposition": "ATTACHMENT"}


@pytest.mark.parametrize(
    ("given_inputs", "missing"),
    [({}, []), ({"preemptive": False}, []), ({"username": "ci"}, ["authentication_type"]), (LOGIN, []),
     ({"password": "pw"}, ["authentication_type", "username"])],
)  # fmt: skip
def test_group_that_is_given_requires_its_members(given_inputs: Any, missing: list[str]) -> None:
    failures = PROXY.check({}, {**PLAIN, **given_inputs, "connection": SERVER}).failures
    assert [failure.property for failure in failures] == missing
    assert all(failure.reason == f"is required with {next(iter(given_inputs))}." for failure in failures)


some = st.none() | st.sampled_from(["a", "b"])
proxies = st.fixed_dictionaries(
    {},
    optional={
        "authentication_type": st.none() | st.sampled_from(["username", "ntlm"]),
        "username": some,
        "password": some,
        "preemptive": st.none() | st.booleans(),
        "online": st.booleans(),
        "labels": st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=2),
    },
)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(first=proxies, second=proxies)
def test_put_file_replaces_anything(first: Any, second: Any) -> None:
    before, inputs = checked(**first), checked(**second)
    for body in (PROXY.to_body(inputs), PROXY.to_body(inputs, PROXY.to_body(before))):
        login = body.get("httpClient", {}).get("authentication", "absent")
        assert login == "absent" or any(value not in (None, False) for value in login.values())
        read = check(PROXY.schema, {**PLAIN, **PROXY.from_body(body)})[0]
        assert read == {name: value for name, value in inputs.items() if name != "password"}


def test_map_refuses_value_by_key_and_keeps_unknown() -> None:
    unknown = {"b": UNKNOWN, "a": "x"}
    assert checked(labels=unknown)["labels"] == unknown
    failures = check(PROXY.schema, {**PLAIN, "labels": {"a": 1}})[1]
    assert [(one.property, one.reason) for one in failures] == [
        ("labels", "entry 'a' must be a string, not a number.")
    ]


def test_groups_within_groups() -> None:
    inner, outer = Group(("a", "b"), {"x": None}), Group(("a",), {"x": None, "y": 1})
    paths = {"x": ("a", "b", "x"), "y": ("a", "y")}
    bodies = [to_body(paths, inputs, groups=(inner, outer)) for inputs in ({"y": 1}, {"y": 2}, {"x": 3, "y": 1})]
    assert bodies == [{}, {"a": {"y": 2}}, {"a": {"b": {"x": 3}, "y": 1}}]
