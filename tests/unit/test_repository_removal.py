"""Deletions of repositories while Nexus deletes a group."""

from __future__ import annotations

import pytest
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.repositories import base
from nexus_registry.providers.repositories.raw import RawGroupRepository

from .fake import FakeServer, Response, sequence, serve

STOPPED = Response(
    500, "ERROR: (ID a-b) java.lang.IllegalStateException: Invalid state: STOPPED; allowed: [STARTED]"
)
OTHER = Response(500, "ERROR: (ID a-b) java.lang.IllegalStateException: no such thing")


def deleted(fake: FakeServer) -> list[str]:
    connection = {"url": fake.url, "username": "admin", "password": "pw"}
    state = {"name": "all", "member_names": ["a"], "connection": connection}
    RawGroupRepository.provider_class().delete("all", state)
    return fake.methods()


@pytest.mark.parametrize("times", [0, 1, 5])
def test_delete_is_repeated_while_another_group_is_stopped(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_WAITS_FOR_GROUP", (0.0,) * 5)
    with serve(sequence(*[STOPPED] * times, Response(204))) as fake:
        assert deleted(fake) == ["DELETE /v1/repositories/all"] * (times + 1)


@pytest.mark.parametrize(("response", "calls"), [(STOPPED, 6), (OTHER, 1)], ids=["stopped for ever", "other"])
def test_delete_ends_with_the_servers_words(
    response: Response, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "_WAITS_FOR_GROUP", (0.0,) * 5)
    with serve(sequence(response)) as fake:
        with pytest.raises(Refused, match=r"Invalid state|no such thing"):
            deleted(fake)
        assert len([one for one in fake.methods() if one.startswith("DELETE")]) == calls
