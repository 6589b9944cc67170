"""Dynamic resources: the SDK's own provider host, started and called over gRPC as the CLI does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import grpc
from pulumi.runtime.proto import provider_pb2 as wire
from pulumi.runtime.proto import provider_pb2_grpc

from .state import Resource
from .values import EngineError, Props, annotate, from_struct, plain, to_struct


class Diff(NamedTuple):
    """What a provider thinks of a change; ``changes`` is None where it leaves that to the engine."""

    changes: bool | None
    replaces: bool = False
    delete_before_replace: bool = False


class Provider(Protocol):
    """What the engine asks of whoever manages a kind of resource. Values go in and come back with their markers."""

    def check(self, goal: Resource, olds: Props, news: Props) -> tuple[Props, list[tuple[str, str]]]: ...
    def diff(self, old: Resource, news: Props) -> Diff: ...
    def preview(self, goal: Resource, old: Resource | None) -> Props: ...
    def create(self, goal: Resource) -> tuple[str, Props]: ...
    def update(self, old: Resource, goal: Resource) -> Props: ...
    def read(self, old: Resource) -> tuple[str, Props, Props | None]: ...
    def delete(self, old: Resource) -> None: ...


def _struct(props: Props) -> Any:
    return to_struct(plain(props))


class DynamicProvider:
    """The host of all dynamic resources of a stack. It speaks no secrets: they go in plain and are marked again."""

    def __init__(self, program: Path, project: str, config: Props, say: Callable[[str], None]) -> None:
        self.config = config
        env = os.environ | {"PULUMI_PROJECT": project, "PULUMI_CONFIG": "{}"}
        self._host = subprocess.Popen(
            [sys.executable, "-u", "-m", "pulumi.dynamic", "127.0.0.1:0"],
            cwd=program,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._host.stdout and self._host.stderr
        threading.Thread(target=lambda: [*map(say, self._host.stderr or [])], daemon=True).start()
        port = self._host.stdout.readline().strip()
        if not port:
            raise EngineError("the host of the dynamic providers didn't start")
        threading.Thread(target=lambda: [*map(say, self._host.stdout or [])], daemon=True).start()
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=options)
        self._stub = provider_pb2_grpc.ResourceProviderStub(channel)
        self._stub.Configure(wire.ConfigureRequest(args=to_struct(config)))

    def close(self) -> None:
        """End the host."""
        self._host.terminate()
        self._host.wait()

    def check(self, goal: Resource, olds: Props, news: Props) -> tuple[Props, list[tuple[str, str]]]:
        """The checked inputs, and what is wrong with which property."""
        request = wire.CheckRequest(urn=goal.urn, olds=_struct(olds), news=_struct(news))
        answer = self._stub.Check(request)
        failures = [(failure.property, failure.reason) for failure in answer.failures]
        return annotate(from_struct(answer.inputs), news), failures

    def diff(self, old: Resource, news: Props) -> Diff:
        """Old outputs against new inputs."""
        request = wire.DiffRequest(
            id=old.id, urn=old.urn, olds=_struct(old.outputs), news=_struct(news), old_inputs=_struct(old.inputs)
        )
        answer = self._stub.Diff(request)
        changes = {wire.DiffResponse.DIFF_SOME: True, wire.DiffResponse.DIFF_NONE: False}.get(answer.changes)
        return Diff(changes, bool(answer.replaces), answer.deleteBeforeReplace)

    def preview(self, goal: Resource, old: Resource | None) -> Props:
        """The host knows no previews, so the inputs stand for the outputs."""
        return dict(goal.inputs)

    def create(self, goal: Resource) -> tuple[str, Props]:
        """The new object's id and outputs."""
        answer = self._stub.Create(wire.CreateRequest(urn=goal.urn, properties=_struct(goal.inputs)))
        if not answer.id:
            raise EngineError(f"plugin returned empty resource.ID from create '{goal.urn}'")
        return answer.id, annotate(from_struct(answer.properties), goal.inputs)

    def update(self, old: Resource, goal: Resource) -> Props:
        """The outputs after the update."""
        request = wire.UpdateRequest(
            id=old.id, urn=goal.urn, olds=_struct(old.outputs), news=_struct(goal.inputs), old_inputs=_struct(old.inputs)
        )
        return annotate(from_struct(self._stub.Update(request).properties), goal.inputs)

    def read(self, old: Resource) -> tuple[str, Props, Props | None]:
        """Id (empty when it is gone), outputs and, where the provider gives them, inputs as they are now."""
        request = wire.ReadRequest(
            id=old.id, urn=old.urn, properties=_struct(old.outputs), inputs=_struct(old.inputs)
        )
        answer = self._stub.Read(request)
        inputs = annotate(from_struct(answer.inputs), old.inputs) if answer.HasField("inputs") else None
        return answer.id, annotate(from_struct(answer.properties), old.outputs), inputs

    def delete(self, old: Resource) -> None:
        """With the outputs, by the provider pickled in them."""
        self._stub.Delete(wire.DeleteRequest(id=old.id, urn=old.urn, properties=_struct(old.outputs)))
