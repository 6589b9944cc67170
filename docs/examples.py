"""A short program for each kind, from the smallest inputs that it takes: :func:`example`.

Values follow from the declaration; ``SAMPLES`` has those that it does not tell.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from nexus_registry.providers.client import Connection
from nexus_registry.providers.declare import DeclaredResource, Prop
from nexus_registry.providers.schema import limits

from sandbox.pki import Authority

CONNECTION: Connection = {"url": "https://nexus.example.com:8443", "username": "admin", "password": "secret"}


@functools.cache
def _certificate() -> tuple[str, str]:
    """A certificate and its key, in PEM."""
    issued = Authority.create("example").issue(["nexus.example.com"])
    return issued.certificate_pem, issued.private_key_pem


OPENPGP_KEY = """\
-----BEGIN PGP PRIVATE KEY BLOCK-----

lFgEawl6RRYJKwYBBAHaRw8BAQdAfVQfMNX7wU7O6+gL3AIcfIlDyFoUFW/63n8c
BMpycWkAAPsFZ7seT3JcXIvDLxEja/QaGFZTf6gI3476YvHLHlXAHQ6otCFleGFt
cGxlIDxleGFtcGxlQGV4YW1wbGUuaW52YWxpZD6IkAQTFggAOBYhBGrqltAQPaaV
JEY8SOK4gbw+ENnABQJrCXpFAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJ
EOK4gbw+ENnAi8oBAPZMUy+hegq7uQV9+UIHFdRQh959UbDwo3t0+h1KVR+tAQCj
A3CWYcNUS9nrRhrIkasD05KfxvTlF0gVjdkBBZhDDA==
=QOFM
-----END PGP PRIVATE KEY BLOCK-----
"""
"""A key that gpg made for these examples."""

SAMPLES: dict[str, Any] = {
    "accepted": True,
    "actions": ["READ"],
    "auth_username": "cn=nexus,dc=example,dc=com",
    "domain": "logging",
    "account_name": "exampleaccount",
    "certificate": lambda: _certificate()[0],
    "distribution": "bookworm",
    "email_address": "ada@example.com",
    "expression": 'format == "raw" and path =^ "/public/"',
    "format": "raw",
    "from_address": "nexus@example.com",
    "host": "server.example.com",
    "index_url": "https://index.example.com",
    "login_server": "registry.example.com",
    "matchers": ["^/com/example/.*"],
    "member_names": ["first", "second"],
    "members": ["first", "second"],
    "password": "a-password",
    "path": "example",
    "pattern": "nexus:metrics:*",
    "private_key": lambda: _certificate()[1],
    "realms": ["NexusAuthenticatingRealm", "DockerToken"],
    "region": "eu-central-1",
    "remote_url": "https://packages.example.com",
    "repository": "*",
    "roles": ["nx-anonymous"],
    "search_base": "dc=example,dc=com",
    "servers": ["first", "second"],
    "signing_keypair": OPENPGP_KEY,
    "symbol_server_url": "https://symbols.example.com",
    "user_id": "ada",
    "username": "ada",
    "url": "https://server.example.com",
    "DockerGarbageCollectionTask.repository_name": "images",
    "ExternalUser.source": "LDAP",
    "IpAllowlist.mode": "MONITOR",
    "License.license": "bGljZW5jZQ==",
    "Saml.entity_id": "https://nexus.example.com:8443/service/rest/v1/security/saml/metadata",
    "Saml.idp_metadata": '<EntityDescriptor entityID="https://login.example.com"/>',
    "Saml.username_attribute": "username",
    "Script.content": "log.info('hello')",
    "Task.type": "repository.cleanup",
    "ContentSelector.name": "public",
    "AlpineGroupRepository.signing_keypair": lambda: _certificate()[1],
    "AlpineProxyRepository.signing_keypair": lambda: _certificate()[1],
}
"""Values by property, or by kind and property, where the declaration tells too little."""


def inputs_of(cls: type[DeclaredResource]) -> dict[str, Any]:
    """The smallest inputs that the kind takes, besides its connection."""
    declared = {name: one for name, one in cls.declared_properties.items() if not one.computed}
    key = getattr(cls.provider_class, "key", "")
    arguments = dict(sorted(declared.items(), key=lambda one: one[0] != key))
    inputs = {name: sample(cls, one) for name, one in arguments.items() if one.required}
    given = {"connection": CONNECTION} if "connection" in arguments else {}
    for _ in range(3):  # what a value requires beside it
        failures = cls.provider_class().check({}, {**given, **inputs}).failures
        missing = [one.property for one in failures if one.property in arguments and one.property not in inputs]
        inputs |= {name: sample(cls, arguments[name]) for name in missing}
    return inputs


def configured(cls: type[DeclaredResource]) -> dict[str, str]:
    """Those of them that the example reads from the configuration: secrets, and texts of several lines."""
    return {
        name: value
        for name, value in inputs_of(cls).items()
        if cls.declared_properties[name].secret or "\n" in str(value)
    }


def example(cls: type[DeclaredResource]) -> str:
    """A program that makes one of the kind."""
    inputs, read = inputs_of(cls), configured(cls)
    lines = ["import pulumi"] if read else []
    lines += [f"from nexus_registry.providers import {cls.__name__}", ""]
    lines += ["config = pulumi.Config()", ""] if read else []
    methods = {name: "require_secret" if cls.declared_properties[name].secret else "require" for name in read}
    arguments = [
        f"    {name}=" + (f'config.{methods[name]}("{name}"),' if name in read else f"{_literal(value)},")
        for name, value in inputs.items()
    ]
    return "\n".join([*lines, f"{cls.__name__}(", '    "example",', *arguments, ")", ""])


def sample(cls: type[DeclaredResource], one: Prop[Any]) -> Any:
    """A value that the property takes."""
    for key in (f"{cls.__name__}.{one.name}", one.name):
        if key in SAMPLES:
            value = SAMPLES[key]
            return value() if callable(value) else value
    assert one.check is not None
    return _taken(limits(one.check), one.name)


def _taken(limit: Mapping[str, Any], name: str) -> Any:
    """A value that a check with these limits takes."""
    match limit.get("form"):
        case "boolean":
            return True
        case "integer":
            return max(limit["low"], min(limit["high"], 10))
        case "choice":
            return limit["values"][0]
        case "set" | "list":
            return [_taken(limits(limit["item"]), name)]
        case "map":
            return {"example": _taken(limits(limit["item"]), name)}
    return "example"


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str) and '"' not in value:
        return f'"{value}"'
    return repr(value)
