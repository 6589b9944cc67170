"""Makes the digests in this folder of Nexus's OpenAPI descriptions: ``python make.py FOLDER``.

``FOLDER`` holds ``nexus-<version>.yaml``, the description of each version as sonatype-nexus-community publishes
it. A digest, ``<version>.json``, has what tests need of the bodies that requests have:

- ``properties``: a list of ``[path, facts]``. A path is the keys that lead to the property. Facts are ``type``
  (``object`` for one that has others below it), ``required`` and, where the description has them, ``enum``,
  ``pattern``, ``min`` and ``max`` (of a number, or of a length) and ``items`` (the type of a list's entries);
- ``operations``: for each ``POST /v1/…`` the indexes of its body's properties.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

OPERATIONS = re.compile(r"/v1/repositories/[a-z0-9]+/(hosted|proxy|group)")
LIMITS = {"minimum": "min", "minLength": "min", "minItems": "min", "maximum": "max", "maxLength": "max"}


def digest(description: dict[str, Any]) -> dict[str, Any]:
    """What tests need of a description."""
    rows: dict[str, int] = {}
    operations = {}
    for address, methods in description["paths"].items():
        if OPERATIONS.fullmatch(address) and "post" in methods:
            (content,) = methods["post"]["requestBody"]["content"].values()
            found = [json.dumps(row) for row in flattened(description, content["schema"])]
            operations[f"POST {address}"] = [rows.setdefault(row, len(rows)) for row in found]
    return {
        "version": description["info"]["version"],
        "properties": [json.loads(row) for row in rows],
        "operations": dict(sorted(operations.items())),
    }


def flattened(description: dict[str, Any], schema: dict[str, Any], path: str = "") -> Iterator[list[Any]]:
    """Each property below a schema."""
    schema = resolved(description, schema)
    required = schema.get("required", [])
    for name, one in sorted(schema.get("properties", {}).items()):
        inner = resolved(description, one)
        facts = {"type": inner.get("type", "object"), "required": name in required}
        facts |= {key: inner[key] for key in ("enum", "pattern") if key in inner}
        facts |= {LIMITS[key]: inner[key] for key in LIMITS if inner.get(key)}
        facts |= {"max": inner["maxItems"]} if "maxItems" in inner else {}
        facts |= {"items": inner["items"]["type"]} if "items" in inner else {}
        yield [f"{path}{name}", facts]
        yield from flattened(description, inner, f"{path}{name}.")


def resolved(description: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, where it is a reference to one."""
    while "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def written(one: dict[str, Any]) -> str:
    """The digest as JSON, with a line for each property and operation."""
    rows = ",\n".join(json.dumps(row) for row in one["properties"])
    operations = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in one["operations"].items())
    return f'{{"version": "{one["version"]}",\n"properties": [\n{rows}\n],\n"operations": {{\n{operations}\n}}}}\n'


def main(folder: str) -> None:
    for file in sorted(Path(folder).glob("nexus-*.yaml")):
        description = yaml.load(file.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        target = Path(__file__).with_name(f"{file.stem.removeprefix('nexus-')}.json")
        target.write_text(written(digest(description)))


if __name__ == "__main__":
    main(sys.argv[1])
