"""What an exported stack holds: its resources, and the host steps as they were sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..components.host.sent import SentStep
from .command import CommandError

_MARK = "4dabf18193072939515e22adb298388d"
"""How Pulumi marks what is no plain value, in files and on the wire."""
_COMMAND = "command:remote:Command"


class Unreadable(CommandError):
    """The state is not that of a stack with a server. The text names the reason and the remedy."""


@dataclass(frozen=True)
class Step:
    """A host step of the stack: its resource's name, how to reach the host, and what was sent to it."""

    name: str
    connection: Mapping[str, Any] = field(repr=False)
    sent: SentStep

    @property
    def host(self) -> str:
        return str(self.connection["host"])

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of its SSH server."""
        return self.host, int(self.connection.get("port") or 22)


def resources_in(export: Any, flag: str = "--state") -> list[dict[str, Any]]:
    """The resources of an exported stack, as they stand there; raises :class:`Unreadable`, naming the flag."""
    deployment = export.get("deployment", export) if isinstance(export, dict) else None
    if isinstance(deployment, dict) and {"manifest", "resources"} & set(deployment):
        resources = deployment.get("resources") or []
        if isinstance(resources, list) and all(map(_is_resource, resources)):
            return resources
    raise Unreadable(f"{flag}: this is not an exported stack. Give what `pulumi stack export` prints.")


def _is_resource(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and all(isinstance(one.get(key), str) for key in ("urn", "type"))
        and all(isinstance(one.get(side) or {}, dict) for side in ("inputs", "outputs"))
    )


def steps_in(export: Any) -> list[Step]:
    """The host steps of an exported stack, in its order; raises :class:`Unreadable`."""
    steps = []
    for resource in resources_in(export):
        if resource.get("type") != _COMMAND or resource.get("delete"):
            continue
        inputs = plain(resource.get("inputs", {}))
        sent = SentStep.read(str(inputs.get("create", "")), str(inputs.get("stdin", "")))
        if sent:
            steps.append(Step(resource["urn"].rpartition("::")[2], inputs["connection"], sent))
    if not steps:
        raise Unreadable(
            "--stack: there is no host step of nexus-registry in this stack. Name another one, or run pulumi up "
            "once if an older version made it"
        )
    return steps


def plain(value: Any) -> Any:
    """A property's value with its secrets in the clear."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _MARK not in value:
        return {key: plain(item) for key, item in value.items()}
    if "plaintext" in value:
        return plain(json.loads(value["plaintext"]))
    if "value" in value:
        return plain(value["value"])
    raise Unreadable("--state: its secrets are encrypted. Export it with --show-secrets")


def hidden(value: Any) -> Any:
    """A property's value with ``[secret]`` in place of its secrets, whether they are encrypted or not."""
    if isinstance(value, list):
        return [hidden(item) for item in value]
    if not isinstance(value, dict):
        return value
    return "[secret]" if _MARK in value else {key: hidden(item) for key, item in value.items()}
