"""The check that a directory accepts the bind and has users: Nexus itself connects, binds and searches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..client import NexusClient
from ..compat import LDAP_VERIFICATION_SINCE
from ..errors import NexusError, NotFound, OutcomeUnknown, Refused

VERIFY_CONNECTION = "/v1/security/ldap/verify-connection"
VERIFY_USERS = "/v1/security/ldap/verify-user-mapping"

_CAUSES = (
    (
        r"error code 49\b|invalid.?credentials",
        "auth_password: {address} refuses the bind as {auth_username!r}. Correct auth_username or auth_password",
    ),
    (
        r"error code (?:7|8|48)\b|AuthenticationNotSupported",
        "auth_scheme: {address} does not accept {auth_scheme}. Choose another, and give auth_username",
    ),
    (
        r"error code 32\b|no.?such.?object",
        "search_base: {address} has no entry {base!r}. Correct search_base or user_base_dn",
    ),
    (
        r"PKIX|certificate|SSLHandshake|SSLException",
        "use_trust_store: Nexus does not trust the certificate of {address}. Add its authority with SslTrust and "
        "set use_trust_store=True",
    ),
)
"""What a message of Java's LDAP client means."""


def verifies(client: NexusClient) -> bool:
    """Whether this server's REST API verifies directories."""
    return not client.is_before(LDAP_VERIFICATION_SINCE)


def verify_connection(client: NexusClient, inputs: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    """Let Nexus connect and bind; raise an error when it can't.

    Args:
        client: the server.
        inputs: the properties, which the sentence names.
        body: the same as the API's body, with the password.
    """
    _ask(client, VERIFY_CONNECTION, inputs, body)


def count_users(client: NexusClient, inputs: Mapping[str, Any], body: Mapping[str, Any]) -> int | None:
    """How many users Nexus lists; raises an error when there is none. ``None``: the server does not say."""
    users = _ask(client, VERIFY_USERS, inputs, body)
    if users is None:
        return None
    if not users:
        chosen = " and ".join(
            [f"the object class {inputs['user_object_class']!r}"]
            + ([f"the filter {inputs['user_ldap_filter']!r}"] if inputs.get("user_ldap_filter") else [])
        )
        raise Refused(
            f"search_base: Nexus finds no user below {_base(inputs)!r} with {chosen}. Correct search_base, "
            "user_base_dn, user_subtree, user_object_class or user_ldap_filter, or set verify_connection=False"
        )
    return len(users)


def _ask(client: NexusClient, path: str, inputs: Mapping[str, Any], body: Mapping[str, Any]) -> list[Any] | None:
    try:
        found = client.post(path, body)
    except NotFound:
        return None
    except (Refused, OutcomeUnknown) as error:
        if error.status == 405:
            return None
        raise Refused(_sentence(error, inputs)) from None
    return found if isinstance(found, list) else None


def _sentence(error: NexusError, inputs: Mapping[str, Any]) -> str:
    text = "; ".join(message for _, message in error.messages) or str(error)
    address = f"{inputs['protocol'].lower()}://{inputs['host']}:{inputs['port']}"
    for pattern, sentence in _CAUSES:
        if re.search(pattern, text, re.IGNORECASE):
            return sentence.format(**{**inputs, "address": address, "base": _base(inputs)})
    return (
        f"host: Nexus can't query {address}: {text.rstrip('.')}. Correct protocol, host and port, or set "
        "verify_connection=False"
    )


def _base(inputs: Mapping[str, Any]) -> str:
    return ",".join(part for part in (inputs.get("user_base_dn"), inputs["search_base"]) if part)
