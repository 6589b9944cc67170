"""License: the licence of Nexus Repository Pro."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ..client import NexusClient
from ..declare import NexusResource, Prop, prop
from ..errors import NotFound
from ..kind import Actual
from ..rest import RestProvider
from ..schema import Invalid, text

_LICENSE = "/v1/system/license"


def _base64(value: Any) -> str:
    given = "".join(str(text(multiline=True)(value)).split())
    try:
        base64.b64decode(given, validate=True)
    except ValueError:
        raise Invalid("must be the licence file in base64") from None
    return given


class LicenseProvider(RestProvider):
    kind = "product licence"
    find_first = True
    keeps_written = True
    writes = (f"POST {_LICENSE}",)

    def identity(self, inputs: Mapping[str, Any]) -> str:  # noqa: ARG002
        return "license"

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:  # noqa: ARG002
        try:
            body = client.get_object(_LICENSE)
        except NotFound:
            client.login()
            return None
        return self.actual(body) if body.get("fingerprint") else None

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        client.post_raw(_LICENSE, base64.b64decode(inputs["license"]), "application/octet-stream")

    write_secrets = insert

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:  # noqa: ARG002
        self.insert(client, inputs)

    def secrets_match(self, client: NexusClient, inputs: Mapping[str, Any]) -> bool | None:  # noqa: ARG002
        return None

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        """Uninstall the licence, unless somebody has installed another one since."""
        actual = self.find(client, properties)
        if actual and self.last_written(properties).get("fingerprint") in (None, actual.properties["fingerprint"]):
            self.delete_at(client, _LICENSE, properties)


class License(NexusResource, provider=LicenseProvider):
    """The licence of Nexus Repository Pro, installed. One per server.

    The server takes it into use at its next start. The file can't be read: it is installed when it changes here,
    also over one that is there. Deletion uninstalls it, unless somebody has installed another one since.

    Source: Nexus REST ``/v1/system/license``.
    """

    license: Prop[str] = prop(_base64, secret=True)
    """The licence file in base64: ``base64.b64encode(Path("nexus.lic").read_bytes()).decode()``."""
    fingerprint: Prop[str] = prop(computed=True, path="fingerprint")
    """The licence's fingerprint."""
    license_type: Prop[str] = prop(computed=True, path="licenseType")
    """Type of the licence."""
    expiration_date: Prop[str] = prop(computed=True, path="expirationDate")
    """End of the licence."""
    licensed_users: Prop[str] = prop(computed=True, path="licensedUsers")
    """Number of users that the licence covers."""
    contact_company: Prop[str] = prop(computed=True, path="contactCompany")
    """Company that holds the licence."""
