"""CleanupPolicy: which components a cleanup deletes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from ..client import NexusClient, server_lock
from ..declare import NexusResource, Prop, prop
from ..errors import NotFound, Refused
from ..in_use import repositories_with
from ..kind import Actual
from ..marks import Incarnation
from ..names import NAME
from ..patterns import java_regex
from ..progress import Wait
from ..rest import ObjectProvider
from ..schema import choice, integer, text

_ADDRESSES = ("/internal/cleanup-policies", "/v1/cleanup-policies")
"""Every edition has the first; the second is Pro's, from 3.74 to 3.93."""
_CRITERIA = {
    "criteria_last_blob_updated": "lastBlobUpdated",
    "criteria_last_downloaded": "lastDownloaded",
    "criteria_release_type": "isPrerelease",
    "criteria_asset_regex": "regex",
    "retain": "retain",
}
"""The criteria, and what Nexus calls them in its list of formats."""
_REMOVAL_TIMEOUT = 20.0
_DAYS = integer(1, 24855)


class CleanupPolicyProvider(ObjectProvider):
    kind = "cleanup policy"
    collection = _ADDRESSES[0]
    writes = (f"POST {_ADDRESSES[1]}", f"PUT {_ADDRESSES[1]}/{{key}}")

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if all(inputs.get(name) is None for name in _CRITERIA):
            names = ", ".join(_CRITERIA)
            yield "criteria_last_blob_updated", f"is missing, and so is every other criterion. Give one of {names}"

    def at(self, client: NexusClient, template: str, inputs: Mapping[str, Any]) -> str:
        """The address on this server."""
        for address in _ADDRESSES:
            try:
                client.cached_list(address)
            except NotFound:
                continue
            return self.address(template, inputs).replace(_ADDRESSES[0], address)
        raise NotFound("the server has no address for cleanup policies. Use Nexus 3.71 or newer", status=404)

    def entries(self, client: NexusClient) -> list[Any]:
        return client.cached_list(self.at(client, self.list_path, {self.key: ""}))

    def find(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        entries = client.get_list(self.at(client, self.list_path, inputs))
        return next((self.actual(entry) for entry in entries if self.is_it(entry, inputs)), None)

    def find_in_list(self, client: NexusClient, inputs: Mapping[str, Any]) -> Actual | None:
        entries = client.cached_list(self.at(client, self.list_path, inputs))
        return next((self.actual(entry) for entry in entries if self.is_it(entry, inputs)), None)

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        client.post(self.at(client, self.collection, inputs), self.to_body(inputs))

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        client.put(self.at(client, self.item, inputs), self.to_body(inputs, actual.body))

    def explain(self, client: NexusClient, inputs: Mapping[str, Any], error: Refused) -> str:
        form = inputs["format"]
        formats = client.get_list(f"{_ADDRESSES[0]}/criteria/formats")
        known = [one for found in formats if found["id"] == form for one in found["availableCriteria"]]
        wrong = [name for name, own in _CRITERIA.items() if inputs.get(name) is not None and own not in known]
        if not known or not wrong:
            return super().explain(client, inputs, error)
        there = ", ".join(name for name, own in _CRITERIA.items() if own in known)
        return f"{wrong[0]}: is no criterion of the format {form}, which has {there}. Leave it out"

    def remove(self, client: NexusClient, properties: Mapping[str, Any]) -> None:
        if self.find(client, properties) is None:
            return
        with server_lock(client):  # Nexus has none: of two deletions at once, one puts the other's policy back
            self.delete_at(client, self.at(client, self.delete_path, properties), properties)
            _wait_until_unused(client, self.identity(properties))


def _wait_until_unused(client: NexusClient, name: str) -> None:
    """Wait until Nexus has taken a deleted policy out of the repositories, which it does after its response.

    A repository that is written before would lose the policy that takes its place.
    """
    deadline, progress = time.monotonic() + _REMOVAL_TIMEOUT, Wait()

    def has_it(repository: Mapping[str, Any]) -> bool:
        return name in ((repository.get("cleanup") or {}).get("policyNames") or [])

    with suppress(NotFound):  # a server that is too old for the list
        while (left := repositories_with(client, has_it)) and time.monotonic() < deadline:
            progress.show(f"cleanup policy {name!r} is deleted, and repository {', '.join(left)} still has it")
            time.sleep(0.1)


class CleanupPolicy(
    Incarnation, NexusResource, provider=CleanupPolicyProvider, read_only=("inUseCount", "repositories")
):
    """Which components a cleanup deletes: those that meet every criterion that is given.

    A policy works where a repository names it and the task ``repository.cleanup`` runs.

    Source: Nexus REST ``/internal/cleanup-policies``, and ``/v1/cleanup-policies`` up to 3.93.
    """

    name: Prop[str] = prop(NAME, path="name", replaces=True)
    """Name of the policy, at most 200 characters."""
    format: Prop[str] = prop(text(), path="format", replaces=True)
    """Format of the repositories that may use it, ``docker``; ``*`` for all."""
    notes: Prop[str] = prop(text(multiline=True, empty=True, max_length=400), path="notes", default="")
    """Free text, at most 400 characters."""
    criteria_last_blob_updated: Prop[int | None] = prop(
        _DAYS, path="criteriaLastBlobUpdated", default=None, unit="days"
    )
    """Delete what was uploaded more than so many days ago."""
    criteria_last_downloaded: Prop[int | None] = prop(
        _DAYS, path="criteriaLastDownloaded", default=None, unit="days"
    )
    """Delete what was downloaded last more than so many days ago."""
    criteria_release_type: Prop[str | None] = prop(
        choice("RELEASES", "PRERELEASES", upper=True), path="criteriaReleaseType", default=None
    )
    """Delete only ``RELEASES`` or ``PRERELEASES``."""
    criteria_asset_regex: Prop[str | None] = prop(java_regex, path="criteriaAssetRegex", default=None)
    """Delete what has an asset whose path this Java regular expression matches."""
    retain: Prop[int | None] = prop(integer(1, 2147483647), path="retain", default=None, edition="pro")
    """How many of the newest versions stay."""
    sort_by: Prop[str | None] = prop(
        choice("version", "date"), path="sortBy", default=None, since="3.64", edition="pro"
    )
    """What makes a version newer for ``retain``: ``version`` or ``date``."""
