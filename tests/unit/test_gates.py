"""Each property that some servers lack is refused in preview by its name, and ignored where it is left out."""

from __future__ import annotations

from typing import Any

import pytest
from nexus_registry.providers.compat import REST_SINCE, Availability, parse
from nexus_registry.providers.declare import DeclaredResource

from docs.examples import CONNECTION, inputs_of, sample
from tests.contract.every_version import other_value
from tests.tested import kinds

LOGIN = {"authentication_type": "username", "authentication_username": "u", "authentication_password": "p"}
BESIDE: dict[str, dict[str, Any]] = {
    "authentication_bearer_token": {"authentication_type": "bearerToken"},
    "authentication_preemptive": LOGIN,
    "enforce_distribution": {"distribution": "bookworm"},
    "latest_policy": {"write_policy": "ALLOW_ONCE"},
    "signing_passphrase": {"signing_keypair": None},
    "writable_member": {"member_names": ["other"]},
    "index_path": {"index_path": "/other"},
    "failover_buckets": {"failover_buckets": ["eu-west-1=some-bucket"]},
}
"""What a property needs beside it, or a value of its own; None: a sample."""


def lacking(gate: Availability) -> list[dict[str, str]]:
    """Servers that the property is not on."""
    servers = []
    if gate.since and (before := parse(f"{gate.since}.0"))[:2] > REST_SINCE:
        servers.append({"version": f"3.{before[1] - 1}.0-01"})
    if gate.until:
        servers.append({"version": f"3.{parse(f'{gate.until}.0')[1] + 1}.0-01"})
    return [*servers, *([{"edition": "community"}] if gate.edition else [])]


def availability(cls: type[DeclaredResource]) -> Availability:
    """Of the kind itself."""
    found: Availability = getattr(cls.provider_class, "availability", Availability())
    return found


GATED = [
    pytest.param(cls, name, server, id=f"{kind}-{name}-{next(iter(server))}")
    for kind, cls in kinds().items()
    for name, gate in getattr(cls.provider_class, "field_availability", {}).items()
    for server in lacking(gate)
    # Of what the server lacks as a whole, no property is named.
    if not availability(cls).refusal(server.get("version", ""), server.get("edition", ""))
]


def failures(cls: type[DeclaredResource], inputs: dict[str, Any], server: dict[str, str]) -> dict[str, str]:
    found = cls.provider_class().check({}, {**inputs, "connection": {**CONNECTION, **server}}).failures
    return {one.property: one.reason for one in found}


@pytest.mark.parametrize(("cls", "name", "server"), GATED)
def test_property_that_server_lacks_is_refused_by_name(
    cls: type[DeclaredResource], name: str, server: dict[str, str]
) -> None:
    declared = cls.declared_properties
    given = {
        key: sample(cls, declared[key]) if value is None else value for key, value in BESIDE.get(name, {}).items()
    }
    value = other_value(declared[name].field, declared[name].default)
    given.setdefault(name, sample(cls, declared[name]) if value is None else value)
    inputs = {**inputs_of(cls), **given}
    assert failures(cls, inputs, {}) == {}, "another reason. Add a value to BESIDE"
    assert next(iter(server.values())) in failures(cls, inputs, server)[name]
    inputs = {**inputs_of(cls), name: declared[name].default}
    assert name not in failures(cls, inputs, server)
