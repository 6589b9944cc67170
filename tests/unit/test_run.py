"""Several resources in one run, or one resource in several: who owns an object, and what happens to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import pytest
from nexus_registry.providers.client import Connection, NexusClient
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.run import CHECK_TIMEOUT, Run
from nexus_registry.providers.security import realm
from nexus_registry.providers.security.admin_password import AdminPasswordProvider
from nexus_registry.providers.security.anonymous import AnonymousAccessProvider
from nexus_registry.providers.security.realm import RealmActivationProvider
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.user import UserProvider
from pulumi.runtime.proto import provider_pb2

from sandbox.shell import free_port

from .fake import Request, Response, serve
from .stored import Stored

Kind = type[NexusProvider]
NewRun = Callable[[], None]
URN = "urn:pulumi:dev::app::pulumi-python:dynamic/nexus:X::"


class Engine:
    """The requests of one run, as the SDK's servicer passes them to a provider."""

    def __init__(self, url: str) -> None:
        self.connection = {"url": url, "username": "admin", "password": "pw"}
        self.state: dict[str, tuple[Kind, Any]] = {}

    def check(self, name: str, kind: Kind, /, *, fresh: bool = False, **desired: Any) -> dict[str, Any]:
        olds = {} if fresh or name not in self.state else self.state[name][1]
        request = provider_pb2.CheckRequest(urn=URN + name)
        assert request
        result = kind().check(dict(olds), {"connection": self.connection, **desired})
        assert not result.failures, [(one.property, one.reason) for one in result.failures]
        return result.inputs

    def create(self, name: str, kind: Kind, inputs: dict[str, Any]) -> None:
        request = provider_pb2.CreateRequest(urn=URN + name)
        assert request
        self.state[name] = kind, kind().create(inputs).outs

    def update(self, name: str, inputs: dict[str, Any]) -> None:
        request = provider_pb2.UpdateRequest(urn=URN + name)
        assert request
        kind, olds = self.state[name]
        kind().diff("id", olds, inputs)
        self.state[name] = kind, kind().update("id", olds, inputs).outs

    def delete(self, name: str) -> None:
        request = provider_pb2.DeleteRequest(urn=URN + name)
        assert request
        kind, olds = self.state[name]
        kind().delete("id", olds)
        del self.state[name]

    def replace(self, name: str, /, **desired: Any) -> None:
        """Deleted first, as every Nexus resource is."""
        kind = self.state[name][0]
        self.check(name, kind, **desired)
        inputs = self.check(name, kind, fresh=True, **desired)
        self.delete(name)
        self.create(name, kind, inputs)


@contextmanager
def unlocked() -> Iterator[None]:
    """Two processes do not share a lock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(realm, "server_lock", lambda _client: threading.RLock())
        yield


@pytest.fixture
def nexus() -> Stored:
    return Stored()


@pytest.fixture
def engine(nexus: Stored, new_run: NewRun) -> Iterator[Engine]:
    new_run()
    with serve(nexus) as fake:
        yield Engine(fake.url)


@pytest.fixture
def new_run(monkeypatch: pytest.MonkeyPatch) -> NewRun:
    """Begins the next run, for which the engine starts another provider process."""
    return lambda: monkeypatch.setattr(NexusProvider, "run", Run())


ROLE: dict[str, Any] = {"role_id": "dev", "name": "dev", "privileges": ["nx-a"]}
USER: dict[str, Any] = {"user_id": "ann", "password": "secret-1", "roles": ["everyone"]}
REPOSITORY: dict[str, Any] = {"name": "images", "probe_connectors": False}


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


def test_port_of_another_repository_is_named(engine: Engine, new_run: NewRun) -> None:
    kind = DockerHostedRepositoryProvider
    engine.create("one", kind, engine.check("one", kind, **REPOSITORY, http_port=5001))
    new_run()
    engine.check("one", kind, **REPOSITORY, http_port=5001)
    with pytest.raises(Refused, match="http_port 5001: is used by the repository 'images'"):
        engine.create("two", kind, engine.check("two", kind, **{**REPOSITORY, "name": "b", "http_port": 5001}))


def test_object_of_other_stack_is_not_adopted(engine: Engine, nexus: Stored) -> None:
    """Object of another stack is not taken over."""
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


def test_failed_create_removes_object(engine: Engine, nexus: Stored) -> None:
    """Failed verification of a create removes what it inserted."""
    kind = DockerHostedRepositoryProvider
    inputs = engine.check("one", kind, name="images", http_port=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nexus_registry.providers.repositories.connectors._CONNECTOR_TIMEOUT", 0.1)
        with pytest.raises(Refused, match=r"nothing responds at that address.*\(it was removed again\)"):
            engine.create("one", kind, inputs)
    assert not nexus.repositories


def test_failed_update_restores_former_object(engine: Engine, nexus: Stored) -> None:
    """Failed verification of an update writes back what was there."""
    kind = DockerHostedRepositoryProvider
    engine.create("one", kind, engine.check("one", kind, name="images", write_policy="DENY"))
    inputs = engine.check("one", kind, name="images", http_port=1, write_policy="ALLOW")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nexus_registry.providers.repositories.connectors._CONNECTOR_TIMEOUT", 0.1)
        with pytest.raises(Refused, match=r"\(the former object was restored\)"):
            engine.update("one", inputs)
    stored = nexus.repositories["images"]
    assert (stored["docker"]["httpPort"], stored["storage"]["writePolicy"]) == (None, "DENY")


@pytest.mark.parametrize("form", ["docker", "oci", "raw"])
def test_docker_realm_stays_for_images(engine: Engine, nexus: Stored, form: str) -> None:
    engine.create("one", RealmActivationProvider, engine.check("one", RealmActivationProvider))
    nexus.repositories["images"] = {"format": form}
    engine.delete("one")
    assert ("DockerToken" in nexus.realms) == (form != "raw")


def test_realm_that_was_added_is_removed_after_replacement(engine: Engine, nexus: Stored, new_run: NewRun) -> None:
    kind = RealmActivationProvider
    engine.create("one", kind, engine.check("one", kind))
    nexus.repositories["images"] = {"name": "images"}
    new_run()
    engine.replace("one")
    del nexus.repositories["images"]
    new_run()
    engine.delete("one")
    assert nexus.realms == ["NexusAuthenticatingRealm"]


def test_concurrent_realm_activations_are_both_active(nexus: Stored) -> None:
    """Realms that two programs activate at once are both active."""
    realms = ["DockerToken", "rutauth-realm"]

    def stale(request: Request) -> Response:  # reads are slow: the other program writes in between
        response = nexus(request)
        if request.method == "GET" and request.path.endswith("active"):
            response = Response(200, list(nexus.realms))
            time.sleep(0.05)
        return response

    with serve(stale) as fake:
        connection = {"url": fake.url, "username": "admin", "password": "pw"}

        def activate(realm: str) -> None:
            client = NexusClient(cast("Connection", connection))
            RealmActivationProvider().insert(client, {"realm": realm})

        with unlocked(), ThreadPoolExecutor() as pool:
            list(pool.map(activate, realms))
    assert set(realms) <= set(nexus.realms)


@pytest.mark.parametrize(("by_others", "left"), [({}, False), ({"userId": "somebody"}, True)])
def test_anonymous_access_is_put_back_unless_others_changed_it(
    engine: Engine, nexus: Stored, new_run: NewRun, by_others: dict[str, str], left: bool
) -> None:
    kind = AnonymousAccessProvider
    engine.create("one", kind, engine.check("one", kind, enabled=True))
    nexus.anonymous |= by_others
    new_run()
    engine.delete("one")
    assert nexus.anonymous["enabled"] is left


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
    """Renamed server is used where the old address is dead."""
    engine.create("kept", RoleProvider, engine.check("kept", RoleProvider, **ROLE))
    engine.create("gone", RoleProvider, engine.check("gone", RoleProvider, **{**ROLE, "role_id": "ops"}))
    dead = f"http://127.0.0.1:{free_port()}"
    for _, outs in engine.state.values():
        outs["connection"] = {**engine.connection, "url": dead}
    new_run()
    engine.update("kept", engine.check("kept", RoleProvider, **ROLE))
    nexus.roles["other"] = dict(nexus.roles["ops"])
    engine.delete("gone")
    assert set(nexus.roles) == {"dev", "other"}


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
    """Incarnation follows from the seed that an update plan keeps."""

    def check(seed: bytes, name: str = "one") -> Any:
        request = provider_pb2.CheckRequest(urn=URN + name, randomSeed=seed)
        assert request
        connection = {"url": "https://nexus", "password": "pw"}
        return RoleProvider().check({}, {**ROLE, "connection": connection}).inputs["incarnation"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NexusProvider, "run", Run())
        assert check(b"a") == check(b"a") != check(b"b")


def test_user_gets_role_missing_in_list(engine: Engine, nexus: Stored) -> None:
    """User gets a role that the list lacks yet."""
    engine.create("dev", RoleProvider, engine.check("dev", RoleProvider, **ROLE))
    nexus.unlisted.add("dev")
    engine.create("ann", UserProvider, engine.check("ann", UserProvider, **USER | {"roles": ["dev"]}))
    assert nexus.users["ann"]["roles"] == ["dev"]


def test_replaced_role_of_user_leaves_its_password_alone(engine: Engine, nexus: Stored) -> None:
    engine.create("one", UserProvider, engine.check("one", UserProvider, **USER))
    nexus.passwords["ann"] = "not written again"
    engine.update("one", engine.check("one", UserProvider, **USER, incarnations=["another"]))
    assert nexus.passwords["ann"] == "not written again"
