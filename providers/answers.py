"""How what Nexus answers, or that it does not, becomes one sentence of a type of its own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import requests

from .errors import (
    Forbidden,
    Malformed,
    NexusError,
    NotFound,
    RateLimited,
    ReadOnly,
    Refused,
    Unauthorized,
    Uncertain,
    Unreachable,
    Untrusted,
)
from .versions import served, without_rest

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0


@dataclass(frozen=True)
class Fault:
    """What a failed answer said."""

    messages: tuple[tuple[str, str], ...] = ()
    fault_id: str = ""

    @property
    def text(self) -> str:
        """The messages as one line; ``""`` when there were none."""
        return "; ".join(f"{field}: {message}" if field else message for field, message in self.messages)


_LONGEST = 300


def decode_fault(body: str, headers: Any = None, reason: str = "") -> Fault:
    """Read any of the shapes in which Nexus reports a failure.

    A list of validation errors; one such object (its message in an extra pair of quotes); a siesta fault
    (``siesta-faultid``); plain text ``ERROR: (ID …) exception``; an HTML page of a proxy; nothing at all, where
    the reason phrase may carry the message.
    """
    fault_id = str((headers or {}).get("X-Siesta-FaultId", ""))
    body = body.strip()
    try:
        data = json.loads(body) if body else None
    except ValueError:
        data = None
    if isinstance(data, dict) and "siesta-faultid" in data:
        fault_id = str(data.get("siesta-faultid") or fault_id)
        return Fault(_pairs([{"message": data.get("status-message")}]), fault_id)
    if isinstance(data, dict) and isinstance(data.get("errors"), list):
        data = data["errors"]
    if isinstance(data, dict):
        return Fault(_pairs([data]), fault_id)
    if isinstance(data, list):
        return Fault(_pairs(data), fault_id)
    if body.lstrip().startswith("<"):
        title = re.search(r"<title[^>]*>(.*?)</title>", body, re.IGNORECASE | re.DOTALL)
        return Fault(_pairs([{"message": title.group(1) if title else "an HTML page"}]), fault_id)
    plain = re.match(r"ERROR: \(ID ([^)]+)\) ?(.*)", body, re.DOTALL)
    if plain:
        message = re.sub(r"^(?:[\w$]+\.)+[\w$]+: ", "", plain.group(2))
        return Fault(_pairs([{"message": message}]), plain.group(1))
    return Fault(_pairs([{"message": body or reason}]), fault_id)


def _pairs(entries: list[Any]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for entry in entries:
        if isinstance(entry, dict):
            field = re.sub(r"^(PARAMETER|FIELD|HelperBean\.)\s*", "", str(entry.get("id") or ""))
            message = str(entry.get("message") or "")
        else:
            field, message = "", str(entry)
        message = " ".join(message.split()).strip('"')
        if message:
            pairs.append(("" if field == "*" else field, message[:_LONGEST]))
    return tuple(pairs)


_HINTS = {
    403: "the user lacks a permission for it, or the server waits for its licence to be accepted",
    404: "it is not there, the user may not see it, or the url lacks the server's context path",
    415: "this version of Nexus expects another form",
}


_KINDS: dict[int, type[NexusError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    429: RateLimited,
    502: Uncertain,
    503: Uncertain,
    504: Uncertain,
}


def limited(username: str) -> str:
    """What may be behind a 429, and how it ends. Nexus counts wrong passwords since 3.93."""
    return (
        f"too many requests, or more than three wrong passwords for user {username!r}: send nothing as that user "
        "for a quarter of an hour, or have another administrator set its password anew"
    )


def failure_of(what: str, username: str, answer: requests.Response, secrets: tuple[str, ...]) -> NexusError:
    """The error that an answer is; none of ``secrets`` is in its text."""
    status = answer.status_code
    fault = decode_fault(answer.text, answer.headers, answer.reason)
    text = _without(secrets, fault.text)
    kind = _KINDS.get(status, Refused)
    if (status == 503 and "read-only" in text.lower()) or "while the application is frozen" in text:
        kind, text = (
            ReadOnly,
            "the server is in read-only mode: release it (Administration, Nodes) and run again",
        )
    elif status == 401:
        text = f"the password of user {username!r} is wrong: set the right one"
    elif 300 <= status < 400:
        text = f"the server redirects to {answer.headers.get('Location', 'nowhere')}: give that address as url"
    elif status == 404 and (old := without_rest(served(answer.headers.get("Server", "")))):
        text = f"the server is {old}"
    elif hint := limited(username) if status == 429 else _HINTS.get(status):
        text = f"{text} ({hint})" if text else hint
    fault_note = f" (fault {fault.fault_id} in Nexus's log)" if fault.fault_id else ""
    messages = tuple((field, _without(secrets, message)) for field, message in fault.messages)
    failure = kind(
        f"{what} was answered {status}: {text}{fault_note}",
        status=status,
        messages=messages,
        fault_id=fault.fault_id,
    )
    if isinstance(failure, RateLimited):
        after = answer.headers.get("Retry-After", "")
        failure.retry_after = float(after) if after.isdigit() else 1.0
    return failure


class _Told(dict[str, Any]):
    """An object of an answer, which says in a sentence what it lacks."""

    what = ""

    def __missing__(self, key: str) -> Any:
        raise malformed(self.what, f"lacks the field {key!r}")


def malformed(what: str, wrong: str) -> Malformed:
    """The error that an answer is which came and is not what was asked for."""
    return Malformed(
        f"{what}: the answer {wrong}: is a proxy in between, or the server's version one that this program does "
        "not know?"
    )


def content_of(answer: requests.Response, what: str) -> Any:
    """The decoded JSON, ``None`` for an empty body; raises ValueError for what is no JSON."""

    def told(read: dict[str, Any]) -> _Told:
        one = _Told(read)
        one.what = what
        return one

    return answer.json(object_hook=told) if answer.content.strip() else None


def no_answer(what: str, error: requests.RequestException) -> NexusError:
    """The error that a missing answer is, by whether the request can have been handled."""
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError) and "EOF occurred" not in text:
        return Untrusted(
            f"{what}: the server's certificate is not trusted ({_cause(error)}): give its authority as "
            "connection.ca, and a url whose host the certificate names"
        )
    if isinstance(error, requests.ConnectTimeout):
        return Unreachable(
            f"{what}: no connection within {CONNECT_TIMEOUT:.0f} s: is the address right and the port open?"
        )
    if isinstance(error, requests.Timeout):
        return Uncertain(f"{what}: no answer within {READ_TIMEOUT:.0f} s")
    if isinstance(
        error,
        requests.exceptions.InvalidURL | requests.exceptions.MissingSchema | requests.exceptions.InvalidSchema,
    ):
        return Untrusted(f"{what}: the url is not one that can be asked: give https://host:port")
    if isinstance(error, requests.ConnectionError) and (
        "NewConnectionError" in text or "NameResolutionError" in text
    ):
        reason = _cause(error)
        return Unreachable(f"{what}: {reason}: is the server running, the address right, the port open?")
    return Uncertain(f"{what}: the connection broke before the answer was complete")


def _cause(error: requests.RequestException) -> str:
    reason: Any = error.args[0] if error.args else error
    reason = getattr(reason, "reason", reason)
    return " ".join(str(reason).split(": ", 1)[-1].strip("()").split())[:200]


def _without(secrets: tuple[str, ...], text: str) -> str:
    for secret in secrets:
        if len(secret) > 2:
            text = text.replace(secret, "[secret]")
    return text
