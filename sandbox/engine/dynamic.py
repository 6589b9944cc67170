"""Dynamic resources: the SDK's own provider host, started and called over gRPC as the CLI does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from .state import Resource
from .values import EngineError, Props, annotate, from_struct, plain, to_struct


class Diff(NamedTuple):
    """What a provider thinks of a change; with ``changes=None`` the engine compares the inputs itself."""

    changes: bool | None
    replaces: bool = False
    delete_before_replace: bool = False


class DynamicProvider:
    """The host of all dynamic resources of a stack. It knows no secrets: they go in plain and are marked again."""

    def __init__(self, program: Path, project: str, config: Props, say: Callable[[str], None]) -> None:
        self.config = config
        self._host = subprocess.Popen(
            [sys.executable, "-u", "-m", "pulumi.dynamic", "127.0.0.1:0"],
            cwd=program,
            env=os.environ | {"PULUMI_PROJECT": project, "PULUMI_CONFIG": "{}"},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output = self._host.stdout or ()
        port = next((line.strip() for line in output if line.strip().isdecimal()), None)
        if not port:
            raise EngineError("the host of the dynamic providers didn't start")
        threading.Thread(target=lambda: [say(line) for line in output], daemon=True).start()
        options = [(f"grpc.max_{way}_message_length", -1) for way in ("send", "receive")]
        self._stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}", options))
        self._call("Configure", args=to_struct(config))

    def close(self) -> None:
        self._host.terminate()
        self._host.wait()

    def _call(self, method: str, **fields: Any) -> Any:
        values = {
            key: to_struct(plain(value)) if isinstance(value, dict) else value for key, value in fields.items()
        }
        try:
            return getattr(self._stub, method)(getattr(provider_pb2, f"{method}Request")(**values))
        except grpc.RpcError as error:
            raise EngineError(str(error.details())) from None

    def check(self, olds: Props, news: Props) -> tuple[Props, list[tuple[str, str]]]:
        answer = self._call("Check", olds=olds, news=news)
        return annotate(from_struct(answer.inputs), news), [(one.property, one.reason) for one in answer.failures]

    def diff(self, old: Resource, news: Props) -> Diff:
        answer = self._call("Diff", id=old.id, olds=old.outputs, news=news, old_inputs=old.inputs)
        changes = {answer.DIFF_SOME: True, answer.DIFF_NONE: False}.get(answer.changes)
        return Diff(changes, bool(answer.replaces), answer.deleteBeforeReplace)

    def preview(self, goal: Resource) -> Props:
        """The host has no previews, so the inputs stand for the outputs, and what is not among them is unknown."""
        return dict(goal.inputs)

    def create(self, goal: Resource) -> tuple[str, Props]:
        answer = self._call("Create", properties=goal.inputs)
        if not answer.id:
            raise EngineError(f"plugin returned empty resource.ID from create '{goal.urn}'")
        return answer.id, annotate(from_struct(answer.properties), goal.inputs)

    def update(self, old: Resource, goal: Resource) -> Props:
        answer = self._call("Update", id=old.id, olds=old.outputs, news=goal.inputs, old_inputs=old.inputs)
        return annotate(from_struct(answer.properties), goal.inputs)

    def read(self, old: Resource) -> tuple[str, Props, Props]:
        """Id (none when it is gone), outputs and inputs as they are now."""
        answer = self._call("Read", id=old.id, properties=old.outputs, inputs=old.inputs)
        inputs = annotate(from_struct(answer.inputs), old.inputs) if answer.HasField("inputs") else old.inputs
        return answer.id, annotate(from_struct(answer.properties), old.outputs), inputs

    def delete(self, old: Resource) -> None:
        self._call("Delete", id=old.id, properties=old.outputs)
