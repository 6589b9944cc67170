"""Components of a program in a test, and the mocks of the engine that registers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
from nexus_registry.components import DockerRegistry, DockerRegistryArgs, NexusServer, NexusServerArgs
from pulumi.runtime.rpc import unwrap_rpc_secret
from pulumi_command import remote

NO_PEMS = {"certificate": None, "private_key": None}
ON_HOST = {**NO_PEMS, "certificate_path": "/etc/ssl/nexus.pem", "private_key_path": "/etc/ssl/nexus.key"}
SSH = remote.ConnectionArgs(host="registry.example.com")


class Preview(pulumi.runtime.Mocks):
    """The mocks of a preview: outputs are the inputs, everything else is unknown."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return args.name, args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


class Recorder(pulumi.runtime.Mocks):
    """Keeps the inputs of every resource by type and name; ids and outputs are as after an ``up``."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, str], dict[str, Any]] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        kind = args.typ.rpartition(":")[2]
        assert (kind, args.name) not in self.made, "two resources with one name"
        inputs = {key: unwrap_rpc_secret(value) for key, value in args.inputs.items()}
        self.made[kind, args.name] = inputs
        outputs = {"fingerprint": "ab" * 32, "content": "UEsx", "incarnation": f"token of {args.name}"}
        return str(inputs.get("id") or inputs.get("name") or args.name), {**outputs, **args.inputs}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


Made = dict[tuple[str, str], dict[str, Any]]


def registered(program: Callable[[], Any], project: str = "consumer") -> Made:
    """What a program registers, by type and name."""
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder, project=project, preview=False)
    pulumi.runtime.test(lambda: (program(), None)[1])()  # type: ignore[no-untyped-call]
    return recorder.made


def server(name: str = "nexus", **changes: Any) -> NexusServer:
    desired: dict[str, Any] = {
        "ssh": SSH,
        "version": "3.71.0-06",
        "archive_sha256": "a" * 64,
        "admin_password": "pw",
        "private_key": "key",
        "certificate": "certificate",
        "keystore_password": "secret",
    }
    return NexusServer(name, NexusServerArgs(**{**desired, **changes}))


def registry(name: str = "registry", **changes: Any) -> DockerRegistry:
    desired = {"https_port": 5000, "pushers": {"ci": "pw"}}
    return DockerRegistry(name, DockerRegistryArgs(**{**desired, **changes}))
