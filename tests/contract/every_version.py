"""Tests for every Nexus from 3.26 on: the objects that need no docker format, and the messages without it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from nexus_registry.providers.client import Connection, NexusClient, client_for
from nexus_registry.providers.compat import Availability, parse_server_header
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.errors import NexusError, Refused, Unauthorized
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
from nexus_registry.providers.schema import Field, limits
from nexus_registry.providers.security.admin_password import AdminPasswordProvider
from nexus_registry.providers.security.anonymous import AnonymousAccessProvider
from nexus_registry.providers.security.realm import RealmActivationProvider
from nexus_registry.providers.security.role import RoleProvider
from nexus_registry.providers.security.user import UserProvider
from nexus_registry.providers.system.eula import EulaProvider

from .docker_api import named
from .tracked import Tracked

ACTIVE_REALMS = "/v1/security/realms/active"


@dataclass
class Case:
    """The first inputs of a kind, an edit of them, and a change of the object by hand.

    ``edits`` are those of single properties, or of some that go together, that :func:`edits` can't think of.
    """

    provider: type[NexusProvider]
    first: dict[str, Any]
    edit: dict[str, Any]
    by_hand: dict[str, Any]
    edits: Sequence[dict[str, Any]] = ()


def role_case() -> Case:
    first = {"role_id": named("role"), "privileges": ["nx-logging-read", "nx-metrics-all"], "description": "one"}
    edits: list[dict[str, Any]] = [{"privileges": []}, {"roles": ["nx-anonymous"]}]
    return Case(RoleProvider, first, {"privileges": ["nx-metrics-all"]}, {"description": "by hand"}, edits)


def user_case() -> Case:
    first = {"user_id": named("user"), "password": "pw-one-1", "roles": ["nx-anonymous"]}
    edits: list[dict[str, Any]] = [{"roles": ["nx-admin", "nx-anonymous"]}, {"email_address": "ada@example.com"}]
    return Case(UserProvider, first, {"first_name": "Ada"}, {"status": "disabled"}, edits)


def edits(case: Case, client: NexusClient) -> Iterator[dict[str, Any]]:
    """The case's own edits, and one of each other property that an update can change on this server."""
    yield from case.edits
    client.login()
    served, given = parse_server_header(client.server), {name for edit in case.edits for name in edit}
    provider: Any = case.provider
    for name, field in provider.schema.items():
        known = provider.field_availability.get(name, Availability())
        sent = not field.local and (field.secret or name in provider.paths)
        if sent and name not in given and not (field.replaces or known.refusal(*served)):
            value = other_value(field, case.first.get(name, field.default))
            assert value is not None, f"{name}: the case has no edit of it"
            yield {name: value}


def other_value(field: Field, value: Any) -> Any:
    """A value that the property takes besides this one; ``None`` where its check does not tell any."""
    limit = limits(field.normalise)
    match limit.get("form"):
        case "boolean":
            return not value
        case "choice":
            return next(one for one in limit["values"] if one != value)
        case "integer":
            return limit["low"] + 1 if limit["low"] + 1 != value else limit["low"] + 2
        case "text" if not limit["pattern"] or re.fullmatch(limit["pattern"], "other"):
            return "other"
    return None


def edit_each_property(case: Case, tracked: Tracked, client: NexusClient) -> None:
    """Update each property, keep it and take it back."""
    assert tracked.up(**case.first) == "create"
    for edit in edits(case, client):
        edited = {**case.first, **edit}
        assert (edit, tracked.up(**edited)) == (edit, "update")
        assert (edit, tracked.refresh()) == (edit, "same")
        assert (edit, tracked.up(**edited)) == (edit, "same")
    assert tracked.up(**case.first) == "update"
    assert tracked.refresh() == "same"


def refusal(provider: type[NexusProvider], connection: Connection, **desired: Any) -> str:
    """The one sentence with which an ``up`` of these inputs is refused."""
    with pytest.raises(NexusError) as caught:
        Tracked(provider(), connection).up(**desired)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class Lifecycle:
    """From creation to deletion; a subclass has the fixtures ``connection`` and ``case``."""

    @pytest.fixture
    def client(self, connection: Connection) -> NexusClient:
        return client_for(connection)

    @pytest.fixture
    def tracked(self, case: Case, connection: Connection) -> Iterator[Tracked]:
        one = Tracked(case.provider(), connection)
        yield one
        with suppress(NexusError):
            case.provider().delete("", {**case.first, "connection": connection, "force_destroy": True})

    def test_object_lifecycle_with_drift(self, case: Case, tracked: Tracked) -> None:
        assert tracked.up(**case.first) == "create"
        assert tracked.up(**case.first) == "same"
        assert tracked.refresh() == "same"
        edited = {**case.first, **case.edit}
        assert tracked.up(**edited) == "update"
        assert tracked.refresh() == "same"

        by_hand = Tracked(case.provider(), tracked.connection)
        by_hand.up(**{**edited, **case.by_hand}, adopt=True)
        assert tracked.refresh() == "drift"
        assert tracked.refresh() == "same"
        assert tracked.up(**edited) == "update"
        assert tracked.refresh() == "same"

        by_hand.destroy()
        assert tracked.refresh() == "gone"
        assert tracked.up(**edited) == "create"
        tracked.destroy()
        again = Tracked(
            case.provider(), tracked.connection, "gone", {}, {**edited, "connection": tracked.connection}
        )
        again.destroy()

    def test_repeated_create_adopts_identical_object(self, case: Case, tracked: Tracked) -> None:
        tracked.up(**case.first)
        killed_before_it_was_told = Tracked(case.provider(), tracked.connection)
        assert killed_before_it_was_told.up(**case.first) == "create"
        assert killed_before_it_was_told.refresh() == "same"

    def test_create_names_difference_and_adopts_on_request(self, case: Case, tracked: Tracked) -> None:
        Tracked(case.provider(), tracked.connection).up(**{**case.first, **case.edit})
        with pytest.raises(Refused, match=rf"{next(iter(case.edit))} is .*adopt=True"):
            tracked.up(**case.first)
        assert tracked.up(**case.first, adopt=True) == "create"
        assert tracked.refresh() == "same"

    def test_update_of_deleted_object_names_refresh(self, case: Case, tracked: Tracked) -> None:
        tracked.up(**case.first)
        case.provider().delete("", {**tracked.outs, "force_destroy": True})  # type: ignore[dict-item]
        with pytest.raises(Refused, match="up --refresh"):
            tracked.up(**{**case.first, **case.edit})


class EachProperty(Lifecycle):
    """The same, and each property by itself."""

    def test_each_property_is_updated_kept_and_taken_back(
        self, case: Case, tracked: Tracked, client: NexusClient
    ) -> None:
        edit_each_property(case, tracked, client)


class EveryVersion(EachProperty):
    """The tests; a subclass has a fixture ``connection``."""

    @pytest.fixture(
        params=[
            pytest.param(role_case, marks=pytest.mark.kinds("Role"), id="role"),
            pytest.param(user_case, marks=pytest.mark.kinds("User"), id="user"),
        ]
    )
    def case(self, request: pytest.FixtureRequest) -> Case:
        make: Callable[[], Case] = request.param
        return make()

    def test_adopting_user_verifies_password_with_one_login(
        self, connection: Connection, client: NexusClient
    ) -> None:
        desired = {"user_id": named("user"), "password": "right-1", "roles": ["nx-anonymous"]}
        first = Tracked(UserProvider(), connection)
        first.up(**desired)
        with pytest.raises(Refused, match="another password"):
            Tracked(UserProvider(), connection).up(**{**desired, "password": "wrong-1"})
        assert first.up(**{**desired, "password": "right-2"}) == "update"
        assert client.as_user(desired["user_id"], "right-2").login()  # type: ignore[arg-type]
        adopted = Tracked(UserProvider(), connection)
        adopted.up(**{**desired, "password": "right-3"}, adopt=True)
        assert client.as_user(desired["user_id"], "right-3").login()  # type: ignore[arg-type]
        adopted.destroy()

    @pytest.mark.parametrize(
        ("provider", "desired", "said"),
        [
            (
                RoleProvider,
                {"role_id": "r-bad", "privileges": ["nx-loging-read"]},
                "privileges: nx-loging-read.*nx-logging-read",
            ),
            (RoleProvider, {"role_id": "r-bad", "roles": ["nx-admn"]}, "roles: nx-admn.*Did you mean nx-admin"),
            (
                UserProvider,
                {"user_id": "u-bad", "password": "p-1", "roles": ["nobody"]},
                "roles: nobody is not on the server",
            ),
            (
                RealmActivationProvider,
                {"realm": "Unknown"},
                "realm: Unknown is not on the server. There are: .*NexusAuthenticatingRealm",
            ),
        ],
        ids=["privilege", "role in role", "role of user", "realm"],
    )
    def test_unknown_name_lists_existing_ones(
        self, connection: Connection, provider: type[NexusProvider], desired: dict[str, Any], said: str
    ) -> None:
        assert re.search(said, refusal(provider, connection, **desired))

    @pytest.mark.kinds("RealmActivation")
    def test_realm_is_appended_and_only_own_one_removed(self, connection: Connection, client: NexusClient) -> None:
        before = client.get(ACTIVE_REALMS)
        available = [one["id"] for one in client.get("/v1/security/realms/available")]
        realm = next(one for one in available if one not in before)
        first, second = (Tracked(RealmActivationProvider(), connection) for _ in range(2))
        first.up(realm=realm)
        second.up(realm=realm)
        assert client.get(ACTIVE_REALMS) == [*before, realm]
        second.destroy()
        assert client.get(ACTIVE_REALMS) == [*before, realm]
        first.destroy()
        assert client.get(ACTIVE_REALMS) == before

    @pytest.mark.kinds("AnonymousAccess")
    def test_anonymous_access_is_set_and_restored(self, connection: Connection, client: NexusClient) -> None:
        before = client.get("/v1/security/anonymous")
        access = Tracked(AnonymousAccessProvider(), connection)
        access.up(enabled=not before["enabled"])
        assert client.get("/v1/security/anonymous")["enabled"] is not before["enabled"]
        assert access.refresh() == "same"
        access.destroy()
        assert client.get("/v1/security/anonymous") == before

    def test_server_without_licence_gate_has_nothing_to_accept(self, connection: Connection) -> None:
        licence = Tracked(EulaProvider(), connection)
        assert licence.up(accepted=True) == "create"
        licence.destroy()

    @pytest.mark.kinds("AdminPassword")
    def test_admin_password_changes_with_at_most_two_logins(
        self, connection: Connection, client: NexusClient
    ) -> None:
        desired = {**connection, "password": "another-1"}
        password = Tracked(AdminPasswordProvider(), desired)  # type: ignore[arg-type]
        with pytest.raises(Unauthorized, match="current_password"):
            password.up(password="another-1")
        assert password.up(password="another-1", current_password=connection["password"]) == "create"
        password.connection = connection
        assert password.up(password=connection["password"]) == "update"
        assert client.login()

    def test_missing_object_differs_from_wrong_url(self, connection: Connection) -> None:
        elsewhere: Connection = {**connection, "url": f"{connection['url']}/no-such-context"}
        for provider, inputs in (
            (RoleProvider, {"role_id": "x"}),
            (DockerHostedRepositoryProvider, {"name": "x"}),
        ):
            with pytest.raises(NexusError, match="context path"):
                provider().read("x", {**inputs, "connection": elsewhere})

    def test_read_and_delete_use_credentials_of_environment(
        self, connection: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        role = Tracked(RoleProvider(), connection)
        role.up(role_id=named("role"))
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


class WithoutDocker:
    """The messages without the docker format; a subclass has a fixture ``connection``."""

    def test_docker_repository_refusal_names_missing_feature(self, connection: Connection) -> None:
        said = refusal(DockerHostedRepositoryProvider, connection, name="images")
        assert said.startswith("docker repository 'images': the server has no docker format")

    def test_missing_docker_realm_lists_existing_realms(self, connection: Connection) -> None:
        said = refusal(RealmActivationProvider, connection)
        assert said.startswith("realm 'DockerToken': realm: DockerToken is not on the server. There are: ")

    def test_read_of_missing_docker_repository_returns_no_id(self, connection: Connection) -> None:
        kept = {"name": "images", "connection": connection}
        assert DockerHostedRepositoryProvider().read("images", kept).id == ""
        DockerHostedRepositoryProvider().delete("images", kept)
