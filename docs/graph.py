"""Draws the resources of a stack: ``python -m docs.graph`` writes the diagram in docs/architecture.md anew.

The program runs without an engine. What each resource depends on is what the SDK says when it registers it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
from nexus_registry.components import DockerRegistry, DockerRegistryArgs, NexusServer, NexusServerArgs
from pulumi.runtime.mocks import MockMonitor
from pulumi_command import remote

PAGE = Path(__file__).parent / "architecture.md"
_DIAGRAM = re.compile(r"(?<=## Order of resources\n\n)```mermaid\n.*?```\n", re.DOTALL)

Graph = dict[str, set[str]]
"""What each resource depends on, both as ``type::name``."""


class _Outputs(pulumi.runtime.Mocks):
    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return args.name, {"fingerprint": "ab" * 32, "content": "UEsx", **args.inputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise NotImplementedError(args.token)


class _Registrations(MockMonitor):
    """Records the dependencies of each resource."""

    def __init__(self) -> None:
        super().__init__(_Outputs())
        self.graph: Graph = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the base's name
        if request.custom and request.type != "pulumi:pulumi:Stack":
            self.graph[_short(f"{request.type}::{request.name}")] = {_short(urn) for urn in request.dependencies}
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def stack() -> None:
    """A server and a registry with a user, as in the dev stack."""
    secrets: Any = dict.fromkeys(("admin_password", "certificate", "private_key", "keystore_password"), "secret")
    host = remote.ConnectionArgs(host="registry.example.com")
    server = NexusServer(
        "nexus",
        NexusServerArgs(ssh=host, version="3.82.0-08", archive_sha256="a" * 64, accept_eula=True, **secrets),
    )
    DockerRegistry("registry", DockerRegistryArgs(server=server, https_port=5000, pushers={"ci": "password"}))


def registered(program: Callable[[], None] = stack) -> Graph:
    """The custom resources of a program."""
    monitor = _Registrations()
    pulumi.runtime.set_mocks(_Outputs(), project="docs", preview=False, monitor=monitor)
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    return {name: needs & monitor.graph.keys() for name, needs in monitor.graph.items()}


def reduced(graph: Mapping[str, set[str]]) -> Graph:
    """The graph without what follows from the rest: a resource waits for what those wait for that it waits for."""

    def reach(name: str) -> set[str]:
        return set(graph[name]).union(*(reach(needed) for needed in graph[name]))

    return {name: needs - set().union(*(reach(needed) for needed in needs)) for name, needs in graph.items()}


def diagram(graph: Graph) -> str:
    """A flowchart, from what is first to what is last."""
    return "```mermaid\nflowchart TB\n" + "".join(f"    {line}\n" for line in _lines(reduced(graph))) + "```\n"


def page(text: str, graph: Graph) -> str:
    """The page with the diagram of this graph."""
    return _DIAGRAM.sub(lambda _: diagram(graph), text)


def _lines(graph: Graph) -> Iterator[str]:
    def depth(name: str) -> int:
        return 1 + max(map(depth, graph[name]), default=0)

    names = sorted(graph, key=lambda name: (depth(name), name))
    for name in names:
        yield f'{_node(name)}["{_label(name)}"]'
    for name in names:
        for needed in sorted(graph[name]):
            yield f"{_node(needed)} --> {_node(name)}"


def _short(urn: str) -> str:
    kind, name = urn.split("::")[-2:]
    return f"{kind.split('$')[-1]}::{name}"


def _node(name: str) -> str:
    return re.sub(r"\W+", "_", name.split("::")[1])


def _label(name: str) -> str:
    kind, short = name.split("::")
    return f"step {short.split('-')[1]}" if kind.endswith(":Command") else kind.split(":")[-1]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(), registered()))
