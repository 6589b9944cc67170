"""Makes the digests in this folder of Nexus's OpenAPI descriptions: ``python make.py FOLDER``.

``FOLDER`` holds ``nexus-<version>.yaml``, the description of each version as sonatype-nexus-community publishes
it. A digest, ``<version>.json``, has what tests need of the bodies that requests have:

- ``properties``: a list of ``[path, facts]``. A path is the keys that lead to the property. Facts are ``type``
  (``object`` for one that has others below it), ``required`` and, where the description has them, ``enum``,
  ``pattern``, ``min`` and ``max`` (of a number, or of a length), ``items`` (the type of a list's entries) and
  ``values`` (the type of an object's values, where it takes any keys);
- ``operations``: for each POST and PUT with an object for a body the indexes of the body's properties. A
  repository's PUT is left out: its body is that of the POST;
- ``writes``: every POST and PUT.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = re.compile(r"/v1/repositories/[a-z0-9]+/(hosted|proxy|group)/.*")
LIMITS = {"minimum": "min", "minLength": "min", "minItems": "min", "maximum": "max", "maxLength": "max"}


def digest(description: dict[str, Any]) -> dict[str, Any]:
    """What tests need of a description."""
    rows: dict[str, int] = {}
    operations: dict[str, list[int]] = {}
    writes = []
    for address, methods in description["paths"].items():
        for method in sorted({"post", "put"} & set(methods)):
            operation = f"{method.upper()} {address}"
            writes.append(operation)
            schema = body(description, methods[method])
            if "properties" in schema and not (method == "put" and REPOSITORY.fullmatch(address)):
                found = [json.dumps(row) for row in flattened(description, schema)]
                operations[operation] = [rows.setdefault(row, len(rows)) for row in found]
    return {
        "version": description["info"]["version"],
        "properties": [json.loads(row) for row in rows],
        "operations": dict(sorted(operations.items())),
        "writes": sorted(writes),
    }


def body(description: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """The schema of an operation's body; empty where it has none."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        return resolved(description, content.get("schema", {}))
    return {}


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
        facts |= {"items": resolved(description, inner["items"]).get("type", "object")} if "items" in inner else {}
        values = inner.get("additionalProperties")
        facts |= {"values": values.get("type", "")} if isinstance(values, dict) else {}
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
    writes = ",\n".join(json.dumps(write) for write in one["writes"])
    return (
        f'{{"version": "{one["version"]}",\n"properties": [\n{rows}\n],\n"operations": {{\n{operations}\n}},\n'
        f'"writes": [\n{writes}\n]}}\n'
    )


def main(folder: str) -> None:
    for file in sorted(Path(folder).glob("nexus-*.yaml")):
        description = yaml.load(file.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        target = Path(__file__).with_name(f"{file.stem.removeprefix('nexus-')}.json")
        target.write_text(written(digest(description)))


if __name__ == "__main__":
    main(sys.argv[1])
