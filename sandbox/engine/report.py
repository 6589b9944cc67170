"""What a run tells: a line for each operation, the diagnostics, and the result that ``--json`` prints."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from .state import Resource
from .values import Props, plain

SIGNS = {"create": "+", "update": "~", "replace": "+-", "delete": "-", "refresh": "~", "read": ">"}
DONE = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "same": "unchanged"}


class Report:
    """Collects and prints; secret configuration values are masked in whatever is said."""

    def __init__(self, out: TextIO, *, preview: bool) -> None:
        self._out, self._preview, self._lock = out, preview, threading.Lock()
        self.changes: Counter[str] = Counter()
        self.steps: list[dict[str, str]] = []
        self.diagnostics: list[dict[str, str]] = []
        self.masked: set[str] = set()

    def say(self, text: str) -> None:
        """Print one line."""
        with self._lock:
            for value in self.masked:
                text = text.replace(value, "[secret]")
            print(text.rstrip(), file=self._out, flush=True)

    def progress(self, name: str, text: str) -> None:
        """Something that a running operation says."""
        self.say(f"      {name} | {text}")

    def diagnose(self, severity: str, text: str, urn: str = "") -> None:
        """An error or a warning, of a resource or of the whole."""
        for value in self.masked:
            text = text.replace(value, "[secret]")
        self.diagnostics.append({"severity": severity, "urn": urn, "message": text.strip()})
        self.say(f"{severity}: {urn.rpartition('::')[2]}{': ' * bool(urn)}{text.strip()}")

    @property
    def errors(self) -> list[str]:
        """The errors so far."""
        return [entry["message"] for entry in self.diagnostics if entry["severity"] == "error"]

    @contextmanager
    def step(self, op: str, resource: Resource) -> Iterator[None]:
        """One operation, from its begin to its end; what doesn't end well is not counted."""
        self.steps.append({"op": op, "urn": resource.urn})
        started = time.monotonic()
        yield
        kind = op if op in DONE else ""
        with self._lock:
            self.changes[kind] += bool(kind)
        if op != "same" and kind:
            took = "" if self._preview else f"  {time.monotonic() - started:.1f} s"
            self.say(f" {SIGNS[op]:2} {resource.type.rpartition(':')[2]:24} {resource.name:32} {op}{took}")

    def summary(self) -> str:
        """``Resources: 2 created, 1 unchanged``."""
        words = DONE if not self._preview else {op: f"to {op}" for op in DONE} | {"same": "unchanged"}
        counted = [f"{self.changes[op]} {word}" for op, word in words.items() if self.changes[op]]
        return f"Resources: {', '.join(counted) or 'none'}"

    def result(self, outputs: Props) -> dict[str, Any]:
        """The machine-readable result."""
        changes = {op: self.changes[op] for op in DONE}
        return {
            "changes": changes,
            "steps": self.steps,
            "outputs": plain(outputs, "[secret]"),
            "diagnostics": self.diagnostics,
        }


def main_output(as_json: bool) -> TextIO:
    """Where lines for people go: standard output, unless that is for the machine."""
    return sys.stderr if as_json else sys.stdout
