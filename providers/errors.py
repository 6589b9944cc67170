"""The errors of requests to Nexus, and the end of each message."""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import Self


def sentence(text: str) -> str:
    """The text of a message with a period at its end."""
    return text if text.endswith((".", "?")) else f"{text}."


class NexusError(Exception):
    """A request that Nexus refused or did not respond to. The text contains no secret.

    Attributes:
        status: HTTP status; 0 without a response.
        messages: ``(field, message)`` pairs that Nexus gave, the field ``""`` where it named none.
        fault_id: the id under which Nexus logged the failure, ``""`` where it gave none.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int = 0,
        messages: Iterable[tuple[str, str]] = (),
        fault_id: str = "",
    ) -> None:
        super().__init__(sentence(text))
        self.status = status
        self.messages = tuple(messages)
        self.fault_id = fault_id

    def with_message(self, text: str) -> Self:
        """The same error with another text. Its status is cleared, so that it is not explained again."""
        return type(self)(text, messages=self.messages, fault_id=self.fault_id)


class Unreachable(NexusError):
    """No response, and the request was not handled: the connection was refused, or the name not found."""


class Untrusted(NexusError):
    """No connection that can be trusted: the certificate could not be verified, or the port does not speak TLS.

    Nothing was sent.
    """


class ProxyRefused(NexusError):
    """A proxy did not let the request through; nothing reached the server."""


class OutcomeUnknown(NexusError):
    """No usable response to a request that Nexus may have handled. Read the object before repeating the
    request."""


class UnexpectedResponse(NexusError):
    """A success response with unexpected content: a field is missing, or the shape differs."""


class Refused(NexusError):
    """Nexus understood the request and will not carry it out (400, 409, 415, 500)."""


class Unauthorized(NexusError):
    """The user name or password is wrong (401). Nothing more is sent with them in this process."""


class Forbidden(NexusError):
    """The user lacks a permission, or the licence was not accepted (403)."""


class NotFound(NexusError):
    """404: the object is not there, or the user may not see it, or the address is wrong."""


class ReadOnly(NexusError):
    """The server is in read-only mode and refuses changes."""


class RateLimited(NexusError):
    """429: too many requests, or too many wrong passwords for this user."""

    retry_after: float = 1.0
    """Seconds to wait, by the response."""
