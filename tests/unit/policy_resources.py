"""Resources for the tests of the policy rules."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from nexus_registry.policy import Resource

ALLOWED = {"allowed-upstreams": {"allowed": ["*.example.com"]}}


def resource(kind: str, stack: str = "prod", **properties: Any) -> Resource:
    token = kind if ":" in kind else f"pulumi-python:dynamic/nexus:{kind}"
    return Resource(f"urn:pulumi:{stack}::p::{token}::it", token, properties)


def step(**words: str) -> Resource:
    return resource("command:remote:Command", **words)


def keystore(days: float) -> Resource:
    ends = datetime.now(timezone.utc) + timedelta(days=days)
    return resource("Keystore", not_after=ends.strftime("%Y-%m-%dT%H:%M:%SZ"))


OPEN = resource("AnonymousAccess", enabled=True, user_id="anonymous")


ANONYMOUS = resource("User", user_id="anonymous", roles=["guest"])


CI = resource("User", user_id="ci", roles=["team"])


PUSH = "nx-repository-view-docker-images-add"


PULL = "nx-repository-view-docker-images-read"


def role(*privileges: str, name: str = "team", roles: tuple[str, ...] = ()) -> Resource:
    return resource("Role", role_id=name, privileges=[*privileges], roles=[*roles])


def pattern(text: str) -> Resource:
    return resource("WildcardPrivilege", name="own", pattern=text)
