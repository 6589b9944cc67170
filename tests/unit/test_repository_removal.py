"""Deletions of repositories, which Nexus takes out of their groups without a lock."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.repositories import lifecycle
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.repositories.raw import RawGroupRepository, RawHostedRepository
from nexus_registry.providers.repositories.yum import YumHostedRepository

from tests.tested import kinds

from .engine import REPOSITORY, Engine
from .fake import FakeServer, Request, Response, sequence, serve
from .stored import Stored

STOPPED = Response(
    500, "ERROR: (ID a-b) java.lang.IllegalStateException: Invalid state: STOPPED; allowed: [STARTED]"
)
FOUND = Response(200, {"name": "all", "group": {"memberNames": ["a"]}})
OTHER = Response(500, "ERROR: (ID a-b) java.lang.IllegalStateException: no such thing")


def deleted(fake: FakeServer) -> list[str]:
    connection = {"url": fake.url, "username": "admin", "password": "pw"}
    state = {"name": "all", "member_names": ["a"], "connection": connection}
    RawGroupRepository.provider_class().delete("all", state)
    return fake.methods()


@pytest.mark.parametrize("times", [0, 1, 5])
def test_delete_is_repeated_while_another_group_is_stopped(
    times: int, waits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "_WAITS_FOR_GROUP", (0.0,) * 5)
    with serve(sequence(FOUND, *[STOPPED] * times, Response(204))) as fake:
        assert deleted(fake)[1:] == ["DELETE /v1/repositories/all"] * (times + 1)
    assert len(waits) == times
    assert all("repository 'all' can't be deleted yet: " in one for one in waits)


@pytest.mark.parametrize(("response", "calls"), [(STOPPED, 6), (OTHER, 1)], ids=["stopped for ever", "other"])
def test_delete_fails_with_message_of_server(
    response: Response, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "_WAITS_FOR_GROUP", (0.0,) * 5)
    with serve(sequence(FOUND, response)) as fake:
        with pytest.raises(Refused, match=r"Invalid state|no such thing"):
            deleted(fake)
        assert len([one for one in fake.methods() if one.startswith("DELETE")]) == calls


def delete_hosted(fake: FakeServer, name: str) -> None:
    connection = {"url": fake.url, "username": "admin", "password": "pw"}
    RawHostedRepository.provider_class().delete(name, {"name": name, "connection": connection})


def test_members_of_a_group_are_deleted_one_after_the_other() -> None:
    """Of two deletions at once, each writes the group with the other's member."""
    running, most, lock = 0, 0, threading.Lock()

    def script(request: Request) -> Response:
        nonlocal running, most
        if request.method == "DELETE":
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.05)
            with lock:
                running -= 1
        return Response(200, {"items": []})

    with serve(script) as fake, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: delete_hosted(fake, name), "abcd"))
    assert most == 1


@pytest.mark.parametrize(("members", "left"), [(["gone", "a", "b"], ["a", "b"]), (["a"], ["a"])])
def test_missing_members_are_taken_out_of_groups(
    members: list[str], left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two deletions at once have left them there. Nexus then deletes no member of the group any more."""
    monkeypatch.setattr(lifecycle, "_WAITS_FOR_GROUP", (0.0,))
    kinds = {"a": "hosted", "b": "hosted", "all": "group"}
    group: dict[str, Any] = {"name": "all", "format": "raw", "type": "group", "online": True}
    group["group"] = {"memberNames": members, "writableMember": members[0]}

    def script(request: Request) -> Response:
        path = request.path.removeprefix("/service/rest/v1/")
        if path == "repositories":
            return Response(200, [{"name": name, "format": "raw", "type": kind} for name, kind in kinds.items()])
        if path == "repositories/raw/group/all" and request.method == "PUT":
            group.update(json.loads(request.body))
        if request.method == "DELETE" and (len(group["group"]["memberNames"]) > 2 or members == ["a"]):
            return Response(
                500, "ERROR: (ID a-b) a.MultipleFailuresException: Failed to validate facets; 1 failure"
            )
        return Response(200, group if path.endswith("/all") else {"items": []})

    with serve(script) as fake:
        if members == ["a"]:  # no member is missing: the reason is another one
            with pytest.raises(Refused, match="validate facets"):
                delete_hosted(fake, "a")
        else:
            delete_hosted(fake, "a")
    assert group["group"] == {"memberNames": left, "writableMember": "a" if members == ["a"] else None}


def test_missing_members_stay_in_groups_with_hidden_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nexus up to 3.82 returns no ``yumSigning``: a write of what it returns would remove the key."""
    monkeypatch.setattr(lifecycle, "_WAITS_FOR_GROUP", (0.0,))
    listed = [{"name": name, "format": "yum", "type": kind} for name, kind in (("a", "hosted"), ("all", "group"))]
    group = {"name": "all", "group": {"memberNames": ["gone", "a"]}}

    def script(request: Request) -> Response:
        if request.method == "DELETE":
            return Response(
                500, "ERROR: (ID a-b) a.MultipleFailuresException: Failed to validate facets; 1 failure"
            )
        if request.path.endswith("/v1/repositories"):
            return Response(200, listed)
        return Response(200, group if request.path.endswith("/all") else {"name": "a", "items": []})

    with serve(script) as fake:
        state = {"name": "a", "connection": {"url": fake.url, "username": "admin", "password": "pw"}}
        with pytest.raises(Refused, match="validate facets"):
            YumHostedRepository.provider_class().delete("a", state)
        assert not [one for one in fake.methods() if one.startswith("PUT")]


def test_formats_with_hidden_key_are_those_whose_group_has_one() -> None:
    groups = [cls for kind, cls in kinds().items() if kind.endswith("GroupRepository")]
    found = {cls.provider_settings["format"] for cls in groups if "signing_keypair" in cls.declared_properties}
    assert found == set(lifecycle._SIGNED_GROUPS)


def test_repository_stays_when_another_has_its_new_name(
    engine: Engine, nexus: Stored, nexus_server: FakeServer
) -> None:
    """Its replacement would be refused when its images are gone."""
    kind = DockerHostedRepositoryProvider
    engine.create("one", kind, engine.check("one", kind, **REPOSITORY, force_destroy=True))
    nexus.images.add("images")
    nexus.repositories["files"] = {"format": "raw"}
    found = "/docker/hosted/files"
    nexus_server.script = lambda one: Response(404) if one.path.endswith(found) else nexus(one)
    taken = "was not deleted, because docker repository 'files' is taken by the raw hosted repository"
    with pytest.raises(Refused, match=taken):
        engine.replace("one", **{**REPOSITORY, "name": "files"}, force_destroy=True)
    assert set(nexus.repositories) == {"images", "files"}
