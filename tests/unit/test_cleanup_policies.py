"""Cleanup policies that are replaced, and the repositories that name them."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
import pytest
from nexus_registry.providers.client import Connection, client_for
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.errors import Refused
from nexus_registry.providers.repositories.docker import DockerHostedRepository
from nexus_registry.providers.run import Run
from nexus_registry.providers.system.cleanup_policy import CleanupPolicy, CleanupPolicyProvider

from .fake import Request, Response, serve

REPOSITORY = DockerHostedRepository.provider_class()
CONNECTION = {"url": "https://nexus.example.com", "username": "admin", "password": "pw"}
POLICY = {"name": "old", "format": "docker", "criteria_last_downloaded": 30, "connection": CONNECTION}
USES_IT = {"name": "images", "cleanup_policy_names": ["old"], "connection": CONNECTION}


class Nexus:
    """It takes a deleted policy out of its repository when the list of repositories was read twice."""

    def __init__(self) -> None:
        self.policies = [{"name": "old", "format": "docker"}]
        self.left = 2

    def __call__(self, request: Request) -> Response:
        path = request.path.removeprefix("/service/rest")
        if path == "/internal/cleanup-policies/old":
            self.policies.clear()
            return Response(204)
        if path == "/v1/repositorySettings":
            self.left -= not self.policies
            named = {"policyNames": ["old"]} if self.left else None
            return Response(200, [{"name": "a"}, {"name": "images", "cleanup": named}])
        return Response(200, self.policies)


@pytest.mark.parametrize(
    ("names", "policies", "declared", "refused"),
    [
        (["old"], 200, [], ""),
        (["older", "old"], 200, [], "cleanup_policy_names: older is not on the server. Did you mean old?"),
        (["new"], 200, ["new"], ""),
        (["older"], 404, [], ""),
        (["older"], 403, [], ""),
    ],
    ids=["there", "unknown", "of this run", "no list", "list is not permitted"],
)
def test_unknown_policy_is_refused(
    names: list[str], policies: int, declared: list[str], refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nexus 3.71 stores a name that no policy has. No component would ever be deleted."""
    monkeypatch.setattr(NexusProvider, "run", Run())
    stored: list[dict[str, Any]] = []

    def script(request: Request) -> Response:
        path = request.path.removeprefix("/service/rest").partition("?")[0]
        if path.endswith("/cleanup-policies"):
            return Response(policies, [{"name": "old", "format": "docker"}])
        if path == "/v1/repositories":
            return Response(200, [])
        if request.method == "DELETE":
            stored.clear()
        elif request.method == "POST":
            stored.append(json.loads(request.body))
            return Response(201)
        return Response(200, stored[0]) if stored else Response(404, [])

    with serve(script) as fake:
        connection = {**CONNECTION, "url": fake.url}
        for name in declared:
            key = ("cleanup policy", fake.url, name)
            NexusProvider.run.declare(f"urn:pulumi:a::b::c::{name}", key, {})
        given = {"name": "images", "cleanup_policy_names": names, "connection": connection}
        inputs = REPOSITORY.check({}, {**given, "probe_connectors": False}).inputs
        if refused:
            with pytest.raises(Refused) as caught:
                REPOSITORY.create(inputs)
            assert f"'images': {refused}" in str(caught.value)
        else:
            REPOSITORY.create(inputs)
    assert bool(stored) is not bool(refused)


def test_stored_name_of_unknown_policy_is_no_reason_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    """An adoption writes nothing, and an update of something else keeps the name."""
    monkeypatch.setattr(NexusProvider, "run", Run())
    repository: Any = REPOSITORY
    given: dict[str, Any] = {
        "name": "images",
        "cleanup_policy_names": ["gone"],
        "probe_connectors": False,
        "adopt": True,
    }
    stored: list[dict[str, Any]] = []
    writes: list[str] = []

    def script(request: Request) -> Response:
        if request.path.removeprefix("/service/rest").endswith("/cleanup-policies"):
            return Response(200, [])
        if request.method == "PUT":
            writes.append(request.method)
            stored[0].update(json.loads(request.body))
            return Response(204)
        return Response(200, stored[0]) if request.method == "GET" and stored else Response(404, [])

    with serve(script) as fake:
        given["connection"] = {**CONNECTION, "url": fake.url}
        inputs = repository.check({}, dict(given)).inputs
        stored.append(repository.to_body(inputs))
        state = repository.create(inputs).outs
        assert not writes
        offline = repository.check(state, {**given, "online": False}).inputs
        state = repository.update("images", state, offline).outs
        assert (len(writes), stored[0]["online"]) == (1, False)
        more = repository.check(state, {**given, "cleanup_policy_names": ["gone", "other"]}).inputs
        with pytest.raises(Refused, match="cleanup_policy_names: other is not on the server"):
            repository.update("images", state, more)
        assert len(writes) == 1


def test_delete_waits_until_no_repository_names_the_policy(waits: list[str]) -> None:
    """A repository that is written earlier would lose a new policy of the same name."""
    with serve(Nexus()) as fake:
        connection = {**CONNECTION, "url": fake.url}
        CleanupPolicyProvider().delete("old", {**POLICY, "connection": connection})
        assert fake.script.left == 0  # type: ignore[attr-defined]
    assert waits[0].endswith("cleanup policy 'old' is deleted, and repository images still has it")


def test_policies_are_deleted_one_after_the_other() -> None:
    """Nexus writes each repository without a lock: of two deletions at once, one puts the other's policy back."""
    left = ["a", "b", "c"]
    overlapped: list[str] = []

    def script(request: Request) -> Response:
        path, _, name = request.path.removeprefix("/service/rest").rpartition("/")
        if request.method == "DELETE":
            overlapped.extend(one for one in left if one.isupper())
            left[left.index(name)] = name.upper()  # deleted, and still in the repository
            return Response(204)
        if path == "/v1":
            time.sleep(0.05)
            listed = [{"name": "images", "cleanup": {"policyNames": [one.lower() for one in left]}}]
            left[:] = [one for one in left if not one.isupper()]
            return Response(200, listed)
        return Response(200, [{"name": one, "format": "docker"} for one in left])

    def delete(name: str) -> None:
        CleanupPolicyProvider().delete(name, {**POLICY, "name": name, "connection": connection})

    with serve(script) as fake, ThreadPoolExecutor(3) as pool:
        connection: Connection = {"url": fake.url, "username": "admin", "password": "pw"}
        client_for(connection).login()
        list(pool.map(delete, "abc"))
    assert (left, overlapped) == ([], [])


def test_repository_is_written_again_with_replaced_policy() -> None:
    first = CleanupPolicyProvider().check({}, POLICY).inputs
    again = CleanupPolicyProvider().check({}, POLICY).inputs
    olds = REPOSITORY.check({}, {**USES_IT, "incarnations": [first["incarnation"]]}).inputs
    news = REPOSITORY.check(olds, {**USES_IT, "incarnations": [again["incarnation"]]}).inputs
    assert REPOSITORY.diff("images", olds, news).changes


def test_state_without_incarnation_writes_nothing() -> None:
    """A policy of such a state gets its mark without a request, and its repositories do not change."""
    provider = CleanupPolicyProvider()
    olds = {name: value for name, value in provider.check({}, POLICY).inputs.items() if name != "incarnation"}
    news = provider.check(olds, POLICY).inputs
    assert (provider.update("old", olds, news).outs or {})["incarnation"] == news["incarnation"]
    assert provider.check(news, POLICY).inputs == news
    repository = REPOSITORY.check({}, USES_IT).inputs
    del repository["incarnations"]
    checked = REPOSITORY.check(repository, {**USES_IT, "incarnations": [news["incarnation"]]}).inputs
    assert not REPOSITORY.diff("images", repository, checked).changes
    assert provider.check({}, POLICY).inputs["incarnation"] != news["incarnation"]


@pytest.mark.usefixtures("sdk")
def test_policy_without_incarnation_gives_its_repository_none() -> None:
    """With ``--target`` on the repository, the policy of a state that is older has no mark yet."""
    made: dict[str, Any] = {}

    class Recorder(pulumi.runtime.Mocks):
        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
            made[args.name] = args.inputs
            return args.name, {name: value for name, value in args.inputs.items() if name != "incarnation"}

        def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], None]:
            return {}, None

    def program() -> None:
        policy = CleanupPolicy("policy", name="old", format="docker", criteria_last_downloaded=30)
        DockerHostedRepository("images", name="images", cleanup_policy_names=[policy.name])

    pulumi.runtime.set_mocks(Recorder(), preview=False)
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    assert made["images"]["incarnations"] == []
