"""A property is declared once, and everything follows from that line."""

from __future__ import annotations

import base64
import inspect
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from nexus_registry.providers.client import Connection
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.declaration import declaration, texts
from nexus_registry.providers.declare import DeclaredResource, ListProp, NexusResource, Prop, PropertyGroup, prop
from nexus_registry.providers.schema import (
    PROVIDER_KEY,
    boolean,
    differences,
    normalised,
    outdated_names,
    text,
)
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs, Mocks

from sandbox.paths import PROJECT

from ..contract.tracked import Tracked
from . import declared
from .declared import RawHostedRepository, RawProxyRepository, Role
from .fake import FakeServer, serve
from .stored import Stored

HERE = sys.modules[__name__]
untyped: Any = declared
SERVER: Connection = {"url": "https://nexus.example.com", "username": "admin", "password": "pw"}


class Engine(Mocks):
    """Keeps the registrations and returns what a create would: the inputs and the outputs that are no inputs."""

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.requests: dict[str, Any] = {}

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[Any, Any]]:
        self.inputs[args.name] = dict(args.inputs)
        return args.name, {**args.inputs, "url": "https://nexus.example.com/raw", "token": "made"}

    def call(self, args: Any) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


class Registrations(MockMonitor):
    mocks: Engine

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the SDK's name
        self.mocks.requests[request.name] = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


async def program(engine: Engine) -> dict[str, Any]:
    pulumi.runtime.set_mocks(engine, preview=False, monitor=Registrations(engine))
    role = Role("role", role_id="pull", privileges=["b", "a"], connection=SERVER)
    other = Role("other", role_id="push", roles=[role.role_id])
    proxy = RawProxyRepository(
        "proxy", name="raw", remote_url="https://a", max_age=5, password="canary", labels={"role": other.role_id}
    )
    outputs = {
        "role_id": role.role_id,
        "id": role.id,
        "roles": other.roles,
        "max_age": proxy.max_age,
        "labels": proxy.labels,
        "url": proxy.url,
        "not given": proxy.username,
    }
    secret = {name: await getattr(proxy, name).is_secret() for name in ("password", "url")}
    return {**{name: await output.future() for name, output in outputs.items()}, "secret": secret}


def test_declared_resource_registers_with_sdk(sdk: Any) -> None:
    engine = Engine()
    read = sdk.run_until_complete(program(engine))
    assert read.pop("secret") == {"password": True, "url": False}
    assert type(read["max_age"]) is int, "the wire makes a float of it"
    assert read == {
        "role_id": "pull",
        "id": "role",
        "roles": ["pull"],
        "max_age": 5,
        "labels": {"role": "push"},
        "url": "https://nexus.example.com/raw",
        "not given": None,
    }
    request = engine.requests["proxy"]
    assert request.type == "pulumi-python:dynamic/nexus:RawProxyRepository"
    assert engine.requests["role"].type == "pulumi-python:dynamic/nexus:Role"
    assert set(request.additionalSecretOutputs) == {"password", "connection", "token"}
    given_inputs = {"name", "remote_url", "max_age", "password", "labels", PROVIDER_KEY}
    assert {name for name, value in engine.inputs["proxy"].items() if value is not None} == given_inputs


@pytest.mark.parametrize("kind", [Role, RawHostedRepository, RawProxyRepository], ids=lambda one: one.__name__)
def test_provider_is_found_by_name_in_another_process(kind: type[DeclaredResource]) -> None:
    from pulumi.dynamic.dynamic import serialize_provider

    pickled = serialize_provider(kind.provider_class())
    assert len(base64.b64decode(pickled)) < 120, "it was pickled by value"
    code = (
        "import base64, dill, sys; provider = dill.loads(base64.b64decode(sys.argv[1])); "
        "print(type(provider).__qualname__, provider.kind, *provider.schema)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, pickled], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    provider = kind.provider_class
    assert done.stdout.split() == [f"{kind.__name__}Provider", *provider.kind.split(), *provider.schema]


def test_provider_class_is_created_in_module() -> None:
    assert Role.provider_class is declared.RoleProvider
    made: Any = vars(declared)["RawHostedRepositoryProvider"]
    assert made is untyped.RawHostedRepository.provider_class
    assert (made.__module__, made.kind, made.collection) == (
        declared.__name__,
        "raw hosted repository",
        "/v1/repositories/raw/hosted",
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: untyped.Role("x"), "Role: role_id: is missing. Give it a value."),
        (
            lambda: untyped.Role("x", role_id="a", descripton="b"),
            "descripton: is not an argument. Did you mean description?",
        ),
        (lambda: untyped.Role("x", id="a"), "id: is not an argument. It is called role_id now"),
        (lambda: untyped.Role("x", role_id="a", incarnation="b"), "incarnation: is not an argument."),
        (lambda: untyped.Role("x", "a"), "positional"),
        (lambda: declared.Repository("x", name="a"), "Repository is a base class of resources"),
    ],
    ids=["missing", "misspelt", "renamed", "computed", "positional", "abstract"],
)
def test_constructor_refuses_wrong_arguments(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(TypeError) as refused:
        make()
    assert message in str(refused.value)


def test_constructor_shows_its_arguments() -> None:
    shown = str(inspect.signature(RawHostedRepository)).replace("'", "")
    assert shown.startswith(
        "(resource_name: str, *, name: Input[str], content_disposition: Input[str] = ATTACHMENT,"
    )


class OtherProvider(NexusProvider):
    pass


def _base(**body: Any) -> Callable[..., Any]:
    annotations = dict.fromkeys(body, "Prop[str]")
    return lambda *bases, **arguments: type(
        "Kind",
        bases or (NexusResource,),
        {"__module__": __name__, "__annotations__": annotations, **body},
        **arguments,
    )


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: _base(id=prop(text()))(), "Kind.id: is the name of something else"),
        (lambda: _base(urn=prop(text()))(), "Kind.urn: is the name of something else"),
        (lambda: _base(x=prop(text(), path="a"), y=prop(text(), path="a"))(), "Kind.y: its path a is that of x"),
        (lambda: _base(x=prop(text(), renamed_from="adopt"))(), "Kind.x: adopt is another property's name now"),
        (lambda: _base(x=prop(boolean, default="yes"))(), "x: its default must be true or false"),
        (lambda: _base(x=prop(text(), local=True, path="a"))(), "x: is local and has a path"),
        (lambda: _base(x=Prop(None))(), "x: has no check"),
        (lambda: _base()(formt="raw"), "formt: KindProvider has no such setting"),
        (lambda: _base()(kin="raw"), "Did you mean kind"),
        (lambda: _base()(provider=Role.provider_class), "is of another module"),
        (lambda: type("Other", (NexusResource,), {"__module__": __name__}), "Pass it as provider=OtherProvider"),
        (
            lambda: _base(x=prop(text(), path="a.b"))(PropertyGroup, NexusResource, optional="a"),
            "Kind.x: has no default in an optional group",
        ),
        (
            lambda: _base(x=prop(text(), path="a.b", default=None))(
                PropertyGroup, NexusResource, optional="a", requires=("y",)
            ),
            "requires: y is not below a",
        ),
    ],
)
def test_wrong_declaration_is_refused_where_it_stands(declare: Callable[[], Any], message: str) -> None:
    vars(HERE).pop("KindProvider", None)
    with pytest.raises((TypeError, RuntimeError)) as refused:
        declare()
    assert message in str(refused.value.__cause__ or refused.value)  # Python 3.10 and 3.11 wrap it


OLD = {"id": "push", "name": "push", "description": "", "privileges": ["a"], "roles": [], "incarnation": "0f"}
NEW = {"role_id": "push", "privileges": ["a"]}


def test_renamed_property_is_read_from_old_states() -> None:
    provider = Role.provider_class()
    result = provider.check(OLD, {**NEW, "connection": SERVER})
    assert not result.failures
    assert result.inputs["incarnation"] == "0f"
    assert differences(provider.schema, {**OLD, "connection": SERVER}, result.inputs) == []
    diff = provider.diff("push", {**OLD, "connection": SERVER}, {**result.inputs, "role_id": "pull"})
    assert diff.replaces == ["role_id"]
    assert outdated_names(provider.schema, OLD) == ["id"]
    assert outdated_names(provider.schema, NEW) == []
    kept = normalised(provider.schema, {**OLD, "__provider": "x", "more": 1})
    assert kept["role_id"] == "push"
    assert "id" not in kept
    assert kept["more"] == 1
    both = normalised(provider.schema, {"id": "old", "role_id": "new"})
    assert both["role_id"] == "new"


def tracked_role(fake: FakeServer) -> Tracked:
    return Tracked(declared.RoleProvider(), {"url": fake.url, "username": "admin", "password": "pw"})


def test_old_state_is_updated_read_and_deleted_without_write() -> None:
    with serve(Stored()) as fake:
        tracked = tracked_role(fake)
        assert tracked.up(**NEW) == "create"
        state = {**(tracked.outs or {})}
        state["id"] = state.pop("role_id")
        fake.requests.clear()
        update = tracked.provider.update("push", state, dict(tracked.inputs or {}))
        assert fake.requests == []
        assert update.outs == tracked.outs
        read = tracked.provider.read("push", state)
        assert (read.id, read.outs) == ("push", tracked.outs)
        tracked.provider.delete("push", state)
        assert {one.method for one in fake.requests} == {"GET", "DELETE"}


def test_role_is_created_changed_and_restored_by_its_declaration() -> None:
    with serve(Stored()) as fake:
        tracked = tracked_role(fake)
        assert tracked.up(role_id="push", privileges=["b", "a"]) == "create"
        assert tracked.refresh() == "same"
        assert tracked.up(role_id="push", privileges=["a"], description="x") == "update"
        assert tracked.refresh() == "same"
        assert tracked.up(role_id="pull") == "replace"
        assert tracked.up(role_id="pull") == "same"


def test_declaration_is_data_with_every_text() -> None:
    known = declaration(RawProxyRepository)
    assert known["type"] == "pulumi-python:dynamic/nexus:RawProxyRepository"
    assert (known["since"], known["edition"]) == ("3.20", "pro")
    assert known["groups"][0]["path"] == "httpClient.authentication"
    preemptive = known["properties"]["preemptive"]
    assert preemptive.items() >= {
        "input": "bool", "default": False, "required": False, "since": "3.80", "edition": "pro", "secret": False,
        "path": "httpClient.authentication.preemptive",
        "text": "Log in before being asked to.",
    }.items()  # fmt: skip
    assert known["properties"]["url"]["input"] == ""
    roles = declaration(Role)["properties"]["roles"]
    assert (roles["input"], roles["output"]) == ("Sequence[Input[str]]", "list[str]")
    assert (roles["refers"], roles["text"]) == ("Role", "Ids of the roles\nthat it contains.")


def test_line_without_its_text_is_found() -> None:
    class Bare(PropertyGroup):
        """A group."""

        first: Prop[str] = prop(text(empty=True), default="")
        second: ListProp[str] = prop(text(empty=True), default="")
        """Only this has one."""

    assert texts(Bare) == {"second": "Only this has one."}
