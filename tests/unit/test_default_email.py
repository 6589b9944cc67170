"""The address that a user gets who was given none: legal for the server, and the same at every run."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nexus_registry.providers.security.user import UserProvider

CONNECTION = {"url": "https://nexus.example.com:8443", "username": "admin", "password": "pw"}


def default(user_id: str) -> str:
    inputs = {"user_id": user_id, "password": "pw", "roles": ["push"], "connection": CONNECTION}
    result = UserProvider().check({}, inputs)
    assert not result.failures, [failure.reason for failure in result.failures]
    assert not UserProvider().check({}, result.inputs).failures
    return str(result.inputs["email_address"])


@pytest.mark.parametrize(
    "user_id",
    [
        "ci",
        "ada.lovelace",
        "a+b",
        "a-b_c",
        "é中",
        '"a"',
        '"a@b".c',
        '"a;b"',
        "x" * 64,
        "{}",
        "A'B",
        "\ud7ff\ue000",
    ],
)
def test_default_email_keeps_legal_user_id(user_id: str) -> None:
    assert default(user_id) == f"{user_id}@example.invalid"


@pytest.mark.parametrize(
    "user_id",
    [
        *("ada@example.com", "a..b", "a.", ".a", "a,b", 'a"b', '""', "a<b", "a(b", "a;b", "a[b", "\U0001f600"),
        *("x" * 65, "x" * 200, "@" * 200, '"' + "x" * 63 + '"', "é" * 65),
    ],
)
def test_default_email_is_unique_for_other_ids(user_id: str) -> None:
    address = default(user_id)
    assert re.fullmatch(r"[A-Za-z0-9-]{1,64}@example\.invalid", address)
    assert address == default(user_id)
    assert address != default(user_id[:-1] + "@") or user_id.endswith("@")


LEGAL = re.compile(
    r"""(?:[a-z0-9!#$%&'*+/=?^_`{|}~\u0080-\uffff-]+|"[a-z0-9!#$%&'*.(),<>\[\]:;@+/=?^_`{|}~\u0080-\uffff-]+")"""
    r"""(?:\.(?:[a-z0-9!#$%&'*+/=?^_`{|}~\u0080-\uffff-]+|"[^"]+"))*""",
    re.IGNORECASE,
)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('@."'), min_size=1, max_size=80))
def test_every_legal_id_gets_legal_email(user_id: str) -> None:
    if (
        re.fullmatch(r"(?!\.{1,2}$)(?![\0-\x20]+$)[^\s:/\\\0]+", user_id)
        and len(user_id.encode("utf-16-le")) <= 400
    ):
        local, _, domain = default(user_id).rpartition("@")
        assert domain == "example.invalid"
        assert len(local) <= 64
        assert LEGAL.fullmatch(local)
