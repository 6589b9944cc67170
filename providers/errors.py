"""What can go wrong between this program and Nexus, as types, and how Nexus's answers become sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


class NexusError(Exception):
    """A request that Nexus refused or did not answer; the text is one whole sentence and holds no secret.

    Attributes:
        status: HTTP status, 0 when there was no answer.
        messages: ``(field, message)`` pairs that Nexus gave, the field ``""`` where it named none.
        fault_id: the id under which Nexus logged the failure, ``""`` where it gave none.
    """

    def __init__(
        self,
        sentence: str,
        *,
        status: int = 0,
        messages: Iterable[tuple[str, str]] = (),
        fault_id: str = "",
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.messages = tuple(messages)
        self.fault_id = fault_id


class Unreachable(NexusError):
    """No answer, and the request cannot have been handled: refused, not found."""


class Untrusted(NexusError):
    """The server's certificate could not be verified; nothing was sent."""


class Uncertain(NexusError):
    """No usable answer to a request that Nexus may have handled: look up what is there before repeating it."""


class Refused(NexusError):
    """Nexus understood the request and will not carry it out (400, 409, 415, 500)."""


class Unauthorized(NexusError):
    """The user name or password is wrong (401). Nothing more is sent with them in this process."""


class Forbidden(NexusError):
    """The user lacks a permission, or the licence was not accepted (403)."""


class NotFound(NexusError):
    """404: the object is not there, or the user may not see it, or the address is wrong."""


class ReadOnly(NexusError):
    """The server is in read-only mode and takes no changes."""


class RateLimited(NexusError):
    """429: too many requests, or too many wrong passwords for this user."""

    retry_after: float = 1.0
    """Seconds that the answer asked to wait."""


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
