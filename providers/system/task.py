"""Tasks: what Nexus runs, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from ..client import NexusClient
from ..declare import ListProp, MapProp, NexusResource, Prop, prop
from ..errors import Refused
from ..kind import Actual
from ..patterns import quartz_cron
from ..schema import Invalid, boolean, choice, integer, map_of, set_of, text
from ..security.email_address import EMAIL_ADDRESS
from ..unknown import has_unknown
from .text_properties import TextPropertiesProvider

_NEEDS: dict[str, tuple[str, ...]] = {
    "manual": (),
    "once": ("start_date",),
    "hourly": ("start_date",),
    "daily": ("start_date",),
    "weekly": ("start_date", "recurring_days"),
    "monthly": ("start_date", "recurring_days"),
    "cron": ("cron_expression",),
}
"""What each schedule is given."""
_LAST_DAY = 999
_SET_BY_NEXUS = "moveInitialBlobstore"
"""A property of ``repository.move`` that its run adds. Nexus refuses it in a request."""
_DAYS = integer(0, 24855)
_HOURS = integer(0, 596523)


def _moment(value: Any) -> str:
    given = str(text()(value))
    try:
        moment = datetime.fromisoformat(given.replace("Z", "+00:00"))
        utc = moment.astimezone(timezone.utc) if moment.tzinfo else None
    except (ValueError, OverflowError):
        utc = None
    if utc is None:
        raise Invalid(f"{given!r} is no time with a time zone. Give one such as 2026-01-31T02:30:00+00:00")
    return utc.isoformat(timespec="seconds")


class TasksProvider(TextPropertiesProvider):
    scope = "task"
    collection = "/v1/tasks"
    paged = True

    def scope_of(self, properties: Mapping[str, Any]) -> str:
        return f"{self.type or properties.get('type')} task"

    def validate(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        schedule = inputs["schedule"]
        needs = _NEEDS.get(schedule) if isinstance(schedule, str) else None
        if needs is None:
            return
        for name in ("start_date", "recurring_days", "cron_expression"):
            if name in needs and not inputs.get(name):
                yield name, f"is required with schedule {schedule}"
            elif name not in needs and inputs.get(name):
                yield name, f"is not for schedule {schedule}. Leave it out"
        days, most = inputs["recurring_days"], 7 if schedule == "weekly" else 31
        days = [] if has_unknown(days) else days
        wrong = [one for one in days if one > most and (most, one) != (31, _LAST_DAY)]
        if needs and wrong:
            yield "recurring_days", f"holds {wrong[0]}. Give days from 1 to {most}"
        elif _LAST_DAY in days and len(days) > 1:  # QuartzTriggerConverter in Nexus's source drops the others
            yield "recurring_days", f"holds {_LAST_DAY}, beside which Nexus runs no other day. Give it alone"

    def is_done(self, state: Mapping[str, Any]) -> bool:
        start = state.get("start_date")
        if not start or state.get("schedule") != "once" or state.get("enabled") is False:
            return False
        return datetime.fromisoformat(start) < datetime.now(timezone.utc)

    def insert(self, client: NexusClient, inputs: Mapping[str, Any]) -> None:
        if self.is_done(inputs):
            raise Refused(
                f"start_date: {inputs['start_date']} has passed, and Nexus would run the task now. Give a later "
                "time, or remove the task from the program. An earlier `up` that was interrupted may have created "
                "the task, and it has run then"
            )
        super().insert(client, inputs)

    def write(self, client: NexusClient, inputs: Mapping[str, Any], actual: Actual) -> None:
        body = self.to_body(inputs)  # what the server returns has another form, which it does not take
        if not client.is_before((3, 94)):
            del body["type"]  # required up to 3.93, and refused from 3.94 on
        client.put(self._address_of(actual), body)

    def to_body(self, inputs: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        body = super().to_body(inputs, base)
        if start := inputs.get("start_date"):
            body["frequency"]["startDate"] = int(datetime.fromisoformat(start).timestamp()) * 1000
        return body

    def from_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        when = {key: value for key, value in body.items() if key in _FREQUENCY and value is not None}
        if when.get("schedule") == "advanced":  # how Nexus returns "cron" (TaskXO in its source)
            when["schedule"] = "cron"
        if when.get("schedule") in ("manual", "cron"):
            when.pop("startDate", None)  # the moment of creation
        return super().from_body({**body, **({"frequency": when} if "schedule" in body else {})})

    def returned(self, given: Mapping[str, Any], actual: Actual) -> dict[str, Any]:
        texts = dict(actual.properties.get("properties") or {})
        if _SET_BY_NEXUS in (given.get("properties") or {}) or not texts.pop(_SET_BY_NEXUS, None):
            return actual.properties
        return {**actual.properties, "properties": texts}

    def is_it(self, entry: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
        return bool(entry["name"] == inputs["name"]) and super().is_it(entry, inputs)


class ScheduledTask(NexusResource, provider=TasksProvider, abstract=True, since="3.74"):
    """What every task has."""

    name: Prop[str] = prop(text(), path="name", replaces=True)
    """Name of the task. Nexus takes several of one name; here it tells the task from others of its type."""
    enabled: Prop[bool] = prop(boolean, path="enabled", default=True)
    """Whether the task runs."""
    alert_email: Prop[str | None] = prop(EMAIL_ADDRESS, path="alertEmail", default=None)
    """E-mail address that is notified when the task ends."""
    notification_condition: Prop[str] = prop(
        choice("FAILURE", "SUCCESS_FAILURE", upper=True), path="notificationCondition", default="FAILURE"
    )
    """When ``alert_email`` is notified: ``FAILURE`` or ``SUCCESS_FAILURE``."""
    schedule: Prop[str] = prop(choice(*_NEEDS), path="frequency.schedule", default="manual")
    """``manual``, ``once``, ``hourly``, ``daily``, ``weekly``, ``monthly`` or ``cron``. Nexus deletes a task with
    ``once`` after its run; the resource stays as it is."""
    start_date: Prop[str | None] = prop(_moment, path="frequency.startDate", default=None)
    """The first run, ``2026-01-31T02:30:00+00:00``; for every schedule but ``manual`` and ``cron``."""
    recurring_days: ListProp[int] = prop(
        set_of(integer(1, _LAST_DAY)),
        path="frequency.recurringDays",
        default=[],
        values_since={_LAST_DAY: "3.94"},
    )
    """Days of the week (1 is Sunday) or of the month (999 alone is its last one, from 3.94 on); a set."""
    cron_expression: Prop[str | None] = prop(quartz_cron, path="frequency.cronExpression", default=None)
    """A schedule of Quartz, ``0 30 2 * * ?``."""
    time_zone_offset: Prop[str] = prop(
        text(r"[+-](0\d|1[0-4]):[0-5]\d", hint="must be an offset such as +01:00"),
        path="frequency.timeZoneOffset",
        default="+00:00",
    )
    """Offset from UTC of the time in ``cron_expression``. Nexus does not return it: a refresh sees no change."""
    task_id: Prop[str] = prop(computed=True, path="id")
    """The id that Nexus gave it."""


_FREQUENCY = ("schedule", "startDate", "recurringDays", "cronExpression")
"""What Nexus returns of a schedule. Its ``timeZoneOffset`` is that of the server, whatever the task was given."""


class Task(ScheduledTask):
    """A task of any type, with its schedule.

    Nexus below 3.89 tells nothing of a task but its name and type: there a refresh does not see other changes, and
    what changes here is written.

    Source: Nexus REST ``/v1/tasks``; ``/v1/tasks/templates`` of a server lists the types and their properties.
    Nexus 3.71 lists and runs tasks, and answers 405 to their creation.
    """

    type: Prop[str] = prop(text(), path="type", replaces=True)
    """Type of the task, ``repository.cleanup``."""
    properties: MapProp[str] = prop(map_of(text(empty=True, multiline=True)), path="properties", default={})
    """Properties of the type, as texts: ``{"repositoryName": "*"}``."""


class CompactBlobStoreTask(ScheduledTask, type="blobstore.compact"):
    """Frees the space of deleted blobs. Without it, deletion gives none back.

    Source: Nexus REST ``/v1/tasks``, type ``blobstore.compact``.
    """

    blob_store_name: Prop[str] = prop(text(), path="properties.blobstoreName", refers="BlobStore")
    """Name of the blob store."""
    blobs_older_than: Prop[int] = prop(
        _DAYS, path="properties.blobsOlderThan", default=0, since="3.80", unit="days"
    )
    """How long a deleted blob is kept."""


class DockerGarbageCollectionTask(ScheduledTask, type="repository.docker.gc"):
    """Deletes the layers that no image in docker repositories uses any more.

    Source: Nexus REST ``/v1/tasks``, type ``repository.docker.gc``.
    """

    repository_name: Prop[str] = prop(text(), path="properties.repositoryName", default="*", refers="Repository")
    """Name of a repository; ``*`` for all."""
    deploy_offset: Prop[int] = prop(_HOURS, path="properties.deployOffset", default=24, unit="hours")
    """How long a new layer is kept, even if no image uses it."""


class DockerUploadPurgeTask(ScheduledTask, type="repository.docker.upload-purge"):
    """Deletes what cut uploads to docker repositories left.

    Source: Nexus REST ``/v1/tasks``, type ``repository.docker.upload-purge``.
    """

    age: Prop[int] = prop(_HOURS, path="properties.age", default=24, unit="hours")
    """How long an upload may take."""


class MavenRemoveSnapshotsTask(ScheduledTask, type="repository.maven.remove-snapshots"):
    """Deletes old snapshots of Maven repositories.

    Source: Nexus REST ``/v1/tasks``, type ``repository.maven.remove-snapshots``.
    """

    repository_name: Prop[str] = prop(text(), path="properties.repositoryName", default="*", refers="Repository")
    """Name of a repository; ``*`` for all."""
    minimum_retained: Prop[int] = prop(integer(-1, 2147483647), path="properties.minimumRetained", default=1)
    """How many snapshots of each artifact stay; -1: all."""
    snapshot_retention_days: Prop[int] = prop(
        _DAYS, path="properties.snapshotRetentionDays", default=30, unit="days"
    )
    """How long a snapshot stays."""
    remove_if_released: Prop[bool] = prop(boolean, path="properties.removeIfReleased", default=False)
    """Delete snapshots of versions that were released."""
    grace_period_in_days: Prop[int | None] = prop(
        _DAYS, path="properties.gracePeriodInDays", default=None, unit="days"
    )
    """How long a snapshot stays after the release."""


class H2BackupTask(ScheduledTask, type="h2.backup.task"):
    """Writes a copy of the embedded database (H2) to a directory of the server.

    Source: Nexus REST ``/v1/tasks``, type ``h2.backup.task``.
    """

    location: Prop[str] = prop(text(), path="properties.location")
    """The directory, absolute or below the data directory."""


class RebuildBrowseTask(ScheduledTask, type="create.browse.nodes"):
    """Rebuilds the tree for browsing.

    Source: Nexus REST ``/v1/tasks``, type ``create.browse.nodes``.
    """

    repository_name: Prop[str] = prop(text(), path="properties.repositoryName", refers="Repository")
    """Name of a repository; ``*`` for all."""


class MalwareRemediationTask(ScheduledTask, type="malware.remediator"):
    """Finds malware in a proxy repository by the Repository Firewall, and deletes it if configured.

    Source: Nexus REST ``/v1/tasks``, type ``malware.remediator``.
    """

    repository_name: Prop[str] = prop(text(), path="properties.repositoryName", refers="Repository")
    """Name of the repository."""
    enable_malware_cleanup: Prop[bool] = prop(boolean, path="properties.enableMalwareCleanup", default=False)
    """Delete the malware that was found."""


class LicenseExpirationTask(ScheduledTask, type="license.expiration.notification", edition="pro"):
    """Sends mail before the licence of Nexus Repository Pro ends.

    Source: Nexus REST ``/v1/tasks``, type ``license.expiration.notification``.
    """
