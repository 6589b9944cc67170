"""Tasks and capabilities, whose own properties the API holds as texts in ``properties``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..rest import ListedProvider
from ..schema import limits


class TextPropertiesProvider(ListedProvider):
    """``5`` is ``"5"`` in ``properties``, ``True`` is ``"true"``, and a list is a text with commas."""

    def to_body(self, inputs: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        body = super().to_body(inputs, base)
        given = {**({"type": self.type} if self.type else {}), **body}
        texts = {key: _text(value) for key, value in (body.get("properties") or {}).items() if value is not None}
        return {**given, "properties": texts}

    def from_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        found = super().from_body(body)
        for name, value in found.items():
            if isinstance(value, str) and self.read_paths[name][0] == "properties":
                form = limits(self.schema[name].normalise).get("form")
                lists = [one.strip() for one in value.split(",") if one.strip()]
                found[name] = {"boolean": value == "true", "set": lists, "list": lists}.get(
                    str(form), value or None
                )
        return found

    def is_it(self, entry: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
        return bool(entry["type"] == (self.type or inputs["type"]))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
