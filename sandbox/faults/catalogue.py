"""The faults that stand between a provider and Nexus, each by the name that it has in docs/reliability.md."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

ALWAYS = 10**9
"""For ``Fault.times``: every request from that one on."""

UNTIL_CLEARED = float("inf")
"""For ``Fault.refused``: until the faults are cleared."""


@dataclass(frozen=True)
class Response:
    """The response in place of the server's."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What happens to one request, in this order; without any of it the request is passed on and answered.

    Args:
        what: one line for the report's legend.
        refused: seconds in which connections are refused, from this request on, instead of it.
        handshake: the connection is closed in the middle of the TLS handshake.
        hold: the server does not get the request, and nothing is answered until the client has given up.
        meanwhile: called before anything is passed on.
        acts: the server gets the request and acts on it.
        late: the server gets the request, but only after the client has given up.
        edit: changes the body of the server's answer.
        answer: is answered in place of what the server said.
        silent: the connection is closed without an answer.
        times: to how many requests in a row it happens.
        then_refused: seconds in which connections are refused after it.
        writes: it happens to requests that change something, and to no others.
    """

    what: str
    refused: float = 0.0
    handshake: bool = False
    hold: bool = False
    meanwhile: Callable[[], None] | None = None
    acts: bool = True
    late: bool = False
    edit: Callable[[bytes], bytes] | None = None
    answer: Response | None = None
    silent: bool = False
    times: int = 1
    then_refused: float = 0.0
    writes: bool = False

    def always(self) -> Fault:
        """The same, from that request on."""
        return replace(self, what=f"{self.what}, and so is every one after it", times=ALWAYS)


def without(key: str) -> Callable[[bytes], bytes]:
    """Takes a key out of the object that is answered, or of every object of a list, at any depth."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strip(inner) for name, inner in value.items() if name != key}
        return [strip(inner) for inner in value] if isinstance(value, list) else value

    return lambda body: _edited(body, strip)


def _edited(body: bytes, change: Callable[[Any], Any]) -> bytes:
    try:
        return json.dumps(change(json.loads(body))).encode()
    except ValueError:
        return body


def _with_an_unknown_field(value: Any) -> Any:
    if isinstance(value, dict):
        return {**value, "fieldOfANewerVersion": {"enabled": True}}
    return [_with_an_unknown_field(one) for one in value] if isinstance(value, list) else value


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2] or b'{"cut'


def _page(title: str) -> str:
    return f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"


def _instead(status: int, body: str = "", **headers: str) -> dict[str, Any]:
    html = {"Content-Type": "text/html"} if body.startswith("<") else {"Content-Type": "text/plain"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"acts": False, "answer": Response(status, body, {**html, **named})}


_READ_ONLY = "Nexus Repository Manager is in read-only mode"

NEXUS: dict[str, Fault] = {
    "refused, short": Fault("connections are refused for 0.3 s", refused=0.3),
    "refused": Fault("connections are refused until the run is over", refused=UNTIL_CLEARED),
    "TLS cut": Fault("the connection is closed in the middle of the TLS handshake", handshake=True),
    "no answer": Fault("the request never arrives, and nothing is answered", hold=True, acts=False),
    "acted late": Fault("the server acts on the request only after the client gave up waiting", late=True),
    "dropped": Fault("the connection is closed, and the server never got the request", silent=True, acts=False),
    "answer lost": Fault("the server acts, and the connection is closed without an answer", silent=True),
    "killed after": Fault(
        "the server acts, its answer is lost, and from then on it can't be reached: as when the run is killed",
        silent=True,
        then_refused=UNTIL_CLEARED,
    ),
    "502": Fault("502 with a proxy's page", **_instead(502, _page("502 Bad Gateway"))),
    "503": Fault("503 without a body", **_instead(503)),
    "504": Fault("504 with a proxy's page", **_instead(504, _page("504 Gateway Time-out"))),
    "504 after": Fault(
        "the server acts, and a proxy answers 504", answer=Response(504, _page("504 Gateway Time-out"))
    ),
    "503, lasting": Fault("503 without a body", **_instead(503)).always(),
    "429 in 1 s": Fault("429 with Retry-After: 1", **_instead(429, Retry_After="1")),
    "429": Fault("429 without Retry-After", **_instead(429, _page("Too Many Requests"))),
    "429, lasting": Fault("429 without Retry-After", **_instead(429)).always(),
    "read-only": Fault(
        "every change is answered 503 with Nexus's words for read-only mode",
        **_instead(503, _READ_ONLY),
        writes=True,
        times=ALWAYS,
    ),
    "cut JSON": Fault("the server acts, and half of its answer's JSON arrives", edit=_half),
    "login page": Fault("a proxy's page, 200, instead of the server", **_instead(200, _page("Sign in"))),
    "404 page": Fault("a proxy's page, 404, instead of the server", **_instead(404, _page("No such site"))),
    "field added": Fault(
        "every object that is answered has a field more", edit=lambda body: _edited(body, _with_an_unknown_field)
    ).always(),
    "restart": Fault(
        "the connection is closed, and connections are refused for 0.5 s after it",
        silent=True,
        acts=False,
        then_refused=0.5,
    ),
}
"""All that a proxy does to a request; which field is missing depends on the kind, see :func:`without`."""

OTHERS = {
    "field missing": "the answer lacks a field that the kind reads, one field at a time",
    "really frozen": "the real server was put into read-only mode before the run and released after it",
    "real restart": "the real server was stopped at this request and started again, three kinds at work at once",
}
"""What the other columns of the Nexus lane mean."""
