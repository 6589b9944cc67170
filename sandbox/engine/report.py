"""What a run tells: a line for each operation, progress, diagnostics, and the result."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from .state import Resource

DONE = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "same": "unchanged"}


class Report:
    """Prints and collects. Secret values of the configuration are masked in whatever is said."""

    def __init__(self, out: TextIO, *, preview: bool) -> None:
        self._out, self._lock, self.preview = out, threading.Lock(), preview
        self.masked: set[str] = set()
        self.changes: Counter[str] = Counter()
        self.steps: list[dict[str, str]] = []
        self.diagnostics: list[dict[str, str]] = []

    def print(self, text: str) -> str:
        for value in self.masked:
            text = text.replace(value, "[secret]")
        print(text.rstrip(), file=self._out, flush=True)
        return text

    def progress(self, name: str, text: str) -> None:
        self.print(f"      {name} | {text}")

    def say(self, severity: str, text: str, urn: str = "") -> None:
        """A diagnostic, of a resource or of the whole."""
        name = f"{urn.rpartition('::')[2]}: " if urn else ""
        text = self.print(f"{severity}: {name}{text}").removeprefix(f"{severity}: {name}").strip()
        self.diagnostics.append({"severity": severity, "urn": urn, "message": text})

    @contextmanager
    def step(self, op: str, resource: Resource) -> Iterator[None]:
        """One operation; it counts when it ends well."""
        self.steps.append({"op": op, "urn": resource.urn})
        started = time.monotonic()
        yield
        if op in DONE:
            with self._lock:
                self.changes[op] += 1
        if op != "same":
            took = f"{time.monotonic() - started:6.1f} s"
            self.print(
                f"  {op:20}{'' if self.preview else took}  {resource.type.rpartition(':')[2]} {resource.name}"
            )

    def result(self, outputs: dict[str, Any]) -> dict[str, Any]:
        changes = {op: self.changes[op] for op in DONE}
        return {"changes": changes, "steps": self.steps, "outputs": outputs, "diagnostics": self.diagnostics}

    def summary(self) -> str:
        done = {op: f"to {op}" if self.preview and op != "same" else word for op, word in DONE.items()}
        return "Resources: " + ", ".join(f"{self.changes[op]} {done[op]}" for op in DONE if self.changes[op])
