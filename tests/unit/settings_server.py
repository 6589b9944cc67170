"""A server that keeps settings, blob stores, tasks, capabilities and lists by the rules of the API's description.

No real server of this repository has them: what Nexus does beyond its description is not played.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from nexus_registry.providers.compat import parse

from .fake import Request, Response

LISTS = {"/v1/tasks": "items", "/v1/capabilities": "", "/v1/security/saml/users": ""}
"""Collections, and the key under which a page holds the entries."""
BLOB_STORES = "/v1/blobstores"
LISTED_TYPES = {"azure": "Azure Cloud Storage", "google": "Google Cloud Storage", "group": "Group"}
"""The types of blob stores, and what the list calls them."""


@dataclass
class SettingsServer:
    """The state of the server; an instance is a script for :func:`~.fake.serve`."""

    settings: dict[str, Any] = field(default_factory=dict)
    """What each address returns. One that is not here is 404 until it is written."""
    lists: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {one: {} for one in LISTS})
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The IP allow list's."""
    blob_stores: dict[str, dict[str, Any]] = field(default_factory=dict)
    version: str = "3.94.0-12"
    lock: Any = field(default_factory=threading.Lock)
    ids: Any = field(default_factory=lambda: map(str, itertools.count(1)))

    def __call__(self, request: Request) -> Response:
        path, _, query = request.path.removeprefix("/service/rest").partition("?")
        with self.lock:
            status, body = self.answer(request.method, path, query, request.body)
        return Response(status, "" if body is None else body, {"Server": f"Nexus/{self.version} (PRO)"})

    def answer(self, method: str, path: str, query: str, text: str) -> tuple[int, Any]:
        if path == "/v1/security/roles":
            return 200, [{"id": "nx-admin"}, {"id": "nx-anonymous"}]
        if path == "/v1/status":
            return 200, None
        if path == "/v1/security/users":
            wanted = dict(re.findall(r"(\w+)=(\w+)", query))
            users = [one for key, one in self.settings.items() if key.startswith(path)]
            return 200, [one for one in users if wanted.items() <= one.items()]
        if path == "/v1/iq/audit" and method == "PUT":
            body = json.loads(text)
            others = [one for one in self.settings[path] if one["repositoryName"] != body["repositoryName"]]
            self.settings[path] = [*others, body]
            return 204, None
        if path.startswith("/v1/security/ip-allowlist"):
            return self.allowlist(method, path, query, text)
        if path.startswith(BLOB_STORES):
            return self.blob_store(method, path.removeprefix(BLOB_STORES).strip("/"), text)
        for collection in LISTS:
            if path == collection or path.startswith(f"{collection}/"):
                return self.listed(method, collection, path.removeprefix(collection).strip("/"), text)
        if method == "GET":
            return (200, self.settings[path]) if path in self.settings else (404, None)
        if method == "DELETE":
            return (204, None) if self.settings.pop(path, None) is not None else (404, None)
        self.settings[path] = json.loads(text) if method == "PUT" else {"fingerprint": text}
        return 204, None

    def listed(self, method: str, collection: str, id_: str, text: str) -> tuple[int, Any]:
        objects, key = self.lists[collection], LISTS[collection]
        if method == "GET" and id_:
            return (200, objects[id_]) if id_ in objects else (404, None)
        if method == "GET":
            listed = [_shown(one) for one in objects.values()]
            return 200, {key: listed, "continuationToken": None} if key else listed
        if method == "DELETE":
            return (204, None) if objects.pop(id_, None) else (404, None)
        body = json.loads(text)
        typed = parse(self.version) < (3, 94)  # whether an update of a task has its type
        if method == "PUT" and collection == "/v1/tasks" and typed is not ("type" in body):
            return 400, f"type: must {'not ' * typed}be null"
        if method == "POST" and body.get("userId") in objects:
            return 400, "user already exists"
        id_ = id_ or body.get("userId") or next(self.ids)
        kept = {"type": objects[id_]["type"]} if collection == "/v1/tasks" and id_ in objects else {}
        objects[id_] = {"id": id_, **kept, **{name: value for name, value in body.items() if name != "id"}}
        return 201 if method == "POST" else 204, _shown(objects[id_])

    def blob_store(self, method: str, rest: str, text: str) -> tuple[int, Any]:
        type_, _, name = rest.partition("/")
        if not rest:
            return 200, [{"name": key, "type": LISTED_TYPES[one["type"]]} for key, one in self.blob_stores.items()]
        if name == "quota-status":
            return 200, {"isViolation": False, "message": "within the quota", "blobStoreName": type_}
        if method == "DELETE":
            groups = [one for one in self.blob_stores.values() if rest in one["body"].get("members", [])]
            if groups:
                return 400, f"Blob store {rest} is in use"
            return (204, None) if self.blob_stores.pop(rest, None) else (404, None)
        if method == "POST":
            name = json.loads(text)["name"]
            if name in self.blob_stores:
                return 400, f"name: Blob store {name} already exists"
        elif self.blob_stores.get(name, {}).get("type") != type_:
            return 404, None
        if method == "GET":
            return 200, _without_secrets(self.blob_stores[name]["body"])
        self.blob_stores[name] = {"type": type_, "body": json.loads(text)}
        return 201 if method == "POST" else 204, None

    def allowlist(self, method: str, path: str, query: str, text: str) -> tuple[int, Any]:
        name = path.removeprefix("/v1/security/ip-allowlist").strip("/")
        body = json.loads(text) if text else {}
        if name == "mode":
            self.settings["mode"] = body["mode"]
        elif name == "entries/bulk":
            for id_ in body:
                del self.entries[id_]
        elif name == "entries" and method == "GET":
            page = int(re.findall(r"page=(\d+)", query)[0])
            shown = list(self.entries.values())
            return 200, {"entries": shown[page : page + 1], "totalPages": len(shown)}
        elif name == "":
            return 200, {"mode": self.settings.get("mode", "DISABLED")}
        else:
            id_ = name.partition("/")[2] or next(self.ids)
            self.entries[id_] = {"id": id_, "entry": body["ipOrCidr"], "description": body.get("description")}
        return 204, None


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    """A task or capability as the server returns it.

    A task has its frequency beside the rest, dates as ISO 8601, and the server's own offset (TaskXO in Nexus's
    source). A capability has references for secrets.
    """
    frequency = one.get("frequency")
    if frequency is None:
        secrets = {key: "_20" for key in one.get("properties", {}) if key == "secret"}
        return {**one, "properties": {**one["properties"], **secrets}} if secrets else one
    rest = {key: value for key, value in one.items() if key != "frequency"}
    cron, manual = (frequency["schedule"] == kind for kind in ("cron", "manual"))
    moment = datetime.fromtimestamp(frequency.get("startDate", 0) / 1000, timezone.utc).isoformat()
    return {
        **rest,
        "schedule": "advanced" if cron else frequency["schedule"],
        "startDate": None if manual else moment,
        "recurringDays": frequency.get("recurringDays") or None,
        "cronExpression": frequency.get("cronExpression"),
        "timeZoneOffset": "Z" if cron else None,
    }


def _without_secrets(body: dict[str, Any]) -> dict[str, Any]:
    """A blob store as the server returns it: without its name, what is not set, and the key of an account."""
    shown = {key: _without_secrets(one) if isinstance(one, dict) else one for key, one in body.items()}
    return {key: one for key, one in shown.items() if one is not None and key not in ("name", "accountKey")}
