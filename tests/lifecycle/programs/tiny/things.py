"""A dynamic resource kept in a JSON file, which also records each call."""

import fcntl
import inspect
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown


def shown(value: Any) -> Any:
    """The value as it is recorded: unknowns and numbers by their kind, without the pickled provider."""
    if isinstance(value, Unknown):
        return "<unknown>"
    if isinstance(value, dict):
        return {key: shown(item) for key, item in sorted(value.items()) if key not in ("__provider", "server")}
    if isinstance(value, list):
        return [shown(item) for item in value]
    return f"{type(value).__name__} {value}" if isinstance(value, int | float) else value


def requested() -> dict[str, Any]:
    """What the engine's request said, which the SDK does not hand on to a provider."""
    frame = inspect.currentframe()
    while frame and "request" not in frame.f_locals:
        frame = frame.f_back
    request = frame.f_locals["request"] if frame else None
    facts = {key: str(getattr(request, key)) for key in ("urn", "name", "type")}
    more = {"old inputs": bool(getattr(request, "old_inputs", None))}
    return facts | more | {"seed": len(getattr(request, "randomSeed", b""))}


@contextmanager
def server(path: str) -> Iterator[dict[str, Any]]:
    with Path(path).open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        content = json.load(file)
        yield content
        file.seek(0)
        file.truncate()
        json.dump(content, file)
        file.flush()


class ThingProvider(ResourceProvider):
    def configure(self, req: ConfigureRequest) -> None:
        with server(req.config.require("server")) as content:
            content["configured"].append(
                [req.config.get("password"), req.config.get("size"), req.config.get("x:y")]
            )

    def _record(self, props: dict[str, Any], call: str, *arguments: Any) -> None:
        with server(props["server"]) as content:
            content["calls"].append([call, props["label"], *map(shown, arguments)])
            content["requests"].append([call, requested()])
            failure = content["failures"].get(f"{call} {props['label']}")
        if failure:
            raise RuntimeError(failure)

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        self._record(news, "check", olds, news)
        bad = news.get("color") == "transparent"
        return CheckResult(news, [CheckFailure("color", "nobody would see it")] if bad else [])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        self._record(news, "diff", olds, news)
        if news.get("lazy"):
            return DiffResult()
        inputs = news.keys() - {"__provider", "stamp", "revision"}
        changed = sorted(
            key
            for key in inputs | (olds.keys() - {"stamp", "revision", "__provider"})
            if olds.get(key) != news.get(key)
        )
        return DiffResult(
            changes=bool(changed),
            replaces=[key for key in changed if key == "kind"],
            delete_before_replace=bool(news.get("first")),
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        self._record(props, "create", props)
        time.sleep(props.get("seconds", 0))
        with server(props["server"]) as content:
            content["serial"] += 1
            made = {**props, "stamp": f"{props['label']}-{content['serial']}", "revision": 1}
            content["objects"][made["stamp"]] = {key: item for key, item in made.items() if key != "__provider"}
        return CreateResult(made["stamp"], made)

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        self._record(news, "update", olds, news)
        made = {**news, "stamp": olds["stamp"], "revision": int(olds["revision"]) + 1}
        with server(news["server"]) as content:
            content["objects"][id_] = {key: item for key, item in made.items() if key != "__provider"}
        return UpdateResult(made)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        self._record(props, "read", props)
        with server(props["server"]) as content:
            found = content["objects"].get(id_)
        if found is None:
            return ReadResult("", {})
        inputs = {key: item for key, item in found.items() if key not in ("stamp", "revision")}
        return ReadResult(id_, dict(found), inputs if props.get("honest") else None)

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        self._record(props, "delete", props)
        with server(props["server"]) as content:
            content["objects"].pop(id_, None)


class Thing(Resource, module="tiny", name="Thing"):
    stamp: pulumi.Output[str]
    revision: pulumi.Output[int]
    color: pulumi.Output[str]

    def __init__(self, name: str, server: str, inputs: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        props = {"label": name, "server": server, "color": None, **inputs, "stamp": None, "revision": None}
        super().__init__(ThingProvider(), name, props, opts)


@pulumi.output_type
class Facts(dict):  # type: ignore[type-arg]
    title: str


class Group(pulumi.ComponentResource):
    facts: pulumi.Output[Facts]

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("tiny:index:Group", name, {}, opts)
        self.register_outputs({"facts": {"title": name.upper()}})
