"""Turns responses, and exceptions in place of one, into typed errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.request import parse_http_list, parse_keqv_list

import requests

from .compat import no_rest_reason, parse_server_header
from .errors import (
    Forbidden,
    NexusError,
    NotFound,
    OutcomeUnknown,
    ProxyRefused,
    RateLimited,
    ReadOnly,
    Refused,
    Unauthorized,
    UnexpectedResponse,
    Unreachable,
    Untrusted,
)
from .proxies import Proxy, proxy_failure, proxy_for
from .redact import redact

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0


@dataclass(frozen=True)
class Fault:
    """The content of an error response."""

    messages: tuple[tuple[str, str], ...] = ()
    fault_id: str = ""

    @property
    def text(self) -> str:
        """The messages as one line; ``""`` when there were none."""
        return "; ".join(f"{field}: {message}" if field else message for field, message in self.messages)


_MAX_MESSAGE_LENGTH = 300


def decode_fault(body: str, headers: Any = None, reason: str = "", secrets: Iterable[str] = ()) -> Fault:
    """Read any of the shapes in which Nexus reports a failure; none of ``secrets`` is in its messages.

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
        return Fault(_pairs([{"message": data.get("status-message")}], secrets), fault_id)
    if isinstance(data, dict) and isinstance(data.get("errors"), list):
        data = data["errors"]
    if isinstance(data, dict):
        return Fault(_pairs([data], secrets), fault_id)
    if isinstance(data, list):
        return Fault(_pairs(data, secrets), fault_id)
    if body.lstrip().startswith("<"):
        title = re.search(r"<title[^>]*>(.*?)</title>", body, re.IGNORECASE | re.DOTALL)
        return Fault(_pairs([{"message": title.group(1) if title else "an HTML page"}], secrets), fault_id)
    plain = re.match(r"ERROR: \(ID ([^)]+)\) ?(.*)", body, re.DOTALL)
    if plain:
        message = re.sub(r"^(?:[\w$]+\.)+[\w$]+: ", "", plain.group(2))
        return Fault(_pairs([{"message": message}], secrets), plain.group(1))
    return Fault(_pairs([{"message": body or reason}], secrets), fault_id)


def _pairs(entries: list[Any], secrets: Iterable[str]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for entry in entries:
        if isinstance(entry, dict):
            field = re.sub(r"^(PARAMETER|FIELD|HelperBean\.)\s*", "", str(entry.get("id") or ""))
            message = str(entry.get("message") or "")
        else:
            field, message = "", str(entry)
        # Before it is cut, which may leave a part of a secret, and before its blanks are changed.
        message = " ".join(redact(secrets, message).split()).strip('"')
        if message:
            pairs.append(("" if field == "*" else redact(secrets, field), message[:_MAX_MESSAGE_LENGTH]))
    return tuple(pairs)


_HINTS = {
    403: "the user lacks a permission for it, or the server waits for its licence to be accepted",
    404: "it is not there, the user may not see it, or the url lacks the server's context path",
    407: "a proxy requires a user and a password",
    415: "this version of Nexus expects another form",
}
_PERHAPS_A_PROXY = (403, 407, 502, 503, 504)

_KINDS: dict[int, type[NexusError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    407: ProxyRefused,
    429: RateLimited,
    502: OutcomeUnknown,
    503: OutcomeUnknown,
    504: OutcomeUnknown,
}


def rate_limit_hint(username: str) -> str:
    """What may be behind a 429, and how it ends. Nexus counts wrong passwords since 3.93."""
    return (
        f"too many requests, or more than three wrong passwords for user {username!r}. Send nothing as that user "
        "for a quarter of an hour, or have another administrator set its password again"
    )


def error_from_response(
    what: str, username: str, response: requests.Response, secrets: tuple[str, ...]
) -> NexusError:
    """The error for a response that is no success; none of ``secrets`` is in its text."""
    status = response.status_code
    fault = decode_fault(response.text, response.headers, response.reason, secrets)
    text = fault.text
    kind = _KINDS.get(status, Refused)
    if (status == 503 and "read-only" in text.lower()) or "while the application is frozen" in text:
        kind, text = (
            ReadOnly,
            "the server is in read-only mode. Release it (Administration, Nodes) and run again",
        )
    elif status == 401:
        text = f"the password of user {username!r} is wrong. Set the right one"
    elif 300 <= status < 400:
        text = f"the server redirects to {response.headers.get('Location', 'nowhere')}. Give that address as url"
    elif status == 404 and (old := no_rest_reason(parse_server_header(response.headers.get("Server", ""))[0])):
        text = f"the server is {old}"
    elif hint := rate_limit_hint(username) if status == 429 else _HINTS.get(status):
        text = f"{text} ({hint})" if text else hint
    if status in _PERHAPS_A_PROXY and (proxy := _proxy_of(response)):
        text = f"{text}; it went through the proxy {proxy.name}: {proxy.way_round}"
    fault_note = f" (fault {fault.fault_id} in Nexus's log)" if fault.fault_id else ""
    failure = kind(
        f"{what} was answered {status}: {text}{fault_note}",
        status=status,
        messages=fault.messages,
        fault_id=fault.fault_id,
    )
    if isinstance(failure, RateLimited):
        failure.retry_after = _retry_after(response.headers)
    return failure


def _retry_after(headers: Mapping[str, str]) -> float:
    """The seconds in ``Retry-After``, which is a number or a date; 1 without it."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]{1,9}", value):
        return float(value)
    until, now = _date(value), _date(headers.get("Date", "")) or datetime.now(timezone.utc)
    return max(0.0, (until - now).total_seconds()) if until else 1.0


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _proxy_of(response: requests.Response) -> Proxy | None:
    """The proxy that may have sent this response in the server's place."""
    return None if parse_server_header(response.headers.get("Server", ""))[0] else proxy_for(response.url)


class _JsonObject(dict[str, Any]):
    """An object in a response; a key that it lacks raises :class:`UnexpectedResponse`."""

    what = ""

    def __missing__(self, key: str) -> Any:
        raise unexpected_response(self.what, f"lacks the field {key!r}")


def unexpected_response(what: str, wrong: str) -> UnexpectedResponse:
    """The error for a success response with unexpected content."""
    return UnexpectedResponse(
        f"{what}: the response {wrong}. Is a proxy in between, or the server's version one that this program does "
        "not know?"
    )


def json_content(method: str, what: str, response: requests.Response, secrets: tuple[str, ...]) -> Any:
    """The decoded JSON of a response of success, ``None`` for an empty body.

    Raises:
        UnexpectedResponse: the content is another page, such as the login page of a proxy.
        OutcomeUnknown: the content was cut short, or it is another page in reply to a POST, which may have been
            handled.
    """

    def with_request(pairs: dict[str, Any]) -> _JsonObject:
        decoded = _JsonObject(pairs)
        decoded.what = what
        return decoded

    if not response.content.strip():
        return None
    try:
        return response.json(object_hook=with_request)
    except ValueError:
        pass
    if response.content.lstrip()[:1] in (b"{", b"["):
        raise OutcomeUnknown(f"{what}: the response was cut short. Is a proxy in between?")
    text = decode_fault(response.text, secrets=secrets).text
    kind = response.headers.get("Content-Type", "something else")
    failure = unexpected_response(what, f"is not JSON but {kind} ({text})")
    raise OutcomeUnknown(str(failure)) if method == "POST" else failure


def error_from_exception(what: str, error: requests.RequestException, url: str) -> NexusError:
    """The error for a missing response, by whether the request can have been handled."""
    text = str(error)
    if (proxy := proxy_for(url)) and (failure := proxy_failure(proxy, error)):
        kind, reason = failure
        return kind(f"{what}: {reason}")
    if isinstance(error, requests.exceptions.SSLError) and "EOF occurred" not in text:
        return Untrusted(f"{what}: {_tls_reason(error)}")
    if isinstance(error, requests.ConnectTimeout):
        return Unreachable(
            f"{what}: no connection within {CONNECT_TIMEOUT:.0f} s. Is the address right and the port open?"
        )
    if isinstance(error, requests.Timeout):
        return OutcomeUnknown(f"{what}: no response within {READ_TIMEOUT:.0f} s. Is the server overloaded?")
    if isinstance(
        error,
        requests.exceptions.InvalidURL | requests.exceptions.MissingSchema | requests.exceptions.InvalidSchema,
    ):
        return unusable_url(what)
    if isinstance(error, requests.ConnectionError) and (
        "NewConnectionError" in text or "NameResolutionError" in text
    ):
        reason = _cause(error)
        return Unreachable(f"{what}: {reason}. Is the server running, the address right, the port open?")
    if _TLS_ALERT in text:
        return Untrusted(f"{what}: the port speaks TLS. Give the url with https://, or the port of HTTP")
    remedy = "Is the port one of HTTPS? Give the url with https://" if url.startswith("http://") else "Run again"
    return OutcomeUnknown(f"{what}: the connection broke before the response was complete. {remedy}")


def unusable_url(what: str) -> Untrusted:
    """The error for an address to which no request can be sent."""
    return Untrusted(f"{what}: the url is not usable. Give https://host:port")


def login_challenge(response: requests.Response) -> dict[str, str]:
    """How a response asks for a login: ``scheme`` (``basic``, ``bearer`` …), and its parameters.

    Raises:
        ValueError: the header can't be read.
    """
    scheme, _, rest = response.headers.get("WWW-Authenticate", "").partition(" ")
    try:
        return {**parse_keqv_list(parse_http_list(rest)), "scheme": scheme.lower()}
    except IndexError:  # a parameter without a value
        raise ValueError("no value") from None


def connection_error_reason(error: requests.RequestException, url: str) -> str:
    """Why an address did not respond, as part of a sentence."""
    if (proxy := proxy_for(url)) and (failure := proxy_failure(proxy, error)):
        return failure[1]
    if isinstance(error, requests.exceptions.SSLError):
        return "it does not speak TLS" if _NO_TLS.search(str(error)) else "its certificate is not trusted"
    return "nothing responds at that address"


_NO_TLS = re.compile("wrong.version.number|record.layer.failure|unknown.protocol|http.request", re.IGNORECASE)
"""The messages of OpenSSL when the first bytes of the response are plain HTTP."""
_TLS_ALERT = r"\x15\x03"
"""How a response that is a TLS alert begins, in the text of BadStatusLine."""


def _tls_reason(error: requests.RequestException) -> str:
    cause = _cause(error)
    if _NO_TLS.search(str(error)):
        return (
            f"the port does not speak TLS ({cause}). Is it the one of plain HTTP? Give the port of HTTPS, or "
            "the url with http://"
        )
    if re.search("certificate.verify.failed|doesn't match", str(error), re.IGNORECASE):
        return (
            f"the server's certificate is not trusted ({cause}). Give its authority as connection.ca, and a url "
            "whose host the certificate names"
        )
    return f"the TLS connection failed ({cause}). Does the server offer TLS 1.2 or newer at this port?"


def _cause(error: requests.RequestException) -> str:
    reason: Any = error.args[0] if error.args else error
    reason = getattr(reason, "reason", reason)
    if tls := re.search(r"\[SSL[^\]]*\] (.*?)(?: \(_ssl\.c:\d+\)|$)", str(reason)):
        return tls[1][:200]
    return " ".join(str(reason).split(": ", 1)[-1].strip("()").split())[:200]
