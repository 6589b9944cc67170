"""What an exported stack holds: its resources, and host steps with command lines, secrets and connections.

A step's command line and standard input are in the state as they ran (components/host/steps.py); which step it was
stands in the first comment of its file.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .command import CommandError

_MARK = "4dabf18193072939515e22adb298388d"
"""How Pulumi marks what is no plain value, in files and on the wire."""
_COMMAND = "command:remote:Command"
_START = 'step "$@" </dev/null\n'
_SECRETS = re.compile(r"(?:unset ([A-Z][A-Z0-9_]*)\n\1='(?:[^']|'\\'')*'\n)*")
_KIND = re.compile(r"^# (prepare|account|archive|keystore|service|port): ", re.MULTILINE)


class Unreadable(CommandError):
    """The state is not that of a stack with a server. The text names the reason and the remedy."""


@dataclass(frozen=True)
class Step:
    """A step as it ran last."""

    name: str
    """Of its resource."""
    kind: str
    words: tuple[str, ...]
    """Its command line, with the verb in place ``verb``."""
    verb: int
    secrets: str
    """Assignments of its secrets for a shell."""
    connection: Mapping[str, Any]

    @property
    def host(self) -> str:
        return str(self.connection["host"])

    def line(self, verb: str) -> str:
        """The command line for the remote user's shell, with another verb."""
        return shlex.join([*self.words[: self.verb], verb, *self.words[self.verb + 1 :]])

    def __repr__(self) -> str:
        return f"Step({self.name!r}, {self.kind!r})"


def resources_in(export: Any) -> list[dict[str, Any]]:
    """The resources of an exported stack, as they stand there; raises :class:`Unreadable`."""
    deployment = export.get("deployment", export) if isinstance(export, dict) else None
    resources = (deployment or {}).get("resources") if isinstance(deployment, dict) else None
    if not isinstance(resources, list):
        raise Unreadable(
            "--state: this is no exported stack: give what `pulumi stack export --show-secrets` prints"
        )
    return resources


def steps_in(export: Any) -> list[Step]:
    """The host steps of an exported stack, in its order; raises :class:`Unreadable`."""
    steps = [
        step
        for resource in resources_in(export)
        if resource.get("type") == _COMMAND and not resource.get("delete")
        for step in [_step(resource["urn"].rpartition("::")[2], plain(resource.get("inputs", {})))]
        if step is not None
    ]
    if not steps:
        raise Unreadable("--stack: there is no host step of nexus-registry in this stack: name another one")
    return steps


def _step(name: str, inputs: Mapping[str, Any]) -> Step | None:
    """A resource's step; None when the command is none of ours."""
    stdin, words = str(inputs.get("stdin", "")), shlex.split(str(inputs.get("create", "")))
    kinds = _KIND.findall(stdin)
    if not stdin.endswith(_START) or not kinds:
        return None
    verb = 3 if words[:3] == ["sh", "-s", "--"] else 4 if words[3:4] == ["nexus-registry"] else len(words)
    if words[verb : verb + 1] != ["create"]:
        return None
    secrets = _SECRETS.match(stdin)
    return Step(name, kinds[-1], tuple(words), verb, secrets.group() if secrets else "", inputs["connection"])


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
    raise Unreadable("--state: its secrets are encrypted: export it with --show-secrets")


def hidden(value: Any) -> Any:
    """A property's value with ``[secret]`` in place of its secrets, whether they are encrypted or not."""
    if isinstance(value, list):
        return [hidden(item) for item in value]
    if not isinstance(value, dict):
        return value
    return "[secret]" if _MARK in value else {key: hidden(item) for key, item in value.items()}
