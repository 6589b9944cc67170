"""The record of a host step in its standard input, by which ``doctor`` knows the step in the state.

It is the first line, a comment for the shell: ``# nexus-registry step: {"step": …, "prefix": …, "secrets": …}``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

_RECORD = "# nexus-registry step: "


def record(step: str, prefix: int, secrets: int) -> str:
    """The record of a step.

    Args:
        step: which one.
        prefix: how many characters of its command line come before the verb.
        secrets: how many characters of its standard input, behind the record, are assignments of secrets.
    """
    return f"{_RECORD}{json.dumps({'step': step, 'prefix': prefix, 'secrets': secrets})}\n"


@dataclass(frozen=True)
class SentStep:
    """A step as it was sent to the host, read from its command in the state.

    Args:
        step: which one.
        prefix: its command line before the verb.
        arguments: its command line behind the verb ``create``.
        secrets: the assignments of its secrets.
    """

    step: str
    prefix: str
    arguments: str
    secrets: str = field(repr=False)

    @classmethod
    def read(cls, create: str, text: str) -> SentStep | None:
        """The step of this command line and standard input; None where another program made them."""
        first, _, rest = text.partition("\n")
        if not first.startswith(_RECORD):
            return None
        fields = json.loads(first.removeprefix(_RECORD))
        prefix, behind = create[: fields["prefix"]], create[fields["prefix"] :]
        return cls(fields["step"], prefix, behind.removeprefix("create"), rest[: fields["secrets"]])

    def line(self, verb: str) -> str:
        """The command line with another verb."""
        return f"{self.prefix}{verb}{self.arguments}"
