"""What holds on every Nexus from 3.26 on: the objects that need no docker format, and what is said without it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from nexus_registry.providers.client import Connection, NexusClient, client_for
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.errors import NexusError, Refused, Unauthorized
from nexus_registry.providers.repositories.docker import DockerHostedRepositoryProvider
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
    """What a kind is tried with: its first wish, an edit of it, and how somebody else would change it by hand."""

    provider: type[NexusProvider]
    first: dict[str, Any]
    edit: dict[str, Any]
    by_hand: dict[str, Any]


def role_case() -> Case:
    first = {"role_id": named("role"), "privileges": ["nx-logging-read", "nx-metrics-all"], "description": "one"}
    return Case(RoleProvider, first, {"privileges": ["nx-metrics-all"]}, {"description": "by hand"})


def user_case() -> Case:
    first = {"user_id": named("user"), "password": "pw-one-1", "roles": ["nx-anonymous"]}
    return Case(UserProvider, first, {"first_name": "Ada"}, {"status": "disabled"})


def refusal(provider: type[NexusProvider], connection: Connection, **wished: Any) -> str:
    """The one sentence with which an ``up`` that wishes this is refused."""
    with pytest.raises(NexusError) as caught:
        Tracked(provider(), connection).up(**wished)
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

    def test_an_object_is_made_kept_edited_found_drifted_mended_and_deleted(
        self, case: Case, tracked: Tracked
    ) -> None:
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
        again = Tracked(
            case.provider(), tracked.connection, "gone", {}, {**edited, "connection": tracked.connection}
        )
        again.destroy()

    def test_a_create_that_runs_again_takes_what_is_exactly_as_wished(self, case: Case, tracked: Tracked) -> None:
        tracked.up(**case.first)
        killed_before_it_was_told = Tracked(case.provider(), tracked.connection)
        assert killed_before_it_was_told.up(**case.first) == "create"
        assert killed_before_it_was_told.refresh() == "same"

    def test_a_create_that_meets_something_else_names_the_difference_and_adopts_when_told(
        self, case: Case, tracked: Tracked
    ) -> None:
        Tracked(case.provider(), tracked.connection).up(**{**case.first, **case.edit})
        with pytest.raises(Refused, match=rf"{next(iter(case.edit))} is .*adopt=True"):
            tracked.up(**case.first)
        assert tracked.up(**case.first, adopt=True) == "create"
        assert tracked.refresh() == "same"

    def test_an_update_of_what_somebody_deleted_says_how_it_comes_back(self, case: Case, tracked: Tracked) -> None:
        tracked.up(**case.first)
        case.provider().delete("", {**tracked.outs, "force_destroy": True})  # type: ignore[dict-item]
        with pytest.raises(Refused, match="up --refresh"):
            tracked.up(**{**case.first, **case.edit})


class EveryVersion(Lifecycle):
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

    def test_a_users_password_is_proved_by_one_login_before_the_user_is_taken(
        self, connection: Connection, client: NexusClient
    ) -> None:
        wish = {"user_id": named("user"), "password": "right-1", "roles": ["nx-anonymous"]}
        first = Tracked(UserProvider(), connection)
        first.up(**wish)
        with pytest.raises(Refused, match="another password"):
            Tracked(UserProvider(), connection).up(**{**wish, "password": "wrong-1"})
        assert first.up(**{**wish, "password": "right-2"}) == "update"
        assert client.as_user(wish["user_id"], "right-2").login()  # type: ignore[arg-type]
        adopted = Tracked(UserProvider(), connection)
        adopted.up(**{**wish, "password": "right-3"}, adopt=True)
        assert client.as_user(wish["user_id"], "right-3").login()  # type: ignore[arg-type]
        adopted.destroy()

    @pytest.mark.parametrize(
        ("provider", "wish", "said"),
        [
            (
                RoleProvider,
                {"role_id": "r-bad", "privileges": ["nx-loging-read"]},
                "privileges: nx-loging-read.*nx-logging-read",
            ),
            (RoleProvider, {"role_id": "r-bad", "roles": ["nx-admn"]}, "roles: nx-admn.*did you mean nx-admin"),
            (
                UserProvider,
                {"user_id": "u-bad", "password": "p-1", "roles": ["nobody"]},
                "roles: nobody is not on the server",
            ),
            (
                RealmActivationProvider,
                {"realm": "DockerTokn"},
                "DockerTokn.*there are: .*NexusAuthenticatingRealm",
            ),
        ],
        ids=["privilege", "role in role", "role of user", "realm"],
    )
    def test_a_name_that_is_not_on_the_server_is_answered_with_those_that_are(
        self, connection: Connection, provider: type[NexusProvider], wish: dict[str, Any], said: str
    ) -> None:
        assert re.search(said, refusal(provider, connection, **wish))

    @pytest.mark.kinds("RealmActivation")
    def test_a_realm_is_appended_and_only_what_was_added_is_taken_out(
        self, connection: Connection, client: NexusClient
    ) -> None:
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
    def test_anonymous_access_is_set_and_put_back(self, connection: Connection, client: NexusClient) -> None:
        before = client.get("/v1/security/anonymous")
        access = Tracked(AnonymousAccessProvider(), connection)
        access.up(enabled=not before["enabled"])
        assert client.get("/v1/security/anonymous")["enabled"] is not before["enabled"]
        assert access.refresh() == "same"
        access.destroy()
        assert client.get("/v1/security/anonymous") == before

    def test_a_server_without_a_licence_gate_has_nothing_to_accept(self, connection: Connection) -> None:
        licence = Tracked(EulaProvider(), connection)
        assert licence.up(accepted=True) == "create"
        licence.destroy()

    @pytest.mark.kinds("AdminPassword")
    def test_the_admin_password_is_changed_with_at_most_two_logins_and_given_back(
        self, connection: Connection, client: NexusClient
    ) -> None:
        wished = {**connection, "password": "another-1"}
        password = Tracked(AdminPasswordProvider(), wished)  # type: ignore[arg-type]
        with pytest.raises(Unauthorized, match="current_password"):
            password.up(password="another-1")
        assert password.up(password="another-1", current_password=connection["password"]) == "create"
        password.connection = connection
        assert password.up(password=connection["password"]) == "update"
        assert client.login()

    def test_a_gone_object_is_told_from_a_wrong_address(self, connection: Connection) -> None:
        elsewhere: Connection = {**connection, "url": f"{connection['url']}/no-such-context"}
        for provider, inputs in (
            (RoleProvider, {"role_id": "x"}),
            (DockerHostedRepositoryProvider, {"name": "x"}),
        ):
            with pytest.raises(NexusError, match="context path"):
                provider().read("x", {**inputs, "connection": elsewhere})

    def test_read_and_delete_use_the_environment_where_the_state_is_outdated(
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
    """What is said where the docker format is missing; a subclass has a fixture ``connection``."""

    def test_a_docker_repository_is_refused_by_the_name_of_what_the_server_lacks(
        self, connection: Connection
    ) -> None:
        said = refusal(DockerHostedRepositoryProvider, connection, name="images")
        assert said.startswith("docker repository 'images': the server has no docker format")

    def test_the_docker_realm_is_answered_with_the_realms_that_there_are(self, connection: Connection) -> None:
        said = refusal(RealmActivationProvider, connection)
        assert said.startswith("realm 'DockerToken': is not on the server; there are: ")

    def test_a_docker_repository_of_the_state_is_gone(self, connection: Connection) -> None:
        kept = {"name": "images", "connection": connection}
        assert DockerHostedRepositoryProvider().read("images", kept).id == ""
        DockerHostedRepositoryProvider().delete("images", kept)
