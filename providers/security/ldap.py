"""LdapServer and LdapServerOrder: accounts and groups from directories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..client import NexusClient
from ..compat import LDAP_SCHEME_NAMES_SINCE
from ..declare import ListProp, NexusResource, Prop, prop
from ..errors import Refused
from ..kind import Actual
from ..marks import Incarnation, Incarnations
from ..names import PATH_NAME
from ..rest import ObjectProvider, SettingProvider
from ..schema import boolean, choice, integer, list_of, port, text
from ..suggest import not_on_server
from ..unknown import is_unknown
from .ldap_verification import VERIFY_CONNECTION, VERIFY_USERS, count_users, verifies, verify_connection

_SERVERS = "/v1/security/ldap"
_SCHEMES = {"NONE": "none", "SIMPLE": "simple", "CRAM_MD5": "CRAM-MD5", "DIGEST_MD5": "DIGEST-MD5"}
"""Authentication schemes, and how Nexus from 3.88 on spells them."""
_STATIC = ("group_object_class", "group_id_attribute", "group_member_attribute", "group_member_format")


class LdapServerProvider(ObjectProvider):
    kind = "LDAP server"
    writes = (f"POST {VERIFY_CONNECTION}", f"POST {VERIFY_USERS}")

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        needed: list[tuple[str, str]] = []
        scheme = inputs["auth_scheme"]
        if scheme != "NONE" and not is_unknown(scheme):
            needed += [(name, f"auth_scheme {scheme}") for name in ("auth_username", "auth_password")]
        if scheme in ("CRAM_MD5", "DIGEST_MD5"):
            needed.append(("auth_realm", f"auth_scheme {scheme}"))
        if inputs["ldap_groups_as_roles"] is True and not is_unknown(inputs["group_type"]):
            names = ("user_member_of_attribute",) if inputs["group_type"] == "DYNAMIC" else _STATIC
            needed += [(name, f"ldap_groups_as_roles and group_type {inputs['group_type']}") for name in names]
        for name, why in needed:
            if inputs.get(name) is None:
                yield name, f"is required with {why}"

    def to_body(self, inputs: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        body = super().to_body(inputs, base)
        return {**body, "authScheme": _SCHEMES.get(body["authScheme"], body["authScheme"])}

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        self._verify_before_write(client, inputs)
        client.post(self.collection, _spelled(client, self.to_body(inputs)))

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        self._verify_before_write(client, inputs)
        client.put(self.address(self.update_path, inputs), _spelled(client, self.to_body(inputs, actual.body)))

    def verify(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        if inputs["verify_connection"] and verifies(client):
            actual.properties["mapped_users"] = count_users(client, inputs, _spelled(client, self.to_body(inputs)))

    def initial_outputs(self, before: Actual | None, replaced: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {"mapped_users": None}

    def _verify_before_write(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        """Verify before anything is written: a former bind password can't be read, and so not be restored."""
        if inputs["verify_connection"] and verifies(client):
            body = _spelled(client, self.to_body(inputs))
            verify_connection(client, inputs, body)
            count_users(client, inputs, body)


def _spelled(client: NexusClient, body: dict[str, Any]) -> dict[str, Any]:
    """The body in the spelling of this server's version."""
    if not client.is_before(LDAP_SCHEME_NAMES_SINCE):
        return body
    older = {new: old for old, new in _SCHEMES.items()}
    return {**body, "authScheme": older.get(body["authScheme"], body["authScheme"])}


def _scheme(value: Any) -> str:
    converted = value.upper().replace("-", "_") if isinstance(value, str) else value
    return str(choice(*_SCHEMES)(converted))


class LdapServer(
    Incarnation,
    NexusResource,
    provider=LdapServerProvider,
    collection=_SERVERS,
    read_only=("order",),
    since="3.24",
):
    """A directory whose accounts may log in, and whose groups may be roles.

    The realm ``LdapRealm`` must be active. The defaults are those of OpenLDAP with ``inetOrgPerson``. A bind
    password can't be read: it is written when it changes here. From Nexus 3.92 on, Nexus connects to the directory
    and lists its users before anything is written (``verify_connection``).

    Errors: a directory that Nexus can't reach or does not trust, a refused bind, a search base without users.

    Source: Nexus REST ``/v1/security/ldap``.
    """

    name: Prop[str] = prop(PATH_NAME, path="name", replaces=True)
    """Name of the server in Nexus, at most 200 characters without ``/``."""
    protocol: Prop[str] = prop(choice("LDAP", "LDAPS", upper=True), path="protocol", default="LDAPS")
    """``LDAPS`` or ``LDAP``."""
    host: Prop[str] = prop(text(r"\S+", hint="must be a host name or an address"), path="host")
    """Host name of the directory."""
    port: Prop[int] = prop(port, path="port", default=636)
    """Port of the directory; 389 is usual for ``LDAP``."""
    use_trust_store: Prop[bool] = prop(boolean, path="useTrustStore", default=False)
    """Trust certificates in Nexus's trust store, too: :class:`SslTrust`."""
    search_base: Prop[str] = prop(text(), path="searchBase")
    """Where the search begins: ``dc=example,dc=com``."""
    auth_scheme: Prop[str] = prop(_scheme, path="authScheme", default="SIMPLE")
    """``NONE``, ``SIMPLE``, ``CRAM_MD5`` or ``DIGEST_MD5``."""
    auth_username: Prop[str | None] = prop(text(), path="authUsername", default=None)
    """Who binds: with ``SIMPLE`` a DN."""
    auth_password: Prop[str | None] = prop(text(), path="authPassword", default=None, secret=True)
    """Password of ``auth_username``."""
    auth_realm: Prop[str | None] = prop(text(), path="authRealm", default=None)
    """SASL realm, for ``CRAM_MD5`` and ``DIGEST_MD5``."""
    connection_timeout_seconds: Prop[int] = prop(
        integer(1, 3600), path="connectionTimeoutSeconds", default=30, unit="seconds"
    )
    """How long to wait for the directory."""
    connection_retry_delay_seconds: Prop[int] = prop(
        integer(0, 2147483647), path="connectionRetryDelaySeconds", default=300, unit="seconds"
    )
    """How long Nexus sends no request to a directory that failed."""
    max_incidents_count: Prop[int] = prop(integer(0, 2147483647), path="maxIncidentsCount", default=3)
    """Number of failures after which Nexus waits ``connection_retry_delay_seconds``."""
    user_base_dn: Prop[str | None] = prop(text(), path="userBaseDn", default=None)
    """Where users are, relative to ``search_base``: ``ou=people``."""
    user_subtree: Prop[bool] = prop(boolean, path="userSubtree", default=False)
    """Search for users at every level below ``user_base_dn``."""
    user_object_class: Prop[str] = prop(text(), path="userObjectClass", default="inetOrgPerson")
    """Object class of users."""
    user_ldap_filter: Prop[str | None] = prop(text(), path="userLdapFilter", default=None)
    """Filter for users: ``(employeeType=staff)``."""
    user_id_attribute: Prop[str] = prop(text(), path="userIdAttribute", default="uid")
    """Attribute with the id."""
    user_real_name_attribute: Prop[str] = prop(text(), path="userRealNameAttribute", default="cn")
    """Attribute with the name."""
    user_email_address_attribute: Prop[str] = prop(text(), path="userEmailAddressAttribute", default="mail")
    """Attribute with the e-mail address."""
    user_password_attribute: Prop[str | None] = prop(text(), path="userPasswordAttribute", default=None)
    """Attribute with the password. Default: Nexus binds as the user."""
    ldap_groups_as_roles: Prop[bool] = prop(boolean, path="ldapGroupsAsRoles", default=False)
    """Let users have the roles whose ids are the names of their groups."""
    group_type: Prop[str] = prop(choice("STATIC", "DYNAMIC", upper=True), path="groupType", default="STATIC")
    """``STATIC`` (groups list users) or ``DYNAMIC`` (users list groups)."""
    group_base_dn: Prop[str | None] = prop(text(), path="groupBaseDn", default=None)
    """Where groups are, relative to ``search_base``."""
    group_subtree: Prop[bool] = prop(boolean, path="groupSubtree", default=False)
    """Search for groups at every level below ``group_base_dn``."""
    group_object_class: Prop[str | None] = prop(text(), path="groupObjectClass", default=None)
    """Object class of groups: ``groupOfNames``."""
    group_id_attribute: Prop[str | None] = prop(text(), path="groupIdAttribute", default=None)
    """Attribute with a group's name: ``cn``."""
    group_member_attribute: Prop[str | None] = prop(text(), path="groupMemberAttribute", default=None)
    """Attribute with a group's members: ``member``."""
    group_member_format: Prop[str | None] = prop(text(), path="groupMemberFormat", default=None)
    """How a group names a member: ``uid=${username},ou=people,dc=example,dc=com``."""
    user_member_of_attribute: Prop[str | None] = prop(text(), path="userMemberOfAttribute", default=None)
    """Attribute of a user with the groups, for ``DYNAMIC``: ``memberOf``."""
    verify_connection: Prop[bool] = prop(boolean, local=True, default=True)
    """Let Nexus, from 3.92 on, connect to the directory and list its users at each creation and change. ``False``:
    for a directory that Nexus can't reach yet, or that has no users yet."""
    mapped_users: Prop[int | None] = prop(computed=True)
    """How many users Nexus listed at the last creation or change; it may list only the first. ``None``: it was
    not asked."""


class LdapServerOrderProvider(SettingProvider):
    kind = "order of LDAP servers"
    setting = f"{_SERVERS}/change-order"
    setting_id = "ldap-order"
    method = "POST"

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual:
        servers = sorted(client.get_list(_SERVERS), key=lambda one: int(one.get("order") or 0))
        names = [one["name"] for one in servers]
        if "names" in inputs:  # those that it does not name come after the others
            while names and names[-1] not in inputs["names"]:
                names.pop()
        return Actual(servers, {"names": names})

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        existing = [one["name"] for one in actual.body]
        if missing := not_on_server("names", inputs["names"], existing):
            raise Refused(missing)
        client.post(self.setting, [*inputs["names"], *(name for name in existing if name not in inputs["names"])])

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        """The servers keep their order."""


class LdapServerOrder(Incarnations, NexusResource, provider=LdapServerOrderProvider, since="3.24"):
    """The order in which Nexus queries its LDAP servers. One per server; deletion changes nothing.

    Servers that the list does not name come after those that it names, such as one that the same ``up`` deletes.

    Errors: a name that the server does not have.

    Source: Nexus REST ``/v1/security/ldap/change-order``.
    """

    names: ListProp[str] = prop(list_of(text(), least=1), path="names", refers="LdapServer")
    """Names of LDAP servers; the first is queried first."""
