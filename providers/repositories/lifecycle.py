"""How repositories of every format are created, changed and deleted, by their type: hosted, proxy and group."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar, cast

from ..client import NexusClient, segment, server_lock
from ..errors import NotFound, Refused
from ..kind import Actual
from ..progress import Wait
from ..rest import ObjectProvider
from ..suggest import not_on_server
from ..unknown import has_unknown
from .cleanup import missing_policies

_CREDENTIALS = {
    "username": ("authentication_username", "authentication_password"),
    "ntlm": ("authentication_username", "authentication_password"),
    "bearerToken": ("authentication_bearer_token",),
}
_HTTPS_ONLY = ("use_trust_store", "authentication_preemptive")
_GROUP_ERROR = re.compile("Invalid state|Failed to validate facets")
_WAITS_FOR_GROUP = (0.2, 0.4, 0.8, 1.6, 3.2)
_SIGNED_GROUPS = ("alpine", "yum")
"""Formats whose groups have a key that Nexus does not return: a write of what it returns would remove it."""


class RepositoryProvider(ObjectProvider):
    """What repositories of every format and type share."""

    scope = "repository"
    ignores_case = True
    collection = "/v1/repositories/{format}/{type}"
    delete_path = "/v1/repositories/{key}"
    list_path = "/v1/repositorySettings"
    read_only = ("format", "type", "url")
    stored_format: ClassVar[str] = ""
    """The format as the server's lists call it, where that is not the one of the addresses."""

    def is_it(self, entry: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
        kind = (self.stored_format or self.format, self.type)
        return (entry["format"], entry["type"]) == kind and super().is_it(entry, inputs)

    def from_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        found = super().from_body(body)
        if "content_disposition" in found:
            # Nexus serves INLINE where it has none, and returns null (ContentDispositionHandler in 3.77).
            found["content_disposition"] = found["content_disposition"] or "INLINE"
        return found

    def entries(self, client: NexusClient) -> list[Any]:
        listed = super().entries(client)
        names = {one["name"] for one in listed}
        # A new server may lack a repository in repositorySettings until it is first used (seen with 3.89).
        return [*listed, *(one for one in client.cached_list("/v1/repositories") if one["name"] not in names)]

    def _is_listed(self, client: NexusClient, inputs: Mapping[str, Any]) -> bool:
        # A new server may lack a repository in repositorySettings until it is first used (seen with 3.89).
        return any(self.is_it(entry, inputs) for entry in client.get_list("/v1/repositories"))

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        self._require_policies(client, inputs)
        try:
            super().insert(client, inputs)
        except NotFound:
            self._refuse_unavailable(client, inputs)  # by the version that the response named
            if self._has_format(client):
                raise
            raise Refused(
                f"the server has no {self.format} format, which Nexus as built from its public source lacks. "
                "Install the vendor's archive"
            ) from None

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        self._require_policies(client, inputs, actual.properties.get("cleanup_policy_names") or ())
        super().write(client, inputs, actual)

    def _require_policies(
        self, client: NexusClient, inputs: Mapping[str, Any], before: Collection[str] = ()
    ) -> None:
        """Refuse an added cleanup policy that does not exist: Nexus 3.71 stores its name, 3.89 refuses it."""
        declared = {one.key[2] for one in self.run.desired_of("cleanup policy")}
        if message := missing_policies(client, inputs, {*declared, *before}):
            raise Refused(message)

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        if self.find(client, properties) is None:  # a repository with the name in other case would be deleted
            return None
        self._require_deletable(client, properties)
        # Nexus takes a deleted repository out of its groups without a lock (3.71): two deletions at once put each
        # other's repository back. It answers 500 while it stops a group to delete it.
        with server_lock(client):
            progress = Wait()
            for wait in _WAITS_FOR_GROUP:
                try:
                    return super().remove(client, properties)
                except Refused as error:
                    if error.status != 500 or not _GROUP_ERROR.search(str(error)):
                        raise
                    if "facets" in str(error) and self.format not in _SIGNED_GROUPS:
                        self._remove_missing_members(client)
                    progress.show(f"repository {self.identity(properties)!r} can't be deleted yet: {error}")
                time.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
            return super().remove(client, properties)

    def _require_deletable(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        """Refuse a deletion that would lose data."""

    def _remove_missing_members(self, client: NexusClient) -> None:
        """Take repositories that were deleted out of the groups of the format, which Nexus can't change else."""
        repositories = client.get_list("/v1/repositories")
        existing = {one["name"] for one in repositories}
        for one in repositories:
            if (one["format"], one["type"]) != (self.stored_format or self.format, "group"):
                continue
            path = f"/v1/repositories/{self.format}/group/{segment(one['name'])}"
            body = {key: value for key, value in client.get_object(path).items() if key not in self.read_only}
            group = body["group"]
            kept = [name for name in group["memberNames"] if name in existing]
            if kept != group["memberNames"]:
                gone = {} if group.get("writableMember") in (None, *kept) else {"writableMember": None}
                client.put(path, {**body, "group": {**group, "memberNames": kept, **gone}})

    def _has_format(self, client: NexusClient) -> bool:
        """Whether the format is there: Nexus creates privileges for each one that it has."""
        start = f"nx-repository-view-{self.stored_format or self.format}-"
        return any(one["name"].startswith(start) for one in client.get_list("/v1/security/privileges"))

    def taken(self, client: NexusClient, inputs: Mapping[str, Any]) -> str:
        # Nexus 3.71 takes a name that differs only in case.
        return self._taken(client, inputs, any_case=False)

    def _taken(self, client: NexusClient, inputs: Mapping[str, Any], *, any_case: bool = True) -> str:
        other = namesake(client, self.identity(inputs))
        if not other or self.is_it(other, inputs) or not (any_case or other["name"] == self.identity(inputs)):
            return ""
        return f"is taken by the {other['format']} {other['type']} repository {other['name']!r}. Choose another"

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:
        if taken := self._taken(client, inputs):
            return f"name {taken}"
        message = "; ".join(message for _, message in error.messages).lower()
        if "blob store" in message:
            existing = [store["name"] for store in client.get_list("/v1/blobstores")]
            if missing := not_on_server("blob_store_name", [inputs["blob_store_name"]], existing):
                return missing
        return missing_policies(client, inputs) if "cleanup" in message else ""


class HostedProvider(RepositoryProvider):
    """A repository that holds what was uploaded to it: data that a deletion would lose."""

    type = "hosted"

    def _require_deletable(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        if not properties.get("force_destroy") and self._holds_components(client, properties):
            raise Refused(
                "holds components and was not deleted. Run `pulumi up` with force_destroy=True on it first, then "
                "repeat the deletion"
            )

    def takes_data(self, client: NexusClient, properties: Mapping[str, Any]) -> bool:
        return bool(properties.get("force_destroy")) and self._holds_components(client, properties)

    def _holds_components(self, client: NexusClient, properties: Mapping[str, Any]) -> bool:
        try:
            page = client.get_object("/v1/components", repository=self.identity(properties))
        except NotFound:  # of the server, or of a proxy in between
            if self.find(client, properties) is not None:
                raise
            return False
        return bool(page["items"] or page.get("continuationToken"))


class ProxyProvider(RepositoryProvider):
    """A repository that proxies a remote one."""

    type = "proxy"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from super().validate(inputs)
        kind = inputs.get("authentication_type")
        for name in _CREDENTIALS.get(kind, ()) if isinstance(kind, str) else ():
            if inputs.get(name) is None:
                yield name, f"is required with authentication_type {kind}"
        remote = inputs.get("remote_url")
        for name in _HTTPS_ONLY if isinstance(remote, str) and remote.startswith("http://") else ():
            if inputs.get(name) is True:
                yield name, "is for a remote_url that begins with https://. Leave it out"

    def verify(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        super().verify(client, inputs, actual)
        if inputs.get("authentication_preemptive") and "authentication_preemptive" not in actual.properties:
            raise Refused("authentication_preemptive: is not stored by this server for this format. Leave it out")

    def to_body(self, inputs: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return with_routing_rule(super().to_body(inputs, base))


class GroupProvider(RepositoryProvider):
    """Several repositories under one name."""

    type = "group"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield from super().validate(inputs)
        members = inputs["member_names"]
        if isinstance(members, list) and inputs["name"] in members:
            yield "member_names", f"names {inputs['name']!r}, which is the group itself. Leave it out"
        writable = inputs.get("writable_member")
        if writable is not None and not has_unknown([writable, members]) and writable not in members:
            yield "writable_member", f"must be one of member_names, not {writable!r}"

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:
        existing = {one["name"]: one["format"] for one in client.get_list("/v1/repositories")}
        if missing := not_on_server("member_names", inputs["member_names"], existing):
            return missing
        form = self.stored_format or self.format
        others = [name for name in inputs["member_names"] if existing[name] != form]
        if others:
            return f"member_names: {', '.join(others)} is not of the format {form}. Leave it out"
        return super().explain(client, inputs, error)


def namesake(client: NexusClient, name: str) -> Mapping[str, Any] | None:
    """The repository, of whatever format, that has this name; names are unique in any case."""
    found = (one for one in client.get_list("/v1/repositories") if one["name"].lower() == name.lower())
    return cast("Mapping[str, Any] | None", next(found, None))


def with_routing_rule(body: dict[str, Any]) -> dict[str, Any]:
    """The body with its routing rule by both names: Nexus up to 3.93 returns one of them and takes the other."""
    return {**body, "routingRule": body["routingRuleName"]} if "routingRuleName" in body else body
