"""Data sources: what they return, which connection they take, and what becomes of them in a preview."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import nexus_registry.providers as providers
import pulumi
import pytest
from nexus_registry.providers import data_sources, progress
from nexus_registry.providers.errors import NexusError
from nexus_registry.providers.security.role import Role

from sandbox.shell import free_port

from .fake import FakeServer, Request, Response, serve

BODIES: dict[str, Any] = {
    "repositories": [
        {"name": "images", "format": "docker", "type": "hosted", "url": "http://x/repository/images"},
        {
            "name": "hub",
            "format": "docker",
            "type": "proxy",
            "url": "http://x/repository/hub",
            "attributes": {"proxy": {"remoteUrl": "https://registry.example.com"}},
        },
    ],
    "blobstores": [
        {"name": "a/b", "type": "File", "blobCount": 2, "totalSizeInBytes": 5, "availableSpaceInBytes": 2**40,
         "softQuota": {"type": "spaceUsedQuota", "limit": 4}},
        {"name": "default", "type": "File", "blobCount": 0, "totalSizeInBytes": 0, "availableSpaceInBytes": 9,
         "softQuota": None},
    ],
    "blobstores/a%2Fb/quota-status": {"isViolation": True, "message": "over", "blobStoreName": "a/b"},
    "security/roles?source=default": [
        {"id": "pull", "name": "Pull", "description": None, "source": "default", "readOnly": False,
         "privileges": ["b", "a"], "roles": []},
    ],
    "security/users?source=LDAP": [
        {"userId": "ada", "firstName": "Ada", "lastName": "L", "emailAddress": "ada@example.com",
         "status": "active", "source": "LDAP", "readOnly": True, "roles": [], "externalRoles": ["dev"]},
    ],
    "security/privileges": [{"name": "nx-all", "type": "wildcard", "description": "all", "readOnly": True}],
    "security/realms/available": [{"id": one, "name": f"{one} Realm"} for one in "CAB"],
    "security/realms/active": ["B"],
    "system/node": {"nodeId": "node-1"},
    "metrics": {"gauges": {"nexus.analytics.component_total_count": {"value": 12},
                           "nexus.analytics.content_request_count": {"value": {"day": 340.0, "month": 9000}}}},
}  # fmt: skip
REPOSITORIES = [
    providers.RepositoryInfo("images", "docker", "hosted", "http://x/repository/images", ""),
    providers.RepositoryInfo("hub", "docker", "proxy", "http://x/repository/hub", "https://registry.example.com"),
]
RESULTS: list[tuple[str, dict[str, Any], Any]] = [
    ("get_server", {}, providers.ServerInfo("3.71.0-06", "OSS", "node-1")),
    ("get_repositories", {}, REPOSITORIES),
    ("get_repository", {"name": "hub"}, REPOSITORIES[1]),
    (
        "get_blob_stores",
        {},
        [
            providers.BlobStoreInfo("a/b", "File", 2, 5, 2**40, "spaceUsedQuota", 4, "over"),
            providers.BlobStoreInfo("default", "File", 0, 0, 9, "", 0, ""),
        ],
    ),
    ("get_roles", {}, [providers.RoleInfo("pull", "Pull", "", "default", False, ("a", "b"), ())]),
    (
        "get_users",
        {"source": "LDAP"},
        [providers.UserInfo("ada", "Ada", "L", "ada@example.com", "active", "LDAP", (), ("dev",))],
    ),
    ("get_privileges", {}, [providers.PrivilegeInfo("nx-all", "wildcard", "all", True)]),
    ("get_usage", {}, providers.UsageInfo(12, 340, None, None)),
    ("get_realms", {}, [providers.RealmInfo(one, f"{one} Realm", one == "B") for one in "BAC"]),
]


def answer(request: Request) -> Response:
    path = request.path.removeprefix("/service/rest/v1/").replace("/service/rest/metrics/data", "metrics")
    return Response(200, BODIES[path]) if path in BODIES else Response(404, {"id": "*", "message": "not found"})


@pytest.fixture
def nexus() -> Iterator[FakeServer]:
    with serve(answer) as fake:
        yield fake


def connection_to(url: str) -> Any:
    return {"url": url, "username": "admin", "password": "canary-1"}


class Creates(pulumi.runtime.Mocks):
    """As the engine: a resource that a preview would create has no id yet."""

    def __init__(self, *, preview: bool) -> None:
        self.preview = preview

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return None if self.preview else args.name, args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


@pytest.fixture
def program(sdk: asyncio.AbstractEventLoop) -> Callable[..., Any]:
    """Runs a program, which returns an output; returns what is known of it, and whether it is secret."""

    def run(body: Callable[[], Any], *, preview: bool = False, **config: str) -> tuple[Any, bool, bool]:
        pulumi.runtime.set_mocks(Creates(preview=preview), project="consumer", preview=preview)
        pulumi.runtime.set_all_config({f"nexus-registry:{key}": value for key, value in config.items()}, [])
        seen: list[tuple[Any, bool, bool]] = []

        def main() -> pulumi.Output[Any]:
            made = pulumi.Output.from_input(body())

            async def look() -> None:
                seen.append((await made.future(), await made.is_known(), await made.is_secret()))

            return pulumi.Output.from_input(look())

        pulumi.runtime.test(main)()  # type: ignore[no-untyped-call]
        return seen[0]

    return run


def test_server_is_known_to_users_that_may_not_read_its_id(program: Any) -> None:
    def script(request: Request) -> Response:
        return Response(403, headers={"Server": "Nexus/3.71.0-06 (OSS)"})

    with serve(script) as nexus:
        found = program(lambda: providers.get_server(connection_to(nexus.url)))[0]
    assert found == providers.ServerInfo("3.71.0-06", "OSS", "")


@pytest.mark.parametrize(("function", "arguments", "expected"), RESULTS, ids=[one[0] for one in RESULTS])
@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_functions_read_in_both_forms(
    nexus: FakeServer, program: Any, function: str, arguments: dict[str, Any], expected: Any, preview: bool
) -> None:
    plain, output = getattr(providers, function), getattr(providers, f"{function}_output")

    def body() -> Any:
        assert plain(connection=connection_to(nexus.url), **arguments) == expected
        given = {name: pulumi.Output.from_input(value) for name, value in arguments.items()}
        return output(connection=pulumi.Output.secret(connection_to(nexus.url)), **given)

    assert program(body, preview=preview) == (expected, True, False)


def test_every_function_is_tested() -> None:
    own = {name for name in providers.__all__ if name.startswith("get_")}
    assert own == {f"{one[0]}{form}" for one in RESULTS for form in ("", "_output")}
    assert not [name for name in own if not getattr(providers, name).__doc__]


def test_connection_is_taken_from_configuration(nexus: FakeServer, program: Any) -> None:
    found = program(providers.get_roles, url=nexus.url, password="canary-1")
    assert [one.role_id for one in found[0]] == ["pull"]


@pytest.mark.parametrize(
    ("connection", "config", "said"),
    [
        (
            None,
            {},
            "get_roles: connection is required, or the configuration keys nexus-registry:url and :password",
        ),
        ({"url": "nexus", "password": "canary-1"}, {}, "get_roles: connection url must be https://host:port"),
        (None, {"url": "http://x", "password": "canary-1", "ca": "x"}, "nexus-registry:ca"),
    ],
)
def test_wrong_connection_is_refused(program: Any, connection: Any, config: dict[str, str], said: str) -> None:
    def body() -> None:
        with pytest.raises(NexusError) as caught:
            providers.get_roles(connection)
        assert said in str(caught.value)
        assert "canary" not in str(caught.value)

    program(body, **config)


@pytest.mark.parametrize(
    "call",
    [
        lambda out, url: providers.get_roles(out(connection_to(url))),
        lambda out, url: providers.get_roles(connection_to(url) | {"password": out("canary-1")}),
        lambda out, url: providers.get_users(connection_to(url), source=out("LDAP")),
        lambda out, url: providers.get_repository(out("hub"), connection_to(url)),
    ],
)
def test_output_as_argument_is_refused_with_form_that_takes_it(
    call: Callable[[Any, str], Any], nexus: FakeServer, program: Any
) -> None:
    def body() -> None:
        with pytest.raises(NexusError, match=r"^(get_\w+): an argument is an output\. Use \1_output\.$"):
            call(pulumi.Output.from_input, nexus.url)

    program(body)
    assert nexus.requests == []


def test_missing_repository_suggests_near_names(nexus: FakeServer, program: Any) -> None:
    def body() -> None:
        with pytest.raises(NexusError, match=r"get_repository: name: image is not on the server\. .*images"):
            providers.get_repository("image", connection_to(nexus.url))

    program(body)


def test_unknown_connection_gives_unknown_result(nexus: FakeServer, program: Any) -> None:
    def body() -> Any:
        role = Role("made", role_id="made", connection=connection_to(nexus.url))
        url = role.id.apply(lambda _: nexus.url)
        connection: Any = pulumi.Output.all(url=url, username="admin", password="canary-1")
        return providers.get_roles_output(connection)

    assert program(body, preview=True)[1] is False
    assert nexus.requests == []


@pytest.mark.parametrize("component", [False, True])
def test_result_waits_for_resources_that_are_still_to_be_created(
    nexus: FakeServer, program: Any, component: bool
) -> None:
    def body() -> Any:
        parent = pulumi.ComponentResource("a:b:C", "component")
        role = Role(
            "made",
            role_id="made",
            connection=connection_to(nexus.url),
            opts=pulumi.ResourceOptions(parent=parent if component else None),
        )
        opts = pulumi.InvokeOutputOptions(depends_on=[parent if component else role])
        return providers.get_roles_output(connection_to(nexus.url), opts=opts)

    assert program(body, preview=True)[1] is False
    assert nexus.requests == []
    assert program(body)[1] is True


def test_wait_of_function_is_shown(nexus: FakeServer, program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, bool]] = []
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(progress, "FIRST", 0.0)
    monkeypatch.setattr(pulumi.log, "info", lambda text, *, ephemeral: said.append((text, ephemeral)))
    starting = [Response(503)]
    nexus.script = lambda request: starting.pop() if starting else answer(request)
    program(lambda: providers.get_roles_output(connection_to(nexus.url)))
    assert any("503" in text for text, _ in said)
    assert all(text.startswith("waiting for ") and ephemeral for text, ephemeral in said)


def test_unreachable_server_is_unknown_in_preview_only(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_sources, "PREVIEW_TIMEOUT", 0.0)
    monkeypatch.setattr(data_sources, "RETRY_TIMEOUT", 0.0)
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    connection = connection_to(f"http://127.0.0.1:{free_port()}")
    remedy = "If this program also makes the server, use get_roles_output with opts=pulumi.InvokeOutputOptions"

    def plain() -> None:
        with pytest.raises(NexusError, match=remedy):
            providers.get_roles(connection)

    def output() -> Any:
        return providers.get_roles_output(connection)

    program(plain, preview=True)
    assert program(output, preview=True)[:2] == (None, False)
    assert remedy in warnings[0]
    with pytest.raises(NexusError, match=r"get_roles: GET .* refused"):
        program(output)
