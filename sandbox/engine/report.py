"""The output of a run: a line for each operation, diagnostics, and the result."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from .state import Resource

DONE = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "same": "unchanged"}


class Report:
    """Prints and collects. Secret values of the configuration are masked in all output."""

    def __init__(self, out: TextIO, *, preview: bool) -> None:
        self._out, self.preview, self.failed = out, preview, False
        self.masked, self.done = set[str](), list[str]()
        self.steps, self.diagnostics = list[dict[str, str]](), list[dict[str, str]]()

    def print(self, text: str) -> str:
        for value in self.masked:
            text = text.replace(value, "[secret]")
        print(text.rstrip() + "\n", end="", file=self._out, flush=True)  # in one piece: threads print too
        return text.rstrip()

    def say(self, severity: str, text: str, urn: str = "") -> None:
        """A diagnostic, of a resource or of the whole; an error here is not one of the run."""
        start = f"{severity}: {urn.rpartition('::')[2]}{': ' * bool(urn)}"
        message = self.print(start + text).removeprefix(start)
        self.diagnostics.append({"severity": severity, "urn": urn, "message": message})

    def fail(self, text: str, urn: str = "") -> None:
        """An error that ends the run."""
        self.failed = True
        self.say("error", text, urn)

    @contextmanager
    def step(self, op: str, resource: Resource) -> Iterator[None]:
        """One operation; it counts when it ends well."""
        self.steps.append({"op": op, "urn": resource.urn})
        started = time.monotonic()
        yield
        self.done.append(op)
        if op != "same":
            took = "" if self.preview else f"{time.monotonic() - started:6.1f} s"
            self.print(f"  {op:20}{took}  {resource.type.rpartition(':')[2]} {resource.name}")

    def finish(self, outputs: dict[str, Any]) -> dict[str, Any]:
        """Print outputs and summary, and return all of it for a machine."""
        for name, value in sorted(outputs.items()):
            self.print(f"    {name}: {value}")
        changes = {op: self.done.count(op) for op in DONE}
        counted = (f"{number} {op if self.preview else DONE[op]}" for op, number in changes.items() if number)
        self.print("Resources: " + ", ".join(counted))
        return {"changes": changes, "steps": self.steps, "outputs": outputs, "diagnostics": self.diagnostics}
