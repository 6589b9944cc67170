"""Tasks and capabilities: what Nexus returns of them in another form than it takes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import nexus_registry.providers as providers
import pytest
from nexus_registry.providers import crud, lists
from nexus_registry.providers.client import Connection
from nexus_registry.providers.errors import Refused

from tests.contract.tracked import Tracked

from .described import CRON
from .fake import FakeServer, Request, Response
from .settings_server import SettingsServer


def test_task_that_ran_once_stays_and_can_run_again(connection: Connection, state: SettingsServer) -> None:
    """Nexus deletes such a task after its run."""
    tracked = Tracked(providers.Task.provider_class(), connection)  # type: ignore[arg-type]
    past, future = "2026-01-31T02:30:00+00:00", "2126-01-31T02:30:00+00:00"
    once = {"name": "t", "type": "repository.cleanup", "schedule": "once"}
    with pytest.raises(Refused, match=r"start_date: \S+ has passed.+ earlier `up` that was interrupted"):
        tracked.up(**once, start_date=past)
    assert tracked.up(**once, start_date=future) == "create"
    state.lists["/v1/tasks"].clear()
    deleted = Tracked(tracked.provider, connection, tracked.id, tracked.inputs, tracked.outs)
    assert deleted.refresh() == "gone"
    assert tracked.outs is not None
    tracked.outs["start_date"] = past
    assert tracked.refresh() == "same"
    without_date = {name: value for name, value in tracked.outs.items() if name != "start_date"}
    assert tracked.provider.read(tracked.id or "", without_date).id == ""
    with pytest.raises(Refused, match=r"start_date: \S+ has passed.+Give a later time"):
        tracked.up(**once, start_date=past, alert_email="a@b.c")
    assert tracked.up(**once, start_date=future) == "update"
    assert [one["frequency"]["schedule"] for one in state.lists["/v1/tasks"].values()] == ["once"]


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("version", ["3.93.2-01", "3.94.0-12"])
def test_task_is_updated_as_version_takes_it(
    version: str, hidden: bool, connection: Connection, server: FakeServer, state: SettingsServer
) -> None:
    """Up to 3.93, an update has the task's type; from 3.94 on, Nexus refuses it. A proxy may hide the version."""
    state.version = version
    if hidden:
        server.script = lambda request: replace(state(request), headers={"Server": "nginx"})
        connection["version"] = version
    tracked = Tracked(providers.RebuildBrowseTask.provider_class(), connection)  # type: ignore[arg-type]
    tracked.up(name="t", repository_name="a")
    assert tracked.up(name="t", repository_name="b") == "update"
    assert [one["type"] for one in state.lists["/v1/tasks"].values()] == ["create.browse.nodes"]


def test_offset_of_schedule_is_written_when_it_changes(connection: Connection, state: SettingsServer) -> None:
    """Nexus returns its own offset (Cron in its source), so that the task's is not known."""
    tracked = Tracked(providers.Task.provider_class(), connection)  # type: ignore[arg-type]
    for offset, done in (("+01:00", "create"), ("-05:00", "update"), ("-05:00", "same")):
        assert tracked.up(name="t", type="x", **CRON, time_zone_offset=offset) == done
        assert [one["frequency"]["timeZoneOffset"] for one in state.lists["/v1/tasks"].values()] == [offset]
        assert tracked.refresh() == "same"


def test_property_that_run_of_task_adds_is_no_drift(connection: Connection, state: SettingsServer) -> None:
    """The task repository.move notes where the repository was. Nexus returns that, and takes it from nobody."""
    tracked = Tracked(providers.Task.provider_class(), connection)  # type: ignore[arg-type]
    wanted = {"moveRepositoryName": "r", "moveTargetBlobstore": "new"}
    move = {"name": "t", "type": "repository.move", "properties": wanted}
    assert tracked.up(**move) == "create"
    (stored,) = state.lists["/v1/tasks"].values()
    stored["properties"] |= {"moveInitialBlobstore": "default"}
    assert tracked.refresh() == "same"
    stored["properties"] |= {"moveTargetBlobstore": "other"}
    lists.reset()
    assert tracked.refresh() == "drift"
    assert tracked.up(**move) == "update"
    assert [one["properties"] for one in state.lists["/v1/tasks"].values()] == [wanted]


def test_secret_among_properties_is_written_when_it_changes(connection: Connection, state: SettingsServer) -> None:
    tracked = Tracked(providers.Capability.provider_class(), connection)  # type: ignore[arg-type]
    for secret, done in (("one", "create"), ("two", "update"), ("two", "same")):
        assert tracked.up(type="webhook.global", properties={"url": "https://w", "secret": secret}) == done
        assert [one["properties"]["secret"] for one in state.lists["/v1/capabilities"].values()] == [secret]
        assert tracked.refresh() == "same"


@pytest.mark.parametrize("adopt", [False, True])
def test_capability_with_secret_that_exists_is_compared(
    adopt: bool, connection: Connection, state: SettingsServer
) -> None:
    """Nexus returns a reference for the secret, and the other properties as they are."""
    webhook = {"type": "webhook.global", "enabled": True, "notes": ""}
    by_hand = {"id": "7", **webhook, "properties": {"url": "https://hand", "secret": "hand"}}
    state.lists["/v1/capabilities"]["7"] = by_hand
    tracked = Tracked(providers.Capability.provider_class(), connection)  # type: ignore[arg-type]
    wanted = {"url": "https://w", "secret": "one"}
    if not adopt:
        with pytest.raises(Refused, match=r"exists already and differs: properties differs in url\. Set adopt"):
            tracked.up(type="webhook.global", properties=wanted)
        assert state.lists["/v1/capabilities"]["7"] == by_hand
        return
    assert tracked.up(type="webhook.global", properties=wanted, adopt=True) == "create"
    assert state.lists["/v1/capabilities"]["7"]["properties"] == wanted


@pytest.mark.parametrize(
    "changed", [{"url": "https://hand", "secret": "one"}, {"url": "https://w"}], ids=["another value", "no secret"]
)
def test_refresh_sees_change_beside_secret(
    changed: dict[str, str], connection: Connection, state: SettingsServer
) -> None:
    tracked = Tracked(providers.Capability.provider_class(), connection)  # type: ignore[arg-type]
    wanted = {"url": "https://w", "secret": "one"}
    tracked.up(type="webhook.global", properties=wanted)
    (stored,) = state.lists["/v1/capabilities"].values()
    stored["properties"] = changed
    assert tracked.refresh() == "drift"
    assert tracked.outs is not None
    assert tracked.outs["properties"] == changed
    assert tracked.up(type="webhook.global", properties=wanted) == "update"
    (stored,) = state.lists["/v1/capabilities"].values()
    assert stored["properties"] == wanted


@pytest.mark.parametrize(
    ("kind", "first", "edit", "kept"),
    [
        (
            "Capability",
            {"type": "webhook.global", "properties": {"url": "https://w", "secret": "one"}},
            {"properties": {"url": "https://x", "secret": "two"}},
            {"enabled": True, "properties": {"url": "https://w", "secret": "one"}},
        ),
        (
            "Task",
            {"name": "t", "type": "x", **CRON, "time_zone_offset": "+01:00"},
            {"time_zone_offset": "-05:00", "cron_expression": "0 0 3 * * ?"},
            {"enabled": True, "frequency": {"schedule": "cron", "cronExpression": "0 30 2 * * ?",
                                            "recurringDays": [], "timeZoneOffset": "+01:00"}},
        ),
    ],
)  # fmt: skip
def test_failed_update_restores_what_server_hides(
    kind: str,
    first: dict[str, Any],
    edit: dict[str, Any],
    kept: dict[str, Any],
    connection: Connection,
    server: FakeServer,
    state: SettingsServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crud, "_PAUSES", ())
    tracked = Tracked(getattr(providers, kind).provider_class(), connection)
    tracked.up(**first)
    changed: list[Request] = []

    def script(request: Request) -> Response:
        if request.method == "PUT" and not changed:
            changed.append(request)
            body = json.loads(request.body)
            request = Request("PUT", request.path, request.headers, json.dumps({**body, "enabled": False}))
        return state(request)

    server.script = script
    with pytest.raises(Refused, match=r"enabled is False, desired True.*\(the former object was restored\)"):
        tracked.up(**{**first, **edit})
    (stored,) = state.lists[tracked.provider.collection].values()  # type: ignore[attr-defined]
    assert {**stored, **kept} == stored
