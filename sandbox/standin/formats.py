"""The repositories that the API has and Core lacks, as Nexus's own descriptions of its API have their bodies.

Pure: no requests here. ``openapi/<version>.json`` beside this module are the digests of those descriptions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_IN_CORE = ("raw", "maven", "apt")
_SECRETS = ("authPassword", "bearerToken", "keypair", "passphrase", "password", "secretAccessKey")
_TYPES: Mapping[str, type] = {"array": list, "boolean": bool, "integer": int, "object": dict, "string": str}
_FOR_CORE = ("name", "online", "storage", "cleanup", "component", "proxy", "negativeCache", "group")
Body = Mapping[str, Any]


class Formats:
    """The bodies of one version: by kind (``npm/proxy``), by path of the property, its facts."""

    def __init__(self, digest: Body) -> None:
        rows = digest["properties"]
        kinds = {key.removeprefix("POST /v1/repositories/"): own for key, own in digest["operations"].items()}
        self._bodies: dict[str, dict[str, dict[str, Any]]] = {
            kind: dict(rows[index] for index in own)
            for kind, own in kinds.items()
            if kind.partition("/")[0] not in _IN_CORE
        }

    def __contains__(self, kind: str) -> bool:
        return kind in self._bodies

    def errors(self, kind: str, body: Body) -> Iterator[dict[str, str]]:
        """What is wrong with a body; unknown fields are ignored."""
        for path, facts in self._bodies[kind].items():
            *parents, name = path.split(".")
            place: Any = body
            for parent in parents:
                place = place.get(parent) if isinstance(place, dict) else None
            if not isinstance(place, dict):
                continue
            value = place.get(name)
            if value is None:
                if facts["required"]:
                    yield error(name, "must not be null")
            elif reason := _wrong(value, facts):
                yield error(name, reason)

    def shown(self, kind: str, body: Body) -> dict[str, Any]:
        """What the API returns of a body that it took: what it knows, null where nothing was given, no secrets."""
        found: dict[str, Any] = {}
        for path, facts in self._bodies[kind].items():
            *parents, name = path.split(".")
            source: Any = body
            target: Any = found
            for parent in parents:
                source, target = (None, None) if target is None else (source.get(parent), target[parent])
            if target is None:
                continue
            if facts["type"] == "object":
                target[name] = None if source.get(name) is None else {}
            elif name not in _SECRETS:
                target[name] = source.get(name, False if facts["type"] == "boolean" else None)
        return found


class Described:
    """The formats of every version that there is a description of."""

    def __init__(self) -> None:
        files = Path(__file__).with_name("openapi").glob("*.json")
        self._versions = {_version(file.stem): Formats(json.loads(file.read_text())) for file in files}

    @property
    def newest(self) -> Formats:
        """Those of the newest description, which has every kind."""
        return self._versions[max(self._versions)]

    def of(self, version: str) -> Formats:
        """Those of a version: of the newest description that is not newer, or of the oldest one."""
        wanted = _version(version)
        known = sorted(self._versions)
        return self._versions[max((one for one in known if one <= wanted), default=known[0])]


def for_core(body: Body) -> dict[str, Any]:
    """What the raw repository of the same name and type in Core keeps of a body."""
    kept = {key: body[key] for key in _FOR_CORE if key in body}
    if isinstance(client := body.get("httpClient"), dict):
        kept["httpClient"] = {key: client.get(key) for key in ("blocked", "autoBlock")}
    return {**kept, "routingRule": body.get("routingRuleName", body.get("routingRule"))}


def error(field: str, message: str) -> dict[str, str]:
    """One thing that is wrong with a body, as the API reports it."""
    return {"id": f"PARAMETER {field}", "message": message}


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def _wrong(value: Any, facts: Body) -> str:
    fits = type(value) is _TYPES[facts["type"]]
    if not fits:
        return f"must be of the type {facts['type']}"
    # In the description of 3.94 the values of one enum are a single string with commas.
    values = [one for each in facts.get("enum", ()) for one in each.upper().split(",")]
    if values and value.upper() not in values:
        return f"must be one of {', '.join(values)}"
    if "pattern" in facts and not re.search(facts["pattern"], value):
        return f'must match "{facts["pattern"]}"'
    size = value if facts["type"] == "integer" else len(value) if facts["type"] in ("array", "string") else 0
    if size < facts.get("min", size) or size > facts.get("max", size):
        return f"must be between {facts.get('min', '')} and {facts.get('max', '')}"
    return ""
