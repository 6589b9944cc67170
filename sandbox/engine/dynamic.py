"""Dynamic resources: the SDK's own host of their providers, started and called over gRPC as the CLI does."""

import base64
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from ..values import Props, UserError, annotate, plain
from .state import Resource


class Host(Protocol):
    """A process that serves providers."""

    @property
    def stdout(self) -> Iterable[str] | None:
        """Its output, which begins with its port."""

    def terminate(self) -> None:
        """End it."""


def start_host(program: Path, env: Mapping[str, str]) -> Host:
    """Start the SDK's host of a program's dynamic providers."""
    argv, out, err = [sys.executable, "-u", "-m", "pulumi.dynamic", "x"], subprocess.PIPE, subprocess.STDOUT
    return subprocess.Popen(argv, cwd=program, env=env, text=True, stdout=out, stderr=err)


class DynamicProvider:
    """The host of a stack's dynamic resources. Secrets are sent in plain text and marked in the response."""

    def __init__(self, program: Path, project: str, config: Props, say: Callable[[str], str]) -> None:
        self.config = config
        self.host = start_host(program, os.environ | {"PULUMI_PROJECT": project, "PULUMI_CONFIG": "{}"})
        lines = self.host.stdout or ()
        port = next((line.strip() for line in lines if line.strip().isdecimal() or not say(line)), "")
        threading.Thread(target=lambda: [say(line) for line in lines], daemon=True).start()
        self._stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
        self._call("Configure", args=config)

    def _call(self, method: str, **fields: Any) -> Any:
        request = ParseDict(plain(fields), getattr(provider_pb2, f"{method}Request")())
        try:
            return getattr(self._stub, method)(request)
        except grpc.RpcError as error:
            raise UserError(str(error.details())) from None

    def check(self, goal: Resource, olds: Props, news: Props, seed: bytes) -> tuple[Props, list[tuple[str, str]]]:
        """The checked inputs and the failures."""
        random = base64.b64encode(seed).decode()
        answer = self._call("Check", **_named(goal), olds=olds, news=news, randomSeed=random)
        return annotate(MessageToDict(answer.inputs), news), [(it.property, it.reason) for it in answer.failures]

    def diff(self, urn: str, old: Resource, news: Props) -> tuple[bool | None, bool, bool]:
        """Changed (None: compare the inputs), to be replaced, to be deleted first."""
        known = {"id": old.id, "olds": old.outputs, "oldInputs": old.inputs}
        answer = self._call("Diff", **_named(old, urn), **known, news=news)
        changes = {answer.DIFF_SOME: True, answer.DIFF_NONE: False}.get(answer.changes)
        return changes, bool(answer.replaces), answer.deleteBeforeReplace

    def preview(self, goal: Resource) -> Props:
        """The host has no previews: the inputs stand for the outputs, and what is not among them is unknown."""
        return dict(goal.inputs)

    def apply(self, kind: str, old: Resource, goal: Resource) -> None:
        """Create, update or delete."""
        if kind == "delete":
            self._call("Delete", **_named(old), id=old.id, properties=old.outputs, oldInputs=old.inputs)
            return
        if kind == "update":
            known = {"id": old.id, "olds": old.outputs, "oldInputs": old.inputs}
            answer = self._call("Update", **_named(goal), **known, news=goal.inputs)
        else:
            answer = self._call("Create", **_named(goal), properties=goal.inputs)
        goal.id, goal.outputs = goal.id or answer.id, annotate(MessageToDict(answer.properties), goal.inputs)
        if not goal.id:
            raise UserError(f"plugin returned empty resource.ID from create '{goal.urn}'")

    def read(self, old: Resource) -> bool:
        """Read the resource; returns whether it exists."""
        answer = self._call("Read", **_named(old), id=old.id, properties=old.outputs, inputs=old.inputs)
        if answer.id:
            old.id, old.outputs = answer.id, annotate(MessageToDict(answer.properties), old.outputs)
        if answer.HasField("inputs"):
            old.inputs = annotate(MessageToDict(answer.inputs), old.inputs)
        return bool(answer.id)


def _named(resource: Resource, urn: str = "") -> dict[str, str]:
    """The fields of a request that identify the resource."""
    urn = urn or resource.urn
    return {"urn": urn, "name": urn.rpartition("::")[2], "type": resource.type}
