"""Saml and SamlUser: logins by an identity provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..client import NexusClient
from ..declare import ListProp, NexusResource, Prop, prop
from ..errors import NotFound
from ..kind import Actual
from ..marks import Incarnations
from ..rest import ObjectProvider, SettingProvider
from ..schema import boolean, choice, set_of, text
from .email_address import EMAIL_ADDRESS
from .lookups import USER_ID, require_roles


class SamlProvider(SettingProvider):
    kind = "SAML"
    setting = "/v1/security/saml"
    setting_id = "saml"
    singleton = False
    find_first = True

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:  # type: ignore[override]
        try:
            return super().find(client, inputs)
        except NotFound:
            client.login()
            return None

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        client.put(self.setting, self.to_body(inputs))

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        self.delete_at(client, self.setting, properties)

    def initial_outputs(self, before: Actual | None, replaced: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {}


class Saml(NexusResource, provider=SamlProvider, edition="pro"):
    """Logins by a SAML identity provider. One per server.

    The realm ``SamlRealm`` must be active, too.

    Source: Nexus REST ``/v1/security/saml``.
    """

    entity_id: Prop[str] = prop(text(), path="entityId")
    """What the identity provider calls this Nexus: ``<url>/service/rest/v1/security/saml/metadata``."""
    idp_metadata: Prop[str] = prop(
        text(r"\s*<[\s\S]*>\s*", hint="must be the XML of the identity provider's metadata", multiline=True),
        path="idpMetadata",
    )
    """The identity provider's metadata, XML."""
    username_attribute: Prop[str] = prop(text(), path="usernameAttribute")
    """Attribute with the id of the user."""
    first_name_attribute: Prop[str | None] = prop(text(), path="firstNameAttribute", default=None)
    """Attribute with the first name."""
    last_name_attribute: Prop[str | None] = prop(text(), path="lastNameAttribute", default=None)
    """Attribute with the last name."""
    email_attribute: Prop[str | None] = prop(text(), path="emailAttribute", default=None)
    """Attribute with the e-mail address."""
    groups_attribute: Prop[str | None] = prop(text(), path="groupsAttribute", default=None)
    """Attribute with the groups, which are the ids of roles."""
    validate_response_signature: Prop[bool | None] = prop(boolean, path="validateResponseSignature", default=None)
    """Validate signatures of responses. Default: where the metadata hold a signing key."""
    validate_assertion_signature: Prop[bool | None] = prop(
        boolean, path="validateAssertionSignature", default=None
    )
    """Validate signatures of assertions. Default: where the metadata hold a signing key."""


class SamlUserProvider(ObjectProvider):
    kind = "SAML user"

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        require_roles(client, inputs["roles"])
        super().insert(client, inputs)

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        require_roles(client, inputs["roles"])
        super().write(client, inputs, actual)


class SamlUser(
    Incarnations,
    NexusResource,
    provider=SamlUserProvider,
    collection="/v1/security/saml/users",
    key="user_id",
    list_is_complete=False,
    since="3.86",
    edition="pro",
):
    """An account of a SAML identity provider, with roles before its first login.

    Errors: roles that are not on the server.

    Source: Nexus REST ``/v1/security/saml/users``; its list ends after 1,000 users.
    """

    user_id: Prop[str] = prop(USER_ID, path="userId", replaces=True)
    """Id of the user, as in ``username_attribute``."""
    roles: ListProp[str] = prop(set_of(text()), path="roles", default=[], refers="Role")
    """Ids of roles, besides those of the user's groups; a set."""
    first_name: Prop[str | None] = prop(text(max_length=200), path="firstName", default=None)
    """First name, at most 200 characters."""
    last_name: Prop[str | None] = prop(text(max_length=200), path="lastName", default=None)
    """Last name, at most 200 characters."""
    email_address: Prop[str | None] = prop(EMAIL_ADDRESS, path="emailAddress", default=None)
    """E-mail address, at most 200 characters."""
    status: Prop[str] = prop(choice("active", "disabled"), path="status", default="active")
    """``active`` or ``disabled``."""
