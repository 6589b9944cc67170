"""Binds and searches in a directory with ``ldap3``; errors have the text of Java's LDAP client."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import Any

Body = Mapping[str, Any]


class Failed(Exception):
    """The directory does not answer, is not trusted, or refuses; the message is what Java's client says."""


def bound(body: Body, trusted: str) -> None:
    """Connect and bind as a body of the API says. ``trusted``: authorities as PEM, besides the machine's own."""
    _bind(body, trusted).unbind()


def users(body: Body, trusted: str) -> list[dict[str, Any]]:
    """The users that a body of the API maps; their groups are not looked up."""
    import ldap3

    connection = _bind(body, trusted)
    keys = {
        "username": body["userIdAttribute"],
        "realName": body["userRealNameAttribute"],
        "email": body["userEmailAddressAttribute"],
    }
    chosen = f"(&(objectClass={body['userObjectClass']})({keys['username']}=*){body.get('userLdapFilter') or ''})"
    connection.search(
        ",".join(part for part in (body.get("userBaseDn"), body["searchBase"]) if part),
        chosen,
        search_scope=ldap3.SUBTREE if body.get("userSubtree") else ldap3.LEVEL,
        attributes=list(keys.values()),
    )
    _require_success(connection)
    found = [
        {key: str((one["attributes"].get(name) or [""])[0]) for key, name in keys.items()}
        for one in connection.response
    ]
    connection.unbind()
    return [{**one, "membership": []} for one in found]


def _bind(body: Body, trusted: str) -> Any:
    import ldap3  # takes a while to load, and few servers have a directory
    from ldap3.core.exceptions import LDAPExceptionError

    address = f"{body['host']}:{body['port']}"
    scheme = body["authScheme"].upper().replace("-", "_")
    login: dict[str, Any] = {"authentication": ldap3.ANONYMOUS}
    if scheme == "SIMPLE":
        login = {"user": body.get("authUsername"), "password": body.get("authPassword")}
    elif scheme == "DIGEST_MD5":
        known = (body.get("authRealm"), body.get("authUsername"), body.get("authPassword"), None)
        login = {"authentication": ldap3.SASL, "sasl_mechanism": ldap3.DIGEST_MD5, "sasl_credentials": known}
    elif scheme != "NONE":
        raise Failed(f"javax.naming.AuthenticationNotSupportedException: {scheme}")
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_data=trusted or None)
    try:
        server = ldap3.Server(
            body["host"],
            body["port"],
            use_ssl=body["protocol"].upper() == "LDAPS",
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=body["connectionTimeoutSeconds"],
        )
        connection = ldap3.Connection(
            server, **login, return_empty_attributes=False, receive_timeout=body["connectionTimeoutSeconds"]
        )
        connection.bind()
    except LDAPExceptionError as error:
        if "certificate" in str(error).lower():
            raise Failed(f"simple bind failed: {address} [SSLHandshakeException: PKIX path building]") from None
        raise Failed(f"{address} [Root exception is java.net.ConnectException: {error}]") from None
    _require_success(connection)
    return connection


def _require_success(connection: Any) -> None:
    code, description = connection.result["result"], connection.result["description"]
    if code:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", description)
        raise Failed(f"[LDAP: error code {code} - {words[:1].upper()}{words[1:]}]")
