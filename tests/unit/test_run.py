"""Several resources in one run, or one resource in several runs: which one owns an object."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Any

import pytest
from nexus_registry.providers.client import RETRY_TIMEOUT
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.run import CHECK_TIMEOUT, Run
from nexus_registry.providers.security.admin_password import AdminPasswordProvider
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.user import UserProvider
from pulumi.runtime.proto import provider_pb2
from pulumi.runtime.rpc import UNKNOWN

from sandbox.shell import free_port

from .engine import REPOSITORY, ROLE, URN, USER, Engine, Kind, NewRun
from .fake import Request, Response, serve
from .stored import Stored


def key_of(desired: dict[str, Any]) -> str:
    return str(desired.get("role_id") or desired.get("user_id") or desired.get("name"))


KINDS = [
    (RoleProvider, ROLE, "roles"),
    (UserProvider, USER, "users"),
    (DockerHostedRepositoryProvider, REPOSITORY, "repositories"),
]
every_kind = pytest.mark.parametrize(("kind", "desired", "where"), KINDS, ids=["role", "user", "repository"])


@every_kind
@pytest.mark.parametrize("how", ["complete", "at another address", "interrupted"])
def test_renamed_resource_keeps_its_object(
    engine: Engine, nexus: Stored, new_run: NewRun, kind: Kind, desired: dict[str, Any], where: str, how: str
) -> None:
    """At another address: as after a run that wrote all others there. Interrupted: before the deletion."""
    nexus.images.add("images")
    engine.create("old", kind, engine.check("old", kind, **desired))
    new_run()
    if how == "at another address":
        engine.connection["url"] = engine.connection["url"].replace("127.0.0.1", "localhost")
    engine.create("new", kind, engine.check("new", kind, **desired))
    if how == "interrupted":
        new_run()
        engine.check("new", kind, **desired)
    engine.delete("old")
    assert key_of(desired) in getattr(nexus, where)


@every_kind
def test_removed_resource_is_deleted(
    engine: Engine, nexus: Stored, new_run: NewRun, kind: Kind, desired: dict[str, Any], where: str
) -> None:
    engine.create("one", kind, engine.check("one", kind, **desired))
    new_run()
    engine.delete("one")
    assert not getattr(nexus, where)


def test_replaced_resource_is_deleted_and_created(engine: Engine, nexus: Stored, new_run: NewRun) -> None:
    first = engine.check("one", RoleProvider, **ROLE)
    engine.create("one", RoleProvider, first)
    nexus.roles["dev"]["mark"] = "the first"
    new_run()
    engine.replace("one", **ROLE)
    assert "mark" not in nexus.roles["dev"]
    assert engine.state["one"][1]["incarnation"] != first["incarnation"]


def test_forced_replacement_is_checked_with_empty_olds_only(
    engine: Engine, nexus: Stored, new_run: NewRun
) -> None:
    engine.create("one", RoleProvider, engine.check("one", RoleProvider, **ROLE))
    nexus.roles["dev"]["mark"] = "the first"
    new_run()
    inputs = engine.check("one", RoleProvider, fresh=True, **ROLE)
    engine.delete("one")
    engine.create("one", RoleProvider, inputs)
    assert "mark" not in nexus.roles["dev"]


def test_swapped_ids_end_as_declared_in_every_order(engine: Engine, nexus: Stored, new_run: NewRun) -> None:
    a, b = {**ROLE, "role_id": "a"}, {**ROLE, "role_id": "b", "privileges": ["nx-b"]}
    swapped = {"one": {**a, "role_id": "b"}, "two": {**b, "role_id": "a"}}
    for order in (["one", "two"], ["two", "one"]):
        for checked_first in (True, False):
            nexus.roles.clear()
            engine.state.clear()
            new_run()
            engine.create("one", RoleProvider, engine.check("one", RoleProvider, **a))
            engine.create("two", RoleProvider, engine.check("two", RoleProvider, **b))
            new_run()
            for name in order:
                if checked_first:
                    for each in order:
                        engine.check(each, RoleProvider, **swapped[each])
                else:  # the other one's check arrives while this one is created
                    other = next(each for each in order if each != name)
                    later = partial(engine.check, other, RoleProvider, **swapped[other])
                    timer = threading.Timer(0.3, later)
                    timer.start()
                engine.replace(name, **swapped[name])
                if not checked_first:
                    timer.join()
            assert {key: role["privileges"] for key, role in nexus.roles.items()} == {"b": ["nx-a"], "a": ["nx-b"]}


@every_kind
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["at one address", "at another address"])
def test_create_waits_for_deletion_of_same_object(
    engine: Engine,
    nexus: Stored,
    new_run: NewRun,
    kind: Kind,
    desired: dict[str, Any],
    where: str,
    host: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The check of its new owner arrives when the deletion is under way."""
    engine.create("one", kind, engine.check("one", kind, **desired))
    new_run()
    deleting, answer = threading.Event(), Stored.__call__

    def slow(self: Stored, request: Request) -> Response:
        if request.method == "DELETE":
            deleting.set()
            time.sleep(0.5)
        return answer(self, request)

    monkeypatch.setattr(Stored, "__call__", slow)
    deletion = threading.Thread(target=engine.delete, args=("one",))
    deletion.start()
    assert deleting.wait(60)
    engine.connection = {**engine.connection, "url": engine.connection["url"].replace("127.0.0.1", host)}
    engine.create("two", kind, engine.check("two", kind, **desired))
    deletion.join()
    assert key_of(desired) in getattr(nexus, where)


def test_swap_with_dependent_needs_adopt(engine: Engine, nexus: Stored, new_run: NewRun) -> None:
    """The dependent is checked after the other one is done, too late to tell that it gives its object up."""
    a, b = {**ROLE, "role_id": "a"}, {**ROLE, "role_id": "b", "privileges": ["nx-b"]}
    engine.create("one", RoleProvider, engine.check("one", RoleProvider, **a))
    engine.create("dependent", RoleProvider, engine.check("dependent", RoleProvider, **b))
    before = {key: dict(role) for key, role in nexus.roles.items()}
    new_run()
    with pytest.raises(Refused, match=r"was not deleted, because role 'b' exists .* Set adopt=True .* depends on"):
        engine.replace("one", **{**a, "role_id": "b"})
    assert nexus.roles == before
    new_run()
    engine.replace("one", **{**a, "role_id": "b", "adopt": True})
    engine.replace("dependent", **{**b, "role_id": "a"})
    assert {key: role["privileges"] for key, role in nexus.roles.items()} == {"b": ["nx-a"], "a": ["nx-b"]}


def test_swapped_repositories_keep_their_images(engine: Engine, nexus: Stored, new_run: NewRun) -> None:
    kind = DockerHostedRepositoryProvider
    a, b = {**REPOSITORY, "name": "a", "http_port": 5001}, {**REPOSITORY, "name": "b", "http_port": 5002}
    engine.create("one", kind, engine.check("one", kind, **a))
    engine.create("two", kind, engine.check("two", kind, **b))
    nexus.images |= {"a", "b"}
    new_run()
    for name, wanted in (("one", "b"), ("two", "a")):
        engine.check(name, kind, **{**(a if name == "one" else b), "name": wanted})
    engine.replace("one", **{**a, "name": "b"})
    engine.replace("two", **{**b, "name": "a"})
    assert {name: one["docker"]["httpPort"] for name, one in nexus.repositories.items()} == {"a": 5002, "b": 5001}


@pytest.mark.parametrize(
    ("force_destroy", "host"), [(True, "127.0.0.1"), (False, "localhost")], ids=["forced", "at another address"]
)
def test_images_are_kept_for_owner_whose_check_arrives_later(
    engine: Engine,
    nexus: Stored,
    new_run: NewRun,
    force_destroy: bool,
    host: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A repository that is replaced, and that another resource of this run declares.

    Without ``force_destroy``, its deletion is refused while it has images.
    """
    kind = DockerHostedRepositoryProvider
    monkeypatch.setattr("nexus_registry.providers.crud.CHECK_TIMEOUT", 1.0)
    a, b = {**REPOSITORY, "name": "a", "force_destroy": force_destroy}, {**REPOSITORY, "name": "b"}
    engine.create("one", kind, engine.check("one", kind, **a))
    engine.create("two", kind, engine.check("two", kind, **b))
    nexus.images.add("a")
    nexus.repositories["a"]["mark"] = "the first"
    new_run()
    engine.check("one", kind, **{**a, "name": "b"})
    engine.connection = {**engine.connection, "url": engine.connection["url"].replace("127.0.0.1", host)}
    timer = threading.Timer(0.3, partial(engine.check, "two", kind, **{**b, "name": "a"}))
    timer.start()
    engine.delete("one")
    timer.join()
    assert nexus.repositories["a"]["mark"] == "the first"


def test_images_go_with_repository_that_nobody_declares(
    engine: Engine, nexus: Stored, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = DockerHostedRepositoryProvider
    monkeypatch.setattr("nexus_registry.providers.crud.DATA_TIMEOUT", 0.1)
    a = {**REPOSITORY, "name": "a", "force_destroy": True}
    engine.create("one", kind, engine.check("one", kind, **a))
    nexus.images.add("a")
    new_run()
    engine.replace("one", **{**a, "name": "b"})
    assert set(nexus.repositories) == {"b"}


def test_ports_are_swapped_in_one_run(engine: Engine, nexus: Stored, new_run: NewRun) -> None:
    kind = DockerHostedRepositoryProvider
    a, b = {**REPOSITORY, "name": "a", "http_port": 5001}, {**REPOSITORY, "name": "b", "http_port": 5002}
    engine.create("one", kind, engine.check("one", kind, **a))
    engine.create("two", kind, engine.check("two", kind, **b))
    new_run()
    first = engine.check("one", kind, **{**a, "http_port": 5002})
    second = engine.check("two", kind, **{**b, "http_port": 5001})
    engine.update("one", first)
    engine.update("two", second)
    assert {name: one["docker"]["httpPort"] for name, one in nexus.repositories.items()} == {"a": 5002, "b": 5001}


def test_port_is_handed_to_new_repository(engine: Engine, nexus: Stored, new_run: NewRun) -> None:
    """The engine creates the new one before it updates the one that gives the port up."""
    kind = DockerHostedRepositoryProvider
    engine.create("one", kind, engine.check("one", kind, **REPOSITORY, http_port=5001))
    new_run()
    first = engine.check("one", kind, **REPOSITORY)
    second = engine.check("two", kind, **{**REPOSITORY, "name": "b", "http_port": 5001})
    engine.create("two", kind, second)
    engine.update("one", first)
    ports = {name: one["docker"]["httpPort"] for name, one in nexus.repositories.items()}
    assert ports == {"images": None, "b": 5001}


def test_port_of_another_repository_is_named(engine: Engine, new_run: NewRun) -> None:
    kind = DockerHostedRepositoryProvider
    engine.create("one", kind, engine.check("one", kind, **REPOSITORY, http_port=5001))
    new_run()
    engine.check("one", kind, **REPOSITORY, http_port=5001)
    with pytest.raises(Refused, match="http_port 5001: is used by the repository 'images'"):
        engine.create("two", kind, engine.check("two", kind, **{**REPOSITORY, "name": "b", "http_port": 5001}))


def test_object_of_other_stack_is_not_adopted(engine: Engine, nexus: Stored) -> None:
    nexus.roles["dev"] = {"role_id": "dev", "name": "dev", "privileges": ["other"], "roles": []}
    started = time.monotonic()
    with pytest.raises(Refused, match="exists already and differs: privileges is"):
        engine.create("one", RoleProvider, engine.check("one", RoleProvider, **ROLE))
    assert nexus.roles["dev"]["privileges"] == ["other"]
    assert time.monotonic() - started < 10 * CHECK_TIMEOUT


def test_two_resources_for_one_object_are_refused_by_check(engine: Engine) -> None:
    engine.check("one", RoleProvider, **ROLE)
    request = provider_pb2.CheckRequest(urn=URN.replace("dynamic", "parent$dynamic") + "one")
    assert request
    configured = RoleProvider()
    configured.configured = {**engine.connection, "url": engine.connection["url"] + "/"}
    failures = configured.check({}, dict(ROLE)).failures
    assert [one.property for one in failures] == ["role_id"]
    assert "declared twice" in failures[0].reason


def test_two_resources_for_one_object_are_refused_once_url_is_known(
    engine: Engine, nexus: Stored, new_run: NewRun
) -> None:
    """The url of a server that the same program creates is unknown in the preview."""
    url = engine.connection["url"]
    engine.connection["url"] = UNKNOWN
    for name in ("one", "two"):
        engine.check(name, RoleProvider, **ROLE)
    new_run()
    engine.connection["url"] = url
    engine.check("one", RoleProvider, **ROLE)
    with pytest.raises(AssertionError, match="declared twice"):
        engine.check("two", RoleProvider, **ROLE)
    assert not nexus.roles


def test_failed_create_removes_object(engine: Engine, nexus: Stored) -> None:
    kind = DockerHostedRepositoryProvider
    inputs = engine.check("one", kind, name="images", http_port=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nexus_registry.providers.repositories.connectors._CONNECTOR_TIMEOUT", 0.1)
        with pytest.raises(Refused, match=r"nothing responds at that address.*\(it was removed again\)"):
            engine.create("one", kind, inputs)
    assert not nexus.repositories


def test_failed_update_restores_former_object(engine: Engine, nexus: Stored) -> None:
    kind = DockerHostedRepositoryProvider
    engine.create("one", kind, engine.check("one", kind, name="images", write_policy="DENY"))
    inputs = engine.check("one", kind, name="images", http_port=1, write_policy="ALLOW")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nexus_registry.providers.repositories.connectors._CONNECTOR_TIMEOUT", 0.1)
        with pytest.raises(Refused, match=r"\(the former object was restored\)"):
            engine.update("one", inputs)
    stored = nexus.repositories["images"]
    assert (stored["docker"]["httpPort"], stored["storage"]["writePolicy"]) == (None, "DENY")


def test_disabled_user_whose_create_lost_its_response_is_adopted(engine: Engine, nexus: Stored) -> None:
    desired = {**USER, "status": "disabled"}
    engine.create("one", UserProvider, engine.check("one", UserProvider, **desired))
    engine.state.clear()
    engine.create("one", UserProvider, engine.check("one", UserProvider, **desired))
    assert "ann" in nexus.users


@pytest.mark.parametrize(("kind", "desired"), [(AdminPasswordProvider, {"password": "pw"}), (UserProvider, USER)])
def test_two_refreshes_after_changed_password(
    engine: Engine, nexus: Stored, kind: Kind, desired: dict[str, Any]
) -> None:
    engine.create("one", kind, engine.check("one", kind, **desired))
    outs = engine.state["one"][1]
    name = "admin" if kind is AdminPasswordProvider else "ann"
    changed = {**engine.connection, "password": "by-hand"} if name == "admin" else engine.connection
    nexus.passwords[name] = "by-hand"
    first = kind().read("id", {**outs, "connection": changed})
    assert first.outs is not None
    second = kind().read("id", first.outs)
    assert "password" not in first.outs
    assert first.outs == second.outs


def test_new_url_is_used_if_old_one_is_dead(engine: Engine, nexus: Stored, new_run: NewRun) -> None:
    engine.create("kept", RoleProvider, engine.check("kept", RoleProvider, **ROLE))
    engine.create("gone", RoleProvider, engine.check("gone", RoleProvider, **{**ROLE, "role_id": "ops"}))
    dead = f"http://127.0.0.1:{free_port()}"
    for _, outs in engine.state.values():
        outs["connection"] = {**engine.connection, "url": dead}
    new_run()
    started = time.monotonic()
    engine.update("kept", engine.check("kept", RoleProvider, **ROLE))
    nexus.roles["other"] = dict(nexus.roles["ops"])
    engine.delete("gone")
    assert set(nexus.roles) == {"dev", "other"}
    # A call to the dead address is tried for RETRY_TIMEOUT; the waits for a probe and for a check take 7 s in all.
    assert time.monotonic() - started < RETRY_TIMEOUT / 2


def test_address_of_another_server_is_refused(engine: Engine, nexus: Stored, new_run: NewRun) -> None:
    engine.create("one", RoleProvider, engine.check("one", RoleProvider, **ROLE))
    other = Stored()
    other.node = "node-2"
    with serve(other) as fake:
        new_run()
        engine.connection = {**engine.connection, "url": fake.url}
        with pytest.raises(Refused, match=r"connection.url: .* is another server than"):
            engine.update("one", engine.check("one", RoleProvider, **ROLE))
    assert not other.roles


def test_incarnation_follows_from_random_seed() -> None:
    """An update plan keeps the seed, so the planned value is the one that is written."""

    def check(seed: bytes, name: str = "one") -> Any:
        request = provider_pb2.CheckRequest(urn=URN + name, randomSeed=seed)
        assert request
        connection = {"url": "https://nexus", "password": "pw"}
        return RoleProvider().check({}, {**ROLE, "connection": connection}).inputs["incarnation"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NexusProvider, "run", Run())
        assert check(b"a") == check(b"a") != check(b"b")


def test_user_gets_role_missing_in_list(engine: Engine, nexus: Stored) -> None:
    engine.create("dev", RoleProvider, engine.check("dev", RoleProvider, **ROLE))
    nexus.unlisted.add("dev")
    engine.create("ann", UserProvider, engine.check("ann", UserProvider, **USER | {"roles": ["dev"]}))
    assert nexus.users["ann"]["roles"] == ["dev"]


def test_replaced_role_of_user_leaves_its_password_alone(engine: Engine, nexus: Stored) -> None:
    engine.create("one", UserProvider, engine.check("one", UserProvider, **USER))
    nexus.passwords["ann"] = "not written again"
    engine.update("one", engine.check("one", UserProvider, **USER, incarnations=["another"]))
    assert nexus.passwords["ann"] == "not written again"
