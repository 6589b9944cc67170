"""A refresh reads each kind once, whatever the number of objects; nothing but a refresh uses what it has read."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from nexus_registry.providers import lists
from nexus_registry.providers.client import Connection, NexusClient, client_for
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.declare import DeclaredResource
from nexus_registry.providers.errors import NotFound, Refused, Unreachable
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.rest import ObjectProvider
from nexus_registry.providers.run import Run
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.ssl_trust import SslTrustProvider
from nexus_registry.providers.security.user import UserProvider
from pulumi.dynamic import ConfigureRequest
from pulumi.dynamic.config import Config

from docs.examples import inputs_of
from sandbox.pki import Authority
from tests.tested import kinds

from .fake import FakeServer, Request, Response, serve
from .openapi import repository_kinds
from .stored import Stored

ONE_BY_ONE = {"AzureBlobStore", "BlobStoreGroup", "FileBlobStore", "GoogleBlobStore", "S3BlobStore", "SamlUser"}
"""Kinds without a list of whole objects: that of blob stores has only their sizes and quotas."""
OBJECTS = {name: one for name, one in kinds().items() if issubclass(one.provider_class, ObjectProvider)}
COUNT = 3
Kind = type[DeclaredResource]


@pytest.fixture(autouse=True)
def run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NexusProvider, "run", Run())


def connection_to(fake: FakeServer) -> Connection:
    return {"url": fake.url, "username": "admin", "password": "pw"}


def several(cls: Kind, connection: Connection) -> list[dict[str, Any]]:
    """The inputs of some objects of a kind."""
    provider: Any = cls.provider_class()
    made = []
    for number in range(COUNT):
        inputs = {**inputs_of(cls), "connection": connection}
        if cls.provider_class is SslTrustProvider:
            inputs["certificate"] = Authority.create(f"authority {number}").certificate_pem
        else:
            inputs |= {provider.key: f"object-{number}"} if provider.key in provider.schema else {}
        if cls.provider_class is UserProvider:
            inputs["password"] = "pw"
        result = provider.check({}, inputs)
        assert not [(one.property, one.reason) for one in result.failures]
        made.append(result.inputs)
    return made


def entry(provider: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """An object as the list of its kind has it."""
    if isinstance(provider, SslTrustProvider):
        id_ = provider.identity(inputs)
        return {"id": id_, "pem": inputs["certificate"], "fingerprint": id_}
    kind = {"format": getattr(provider, "stored_format", "") or provider.format, "type": provider.type}
    properties = {key: one for key, one in kind.items() if one}
    return {"id": provider.identity(inputs), **properties, **provider.to_body(inputs)}


def read_all(cls: Kind, states: list[dict[str, Any]]) -> list[Any]:
    """What a refresh returns, which reads several at a time."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda state: cls.provider_class().read("id", state), states))


@pytest.fixture
def nexus() -> Iterator[FakeServer]:
    with serve(lambda _: Response(404)) as fake:
        yield fake


@pytest.mark.parametrize("cls", OBJECTS.values(), ids=OBJECTS)
def test_refresh_reads_one_list_for_each_kind(cls: Kind, nexus: FakeServer) -> None:
    provider: Any = cls.provider_class()
    states = several(cls, connection_to(nexus))
    entries = [entry(provider, state) for state in states]
    list_path = provider.address(provider.list_path, states[0])
    paths = [provider.address("{item}", state) for state in states]
    served: dict[str, Any] = dict(zip(paths, entries, strict=True))
    paged = getattr(provider, "paged", False)
    served[list_path] = {"items": entries, "continuationToken": None} if paged else entries
    served["/v1/status"] = ""

    def script(request: Request) -> Response:
        path = request.path.removeprefix("/service/rest")
        return (
            Response(200, served[path]) if path in served else Response(404, {"id": "*", "message": "not found"})
        )

    nexus.script = script
    read = read_all(cls, states)
    expected = paths if cls.__name__ in ONE_BY_ONE else [list_path]
    logins = ["/v1/status"] * COUNT if cls.provider_class is UserProvider else []
    assert sorted(nexus.methods()) == sorted(f"GET {path}" for path in (*expected, *logins))
    for one, state in zip(read, states, strict=True):
        assert one.id
        assert not provider.diff("id", one.outs, state).changes


def test_repositories_of_all_kinds_share_one_list(nexus: FakeServer) -> None:
    repositories = {one.__name__: one for one in repository_kinds()}
    states = {name: several(cls, connection_to(nexus))[0] | {"name": name} for name, cls in repositories.items()}
    entries = [entry(cls.provider_class(), states[name]) for name, cls in repositories.items()]
    nexus.script = lambda _: Response(200, entries)
    for name, cls in repositories.items():
        assert read_all(cls, [states[name]])[0].id
    assert nexus.methods() == ["GET /v1/repositorySettings"]


@pytest.mark.parametrize("cls", OBJECTS.values(), ids=OBJECTS)
def test_object_that_list_lacks_is_read_before_it_is_gone(cls: Kind, nexus: FakeServer) -> None:
    """A new Nexus 3.89 lists none of its own repositories until each is used."""
    provider: Any = cls.provider_class()
    state = several(cls, connection_to(nexus))[0]
    list_path, item = provider.address(provider.list_path, state), provider.address("{item}", state)
    stored, asked = [entry(provider, state)], list[str]()

    def script(request: Request) -> Response:
        path = request.path.removeprefix("/service/rest")
        asked.append(path)
        if path == item:
            return Response(200, stored[0]) if stored else Response(404, {"id": "*", "message": "not found"})
        found = stored if asked.count(list_path) > (path == list_path) else []
        return Response(
            200, {"items": found, "continuationToken": None} if getattr(provider, "paged", False) else found
        )

    nexus.script = script
    assert provider.read("id", state).id
    stored.clear()
    lists.reset()
    assert provider.read("id", state).id == ""


def test_missing_list_is_asked_for_once(nexus: FakeServer) -> None:
    nexus.script = lambda _: Response(404, {"id": "*", "message": "not found"})
    client = client_for(connection_to(nexus))
    for _ in range(3):
        with pytest.raises(NotFound):
            client.cached_list("/v1/repositorySettings")
    assert len(nexus.requests) == 1


def test_list_read_before_write_ended_is_not_kept(nexus: FakeServer) -> None:
    reading, written = threading.Event(), threading.Event()

    def script(request: Request) -> Response:
        if request.path.endswith("/roles"):
            reading.set()
            written.wait(60)
            return Response(200, [])
        return Response(204)

    nexus.script = script
    client = client_for(connection_to(nexus))
    client.login()
    with ThreadPoolExecutor() as pool:
        read = pool.submit(client.cached_list, "/v1/security/roles")
        assert reading.wait(60)
        client.put("/v1/security/roles/a", {})
        written.set()
        assert read.result(60) == []
    client.cached_list("/v1/security/roles")
    client.cached_list("/v1/security/roles")
    assert nexus.methods().count("GET /v1/security/roles") == 2


STORED: list[tuple[type[NexusProvider], dict[str, Any], dict[str, Any]]] = [
    (RoleProvider, {"role_id": "one"}, {"description": "another"}),
    (UserProvider, {"user_id": "one", "password": "pw-1", "roles": ["everyone"]}, {"first_name": "Ada"}),
    (DockerHostedRepositoryProvider, {"name": "one"}, {"online": False}),
]


@pytest.mark.parametrize(("kind", "first", "edit"), STORED, ids=lambda one: getattr(one, "kind", None))
def test_writes_do_not_use_what_refresh_has_read(
    kind: type[NexusProvider], first: dict[str, Any], edit: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def inputs(**changes: Any) -> dict[str, Any]:
        return kind().check({}, {"connection": connection_to(fake), **first, **changes}).inputs

    def stale(*_: object) -> None:
        raise AssertionError("read from the list")

    with serve(Stored()) as fake:
        created = kind().create(inputs()).outs
        assert kind().read("one", created or {}).id
        monkeypatch.setattr(kind, "find_in_list", stale)
        adopted = kind().create(inputs()).outs
        updated = kind().update("one", adopted or {}, inputs(**edit)).outs
        kind().delete("one", updated or {})
        with pytest.raises(Refused, match="no longer exists on the server"):
            kind().update("one", updated or {}, inputs())


@pytest.mark.parametrize("kind", [one[0] for one in STORED], ids=lambda one: one.kind)
def test_own_write_is_seen_by_next_refresh(kind: type[NexusProvider]) -> None:
    first, edit = next((one[1], one[2]) for one in STORED if one[0] is kind)
    with serve(Stored()) as fake:
        made = {"connection": connection_to(fake), **first}
        outs = kind().create(kind().check({}, made).inputs).outs or {}
        kind().read("one", outs)
        outs = kind().update("one", outs, kind().check({}, {**made, **edit}).inputs).outs or {}
        (changed,) = edit
        assert (kind().read("one", outs).outs or {})[changed] == edit[changed]
        kind().delete("one", outs)
        assert kind().read("one", outs).id == ""


def test_users_of_roles_that_were_just_created_cost_two_calls_each() -> None:
    with serve(Stored()) as fake:
        made = {"connection": connection_to(fake)}
        role = RoleProvider().create(RoleProvider().check({}, {**made, "role_id": "one"}).inputs).outs or {}
        fake.requests.clear()
        for state in users(fake, roles=["one"]):
            UserProvider().create(state)
        assert len(fake.requests) == 2 * 4
        RoleProvider().delete("one", role)
        fake.requests.clear()
        other = UserProvider().check({}, {**made, "user_id": "late", "password": "pw-1", "roles": ["one"]}).inputs
        with pytest.raises(Refused, match="roles: one is not on the server"):
            UserProvider().create(other)


def users(fake: FakeServer, **more: Any) -> list[dict[str, Any]]:
    found = []
    for number in range(4):
        made = {"user_id": f"user-{number}", "password": "pw-1", "roles": ["everyone"], **more}
        found.append(UserProvider().check({}, {"connection": connection_to(fake), **made}).inputs)
    return found


def test_users_log_in_at_same_time(nexus: FakeServer) -> None:
    together = threading.Barrier(4)
    states = users(nexus)

    def script(request: Request) -> Response:
        if request.path.endswith("/v1/status"):
            together.wait(60)
            return Response(200)
        return Response(200, [entry(UserProvider(), state) for state in states])

    nexus.script = script
    with ThreadPoolExecutor(4) as pool:
        assert all(one.id for one in pool.map(lambda state: UserProvider().read("id", state), states))


@pytest.mark.parametrize(("argument", "configured"), [(False, ""), (True, "false")])
def test_logins_of_users_can_be_turned_off(nexus: FakeServer, argument: bool, configured: str) -> None:
    states = users(nexus, check_password=argument)
    nexus.script = lambda _: Response(200, [entry(UserProvider(), state) for state in states])
    provider = UserProvider()
    settings = {"nexus-registry:check_passwords": configured} if configured else {}
    provider.configure(ConfigureRequest(Config(settings, "consumer")))
    for state in states:
        assert provider.read("id", state).outs == provider.read("id", state).outs
    assert nexus.methods() == ["GET /v1/security/users?source=default"]


def test_login_opens_no_connection_of_its_own(nexus: FakeServer) -> None:
    nexus.script = lambda _: Response(200)
    client = NexusClient(connection_to(nexus))
    assert client.as_user("ada", "pw-1")._adapter is client._adapter


def test_list_is_read_on_machine_that_has_just_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The monotonic clock begins at 0 when the machine starts."""
    monkeypatch.setattr("nexus_registry.providers.lists.time.monotonic", lambda: 5.0)
    assert lists.Lists().get("roles", lambda: ["a"]) == ["a"]


def test_list_is_read_again_after_its_lifetime(monkeypatch: pytest.MonkeyPatch) -> None:
    now, cached, reads = [100.0], lists.Lists(), list[float]()
    monkeypatch.setattr("nexus_registry.providers.lists.time.monotonic", lambda: now[0])

    def read() -> list[Any]:
        reads.append(now[0])
        return []

    for now[0] in (100.0, 100.0 + lists.LIFETIME, 101.0 + lists.LIFETIME):
        cached.get("roles", read)
    assert reads == [100.0, 101.0 + lists.LIFETIME]
    assert lists.LIFETIME <= 60


def test_failed_read_is_shared_by_those_who_wait_for_it() -> None:
    """A server that is away is waited for once, not once for each object; the next read tries again."""
    cached, asked, waiting = lists.Lists(), [0], threading.Barrier(COUNT)

    def read() -> list[Any]:
        asked[0] += 1
        time.sleep(0.3)
        raise Unreachable("GET http://nexus: no connection")

    def failure(_: int) -> str:
        waiting.wait()
        with pytest.raises(Unreachable) as failed:
            cached.get("roles", read)
        return str(failed.value)

    with ThreadPoolExecutor(COUNT) as pool:
        assert set(pool.map(failure, range(COUNT))) == {"GET http://nexus: no connection."}
    assert asked == [1]
    assert cached.get("roles", lambda: ["a"]) == ["a"]


def test_read_that_began_before_a_write_is_not_used_after_it() -> None:
    cached, begun, written = lists.Lists(), threading.Event(), threading.Event()

    def read() -> list[Any]:
        begun.set()
        assert written.wait(5)
        return ["old"]

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(cached.get, "roles", read)
        assert begun.wait(5)
        cached.clear()
        assert cached.get("roles", lambda: ["new"]) == ["new"]
        written.set()
        assert first.result(5) == ["old"]
    assert cached.get("roles", lambda: ["none"]) == ["new"]
