"""The lifecycle of every kind of object on a real Nexus: each test drives the provider as the engine does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from nexus_registry.providers.admin_password import AdminPasswordProvider
from nexus_registry.providers.anonymous import AnonymousAccessProvider
from nexus_registry.providers.client import Connection, NexusClient, client_for
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.errors import NexusError, Refused, Unauthorized
from nexus_registry.providers.eula import EulaProvider
from nexus_registry.providers.realm import RealmActivationProvider
from nexus_registry.providers.role import RoleProvider
from nexus_registry.providers.user import UserProvider

from .conftest import Nexus


@pytest.fixture(scope="module")
def connection(nexus: Nexus) -> Connection:
    return {"url": nexus.url, "username": nexus.username, "password": nexus.password}


@pytest.fixture
def client(connection: Connection) -> NexusClient:
    return client_for(connection)


def over_the_wire(value: Any) -> Any:
    """What the engine's wire makes of values: every number is a float, what is None at the top is not there."""
    if isinstance(value, dict):
        return {key: over_the_wire(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [over_the_wire(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@dataclass
class Tracked:
    """One resource as the engine would keep it: its provider, id, inputs and outputs."""

    provider: NexusProvider
    connection: Connection
    id: str = ""
    inputs: dict[str, Any] | None = None
    outs: dict[str, Any] | None = None

    def up(self, **wished: Any) -> str:
        """One ``up`` with these inputs; says what was done."""
        news = over_the_wire({"connection": self.connection, **wished})
        result = self.provider.check(self.inputs or {}, news)
        assert not result.failures, [(one.property, one.reason) for one in result.failures]
        result.inputs = over_the_wire(result.inputs)
        if self.outs is None:
            created = self.provider.create(result.inputs)
            self.id, self.outs, done = created.id, created.outs, "create"
        else:
            diff = self.provider.diff(self.id, self.outs, result.inputs)
            if not diff.changes:
                return "same"
            if diff.replaces:
                self.provider.delete(self.id, self.outs)
                inputs = over_the_wire(self.provider.check({}, news).inputs)
                created = self.provider.create(inputs)
                self.id, self.outs, self.inputs = created.id, created.outs, inputs
                return "replace"
            self.outs, done = self.provider.update(self.id, self.outs, result.inputs).outs, "update"
        self.inputs = result.inputs
        return done

    def refresh(self) -> str:
        """One ``refresh``; says whether the object is as the state has it."""
        assert self.outs is not None
        read = self.provider.read(self.id, self.outs)
        if not read.id:
            self.id, self.inputs, self.outs = "", None, None
            return "gone"
        assert read.inputs is not None
        before, self.outs, self.inputs = self.outs, over_the_wire(read.outs), over_the_wire(read.inputs)
        return "same" if over_the_wire(before) == self.outs else "drift"

    def destroy(self) -> None:
        if self.outs is not None:
            self.provider.delete(self.id, self.outs)
            self.outs = self.inputs = None


@dataclass
class Case:
    """What a kind is tried with: its first wish, an edit of it, and how somebody else would change it by hand."""

    provider: type[NexusProvider]
    first: dict[str, Any]
    edit: dict[str, Any]
    by_hand: dict[str, Any]


def named(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def role_case() -> Case:
    first = {"id": named("role"), "privileges": ["nx-logging-read", "nx-metrics-all"], "description": "one"}
    return Case(RoleProvider, first, {"privileges": ["nx-metrics-all"]}, {"description": "by hand"})


def user_case() -> Case:
    first = {"user_id": named("user"), "password": "pw-one-1", "roles": ["nx-anonymous"]}
    return Case(UserProvider, first, {"first_name": "Ada"}, {"status": "disabled"})


def repository_case() -> Case:
    first = {"name": named("images")}
    edit = {"write_policy": "ALLOW_ONCE", "cleanup_policy_names": []}
    return Case(DockerHostedRepositoryProvider, first, edit, {"write_policy": "DENY"})


CASES = {"role": role_case, "user": user_case, "docker repository": repository_case}
every_kind = pytest.mark.parametrize("case", [make() for make in CASES.values()], ids=list(CASES))


@pytest.fixture
def tracked(case: Case, connection: Connection) -> Iterator[Tracked]:
    one = Tracked(case.provider(), connection)
    yield one
    with suppress(NexusError):
        case.provider().delete("", {**case.first, "connection": connection, "force_destroy": True})


@every_kind
def test_an_object_is_made_kept_edited_found_drifted_mended_and_deleted(case: Case, tracked: Tracked) -> None:
    assert tracked.up(**case.first) == "create"
    assert tracked.up(**case.first) == "same"
    assert tracked.refresh() == "same"
    edited = {**case.first, **case.edit}
    assert tracked.up(**edited) == "update"
    assert tracked.refresh() == "same"

    by_hand = Tracked(case.provider(), tracked.connection)
    by_hand.up(**{**edited, **case.by_hand}, adopt=True)
    assert tracked.refresh() == "drift"
    assert tracked.up(**edited) == "update"
    assert tracked.refresh() == "same"

    by_hand.destroy()
    assert tracked.refresh() == "gone"
    assert tracked.up(**edited) == "create"
    tracked.destroy()
    again = Tracked(case.provider(), tracked.connection, "gone", {}, {**edited, "connection": tracked.connection})
    again.destroy()


@every_kind
def test_a_create_that_runs_again_takes_what_is_exactly_as_wished(case: Case, tracked: Tracked) -> None:
    tracked.up(**case.first)
    killed_before_it_was_told = Tracked(case.provider(), tracked.connection)
    assert killed_before_it_was_told.up(**case.first) == "create"
    assert killed_before_it_was_told.refresh() == "same"


@every_kind
def test_a_create_that_meets_something_else_names_the_difference_and_adopts_when_told(
    case: Case, tracked: Tracked
) -> None:
    Tracked(case.provider(), tracked.connection).up(**{**case.first, **case.edit})
    with pytest.raises(Refused, match=rf"{next(iter(case.edit))} is .*adopt=True"):
        tracked.up(**case.first)
    assert tracked.up(**case.first, adopt=True) == "create"
    assert tracked.refresh() == "same"


@every_kind
def test_an_update_of_what_somebody_deleted_says_how_it_comes_back(case: Case, tracked: Tracked) -> None:
    tracked.up(**case.first)
    case.provider().delete("", {**tracked.outs, "force_destroy": True})  # type: ignore[dict-item]
    with pytest.raises(Refused, match="up --refresh"):
        tracked.up(**{**case.first, **case.edit})


def test_an_update_keeps_the_fields_that_it_does_not_know(connection: Connection, client: NexusClient) -> None:
    repository = Tracked(DockerHostedRepositoryProvider(), connection)
    name = named("images")
    repository.up(name=name)
    path = f"/v1/repositories/docker/hosted/{name}"
    body = client.get(path)
    client.put(
        path,
        {
            **{k: body[k] for k in ("name", "online", "storage", "docker")},
            "component": {"proprietaryComponents": True},
        },
    )
    repository.up(name=name, write_policy="DENY")
    after = client.get(path)
    assert (after["component"], after["storage"]["writePolicy"]) == ({"proprietaryComponents": True}, "DENY")
    repository.destroy()


def test_a_users_password_is_proved_by_one_login_before_the_user_is_taken(connection: Connection) -> None:
    wish = {"user_id": named("user"), "password": "right-1", "roles": ["nx-anonymous"]}
    first = Tracked(UserProvider(), connection)
    first.up(**wish)
    with pytest.raises(Refused, match="another password"):
        Tracked(UserProvider(), connection).up(**{**wish, "password": "wrong-1"})
    assert first.up(**{**wish, "password": "right-2"}) == "update"
    assert client_for(connection).as_user(wish["user_id"], "right-2").login()  # type: ignore[arg-type]
    adopted = Tracked(UserProvider(), connection)
    adopted.up(**{**wish, "password": "right-3"}, adopt=True)
    assert client_for(connection).as_user(wish["user_id"], "right-3").login()  # type: ignore[arg-type]
    adopted.destroy()


@pytest.mark.parametrize(
    ("provider", "wish", "said"),
    [
        (
            RoleProvider,
            {"id": "r-bad", "privileges": ["nx-loging-read"]},
            "privileges nx-loging-read.*nx-logging-read",
        ),
        (RoleProvider, {"id": "r-bad", "roles": ["nx-admn"]}, "roles nx-admn.*did you mean nx-admin"),
        (
            UserProvider,
            {"user_id": "u-bad", "password": "p-1", "roles": ["nobody"]},
            "roles nobody: not on the server",
        ),
        (RealmActivationProvider, {"realm": "DockerTokn"}, "DockerTokn.*there are: .*NexusAuthenticatingRealm"),
        (
            DockerHostedRepositoryProvider,
            {"name": "r-bad", "blob_store_name": "nope"},
            "blob_store_name 'nope'.*default",
        ),
    ],
    ids=["privilege", "role in role", "role of user", "realm", "blob store"],
)
def test_a_name_that_is_not_on_the_server_is_answered_with_those_that_are(
    connection: Connection, provider: type[NexusProvider], wish: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said) as caught:
        Tracked(provider(), connection).up(**wish)
    assert "\n" not in str(caught.value)


def test_a_deleted_repositorys_privileges_come_back_into_the_role_with_one_update(connection: Connection) -> None:
    name = named("images")
    repository, role = Tracked(DockerHostedRepositoryProvider(), connection), Tracked(RoleProvider(), connection)

    def wish() -> dict[str, Any]:
        assert repository.outs is not None
        privileges = [f"nx-repository-view-docker-{name}-{action}" for action in ("read", "add", "edit")]
        return {"id": f"{name}-push", "privileges": privileges, "incarnations": [repository.outs["incarnation"]]}

    repository.up(name=name)
    assert role.up(**wish()) == "create"
    assert repository.up(name=name, online=True, write_policy="DENY") == "update"
    assert role.up(**wish()) == "same"
    repository.destroy()
    repository.up(name=name)
    assert role.up(**wish()) == "update"
    assert role.refresh() == "same"
    role.destroy()
    repository.destroy()


def test_the_docker_realm_is_appended_and_only_what_was_added_is_taken_out(
    connection: Connection, client: NexusClient
) -> None:
    before = client.get("/v1/security/realms/active")
    assert "DockerToken" not in before, "another test left the realm active"
    first, second = (Tracked(RealmActivationProvider(), connection) for _ in range(2))
    first.up()
    second.up()
    assert client.get("/v1/security/realms/active") == [*before, "DockerToken"]
    second.destroy()
    assert client.get("/v1/security/realms/active") == [*before, "DockerToken"]
    repository = Tracked(DockerHostedRepositoryProvider(), connection)
    repository.up(name=named("images"))
    kept = dict(first.outs or {})
    first.destroy()
    assert "DockerToken" in client.get("/v1/security/realms/active"), "removed below a docker repository"
    repository.destroy()
    RealmActivationProvider().delete("DockerToken", kept)
    assert client.get("/v1/security/realms/active") == before


def test_anonymous_access_is_set_and_put_back(connection: Connection, client: NexusClient) -> None:
    before = client.get("/v1/security/anonymous")
    access = Tracked(AnonymousAccessProvider(), connection)
    access.up(enabled=not before["enabled"])
    assert client.get("/v1/security/anonymous")["enabled"] is not before["enabled"]
    assert access.refresh() == "same"
    access.destroy()
    assert client.get("/v1/security/anonymous") == before


def test_a_server_without_a_licence_gate_has_nothing_to_accept(connection: Connection) -> None:
    licence = Tracked(EulaProvider(), connection)
    assert licence.up(accepted=True) == "create"
    licence.destroy()


def test_the_admin_password_is_changed_with_at_most_two_logins_and_given_back(connection: Connection) -> None:
    wished = {**connection, "password": "another-1"}
    password = Tracked(AdminPasswordProvider(), wished)  # type: ignore[arg-type]
    with pytest.raises(Unauthorized, match="current_password"):
        password.up(password="another-1")
    assert password.up(password="another-1", current_password=connection["password"]) == "create"
    password.connection = connection
    assert password.up(password=connection["password"]) == "update"
    assert client_for(connection).login()


def test_a_gone_object_is_told_from_a_wrong_address(connection: Connection) -> None:
    elsewhere: Connection = {**connection, "url": f"{connection['url']}/no-such-context"}
    for provider, inputs in ((RoleProvider, {"id": "x"}), (DockerHostedRepositoryProvider, {"name": "x"})):
        with pytest.raises(NexusError, match="context path"):
            provider().read("x", {**inputs, "connection": elsewhere})


def test_read_and_delete_use_the_environment_where_the_state_is_outdated(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = Tracked(RoleProvider(), connection)
    role.up(id=named("role"))
    assert role.outs is not None
    outdated = {**role.outs, "connection": {**connection, "password": "no-longer-1"}}
    monkeypatch.setenv("NEXUS_URL", "http://elsewhere:1")
    monkeypatch.setenv("NEXUS_USERNAME", connection["username"])
    monkeypatch.setenv("NEXUS_PASSWORD", connection["password"])
    with pytest.raises(Unauthorized):
        RoleProvider().read(role.id, outdated)
    monkeypatch.setenv("NEXUS_URL", connection["url"])
    assert RoleProvider().read(role.id, outdated).id == role.id
    RoleProvider().delete(role.id, outdated)
