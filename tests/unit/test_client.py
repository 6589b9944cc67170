"""The client retries as its docstring says, and no message of a failure contains a secret."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests
from nexus_registry.providers import errors
from nexus_registry.providers.client import NexusClient
from nexus_registry.providers.responses import decode_fault

from .fake import FakeServer, Request, Response, sequence, serve

SECRET = "s3cret-canary"
Call = Callable[[NexusClient], object]


pytestmark = pytest.mark.usefixtures("quick")


CALLS: dict[str, Call] = {
    "GET": lambda client: client.get("/v1/x"),
    "POST": lambda client: client.post("/v1/x", {"name": "x", "password": SECRET}),
    "PUT": lambda client: client.put("/v1/x", {"name": "x"}),
    "DELETE": lambda client: client.delete("/v1/x"),
}


def client_of(fake: FakeServer, retry_timeout: float = 3) -> NexusClient:
    # A user of its own for each test: a login that was refused once is never tried again in this process.
    return NexusClient(
        {"url": fake.url, "username": uuid.uuid4().hex, "password": SECRET}, retry_timeout=retry_timeout
    )


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "fault", [Response(502), Response(503), Response(504), Response(drop=True)], ids=["502", "503", "504", "drop"]
)
def test_safe_requests_are_retried(method: str, fault: Response) -> None:
    with serve(sequence(fault, fault, Response(200, {"ok": True}))) as fake:
        CALLS[method](client_of(fake))
        assert [one.method for one in fake.requests] == [method] * 3


@pytest.mark.parametrize(
    "fault",
    [Response(502), Response(503), Response(504), Response(drop=True), Response(200, {"a": "b"}, cut=True)],
)
def test_lost_post_is_sent_once_and_outcome_unknown(fault: Response) -> None:
    with serve(sequence(fault)) as fake:
        with pytest.raises(errors.OutcomeUnknown):
            CALLS["POST"](client_of(fake))
        assert len(fake.requests) == 1


def test_truncated_response_is_retried_for_get() -> None:
    with serve(sequence(Response(200, {"key": "value"}, cut=True), Response(200, {"key": "value"}))) as fake:
        assert client_of(fake).get("/v1/x") == {"key": "value"}


@pytest.mark.parametrize("method", CALLS)
def test_429_is_retried_twice(method: str) -> None:
    """429 is waited for twice and then said."""
    with serve(sequence(Response(429, "<html><title>Too many</title></html>", {"Retry-After": "1"}))) as fake:
        with pytest.raises(errors.RateLimited, match=r"429.*quarter of an hour"):
            CALLS[method](client_of(fake, retry_timeout=10))
        assert len(fake.requests) == 3


@pytest.mark.parametrize("method", CALLS)
def test_429_with_long_retry_after_fails_at_once(method: str) -> None:
    """429 that asks for a longer wait is said at once."""
    with serve(sequence(Response(429, "<html><title>Too many</title></html>", {"Retry-After": "30"}))) as fake:
        with pytest.raises(errors.RateLimited, match=r"429: Too many .*another administrator set its password"):
            CALLS[method](client_of(fake, retry_timeout=60))
        assert len(fake.requests) == 1


NOW, LATER = "Thu, 26 Nov 2026 08:00:00 GMT", "Thu, 26 Nov 2026 08:00:{:02} GMT"


@pytest.mark.parametrize(
    ("after", "times", "waits"),
    [
        (LATER.format(7), 3, 7.0),
        (LATER.format(45), 1, 45.0),
        (NOW, 3, 0.0),
        ("Wed, 25 Nov 2026 08:00:00 GMT", 3, 0.0),
        (LATER.format(7).replace("GMT", "-0000"), 3, 7.0),
        ("soon", 3, 1.0),
        ("²", 3, 1.0),
        ("", 3, 1.0),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(after: str, times: int, waits: float) -> None:
    with serve(sequence(Response(429, headers={"Retry-After": after, "Date": NOW}))) as fake:
        with pytest.raises(errors.RateLimited) as caught:
            client_of(fake, retry_timeout=60).get("/v1/x")
        assert (len(fake.requests), caught.value.retry_after) == (times, waits)


LOGIN_PAGE = Response(200, "<html><title>Sign in</title></html>", {"Content-Type": "text/html"})


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("GET", errors.UnexpectedResponse),
        ("PUT", errors.UnexpectedResponse),
        ("DELETE", errors.UnexpectedResponse),
        ("POST", errors.OutcomeUnknown),  # it may have been handled: the caller looks up what is there
    ],
)
def test_login_page_is_named_and_not_retried(method: str, kind: type[errors.NexusError]) -> None:
    with serve(sequence(LOGIN_PAGE)) as fake:
        with pytest.raises(kind, match=r"is not JSON but text/html \(Sign in\)\. Is a proxy"):
            CALLS[method](client_of(fake))
        assert len(fake.requests) == 1


def test_truncated_json_is_retried() -> None:
    with serve(sequence(Response(200, '{"key": "va'), Response(200, {"key": "value"}))) as fake:
        assert client_of(fake).get("/v1/x") == {"key": "value"}


@pytest.mark.parametrize(("method", "times"), [("GET", 3), ("POST", 1), ("PUT", 1), ("DELETE", 1)])
def test_500_is_retried_twice_for_get_only(method: str, times: int) -> None:
    with serve(
        sequence(Response(500, "ERROR: (ID abc) org.x.DuplicateUserException: User u already exists."))
    ) as fake:
        with pytest.raises(errors.Refused, match=r"500: User u already exists\. \(fault abc"):
            CALLS[method](client_of(fake))
        assert len(fake.requests) == times


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response(400, [{"id": "PARAMETER name", "message": "is taken"}]), errors.Refused),
        (Response(403), errors.Forbidden),
        (Response(404, {"id": "*", "message": "\"Role 'x' not found.\""}), errors.NotFound),
        (Response(409), errors.Refused),
        (Response(503, "Nexus Repository Manager is in read-only mode"), errors.ReadOnly),
        (
            Response(400, [{"id": "*", "message": "INSERT is not allowed while the application is frozen"}]),
            errors.ReadOnly,
        ),
        (Response(302, headers={"Location": "https://elsewhere"}), errors.Refused),
    ],
    ids=["400", "403", "404", "409", "read-only", "frozen", "redirect"],
)
def test_refusal_raises_its_type_without_retry(
    method: str, answer: Response, kind: type[errors.NexusError]
) -> None:
    with serve(sequence(answer)) as fake:
        with pytest.raises(kind) as caught:
            CALLS[method](client_of(fake))
        assert len(fake.requests) == 1
        assert "\n" not in str(caught.value)


def test_404_of_server_without_rest_names_version() -> None:
    answer = Response(404, headers={"Server": "Nexus/3.19.1-01 (OSS)"})
    with serve(sequence(answer)) as fake, pytest.raises(errors.NotFound) as caught:
        client_of(fake).get("/v1/x")
    said = "404: the server is Nexus 3.19.1-01, whose REST API begins with 3.26.0. Install a newer one."
    assert str(caught.value).endswith(said)


def test_after_one_401_nothing_more_is_sent_with_that_password() -> None:
    with serve(sequence(Response(401))) as fake:
        wrong = client_of(fake)
        threads = [threading.Thread(target=wrong.login) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        again = NexusClient({"url": fake.url, "username": wrong.username, "password": SECRET})
        with pytest.raises(errors.Unauthorized, match="wrong logins lock the account"):
            again.get("/v1/x")
        assert len(fake.requests) == 1


def test_session_has_no_cookies_and_plain_user_agent() -> None:
    with serve(sequence(Response(200, {}, {"Set-Cookie": "NXSESSIONID=1; Path=/"}))) as fake:
        client = client_of(fake)
        client.get("/v1/x")
        client.get("/v1/x")
        headers = fake.requests[1].headers
        assert "Cookie" not in headers
        assert headers["User-Agent"] == "nexus-registry"
        assert headers["Cache-Control"] == "no-cache"
        assert headers["Authorization"].startswith("Basic ")


def test_refused_connection_is_retried_until_timeout() -> None:
    with serve(sequence(Response())) as fake:
        client = client_of(fake, retry_timeout=0.1)
    with pytest.raises(errors.Unreachable, match=r"refused.*Is the server running"):
        client.post("/v1/x", {})


def test_tls_handshake_cut_is_not_untrusted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def restarting() -> None:
            for _ in range(2):
                connection, _ = listening.accept()
                connection.recv(65536)
                connection.close()

        threading.Thread(target=restarting, daemon=True).start()
        client = NexusClient({"url": f"https://127.0.0.1:{listening.getsockname()[1]}"}, retry_timeout=0)
        for call in (CALLS["GET"], CALLS["POST"]):
            with pytest.raises(errors.OutcomeUnknown, match="the connection broke"):
                call(client)


@pytest.mark.parametrize(
    ("answer", "read", "said"),
    [
        ([{"name": "x"}], lambda client: client.get_list("/v1/x")[0]["id"], "lacks the field 'id'"),
        ({"in": {"name": "x"}}, lambda client: client.get_object("/v1/x")["in"]["id"], "lacks the field 'id'"),
        ({"name": "x"}, lambda client: client.get_list("/v1/x"), "is no list"),
        (["x"], lambda client: client.get_object("/v1/x"), "is no object"),
        ("", lambda client: client.get_object("/v1/x"), "is no object"),
    ],
    ids=["in a list", "deep in an object", "an object", "a list", "nothing"],
)
def test_unexpected_response_names_request_and_field(answer: Any, read: Call, said: str) -> None:
    with serve(sequence(Response(200, answer))) as fake, pytest.raises(errors.UnexpectedResponse) as caught:
        read(client_of(fake))
    assert said in str(caught.value)
    assert f"GET {fake.url}/service/rest/v1/x: " in str(caught.value)


def test_message_hides_password_that_server_repeats() -> None:
    with serve(sequence(Response(400, {"id": "password", "message": f"{SECRET} is too weak"}))) as fake:
        with pytest.raises(errors.Refused) as caught:
            CALLS["POST"](client_of(fake))
        assert SECRET not in str(caught.value) + repr(caught.value.messages)


@pytest.mark.parametrize(
    "secret",
    ['quoted" and \\', "two  blanks", "umlaut ä", "line 1\nline 2", "x" * 290 + "end" * 9],
    ids=["quotes", "blanks", "umlaut", "lines", "long"],
)
@pytest.mark.parametrize("quoted", [True, False])
def test_no_form_of_secret_is_in_message(secret: str, quoted: bool) -> None:
    """Quoted: as a JSON parser repeats a body that it can't read."""

    def script(request: Request) -> Response:
        return Response(400, [{"id": "*", "message": f"bad: {request.body if quoted else secret}"}])

    with serve(script) as fake, pytest.raises(errors.Refused) as caught:
        client_of(fake).post("/v1/x", {"properties": {"apiKey": secret}} if quoted else {"password": secret})
    said = f"{caught.value} {caught.value.messages}"
    forms = {secret, secret[:30], " ".join(secret.split()), json.dumps(secret)[1:-1]}
    assert not [form for form in forms if form in said]
    assert "[secret]" in said


@pytest.mark.parametrize(
    ("body", "messages", "fault"),
    [
        ('[{"id":"PARAMETER name","message":"Only letters"}]', (("name", "Only letters"),), ""),
        ('{"id":"*","message":"\\"Role \'x\' not found.\\""}', (("", "Role 'x' not found."),), ""),
        ('{"status-code":404,"siesta-faultid":"f1","status-message":"NOT_FOUND"}', (("", "NOT_FOUND"),), "f1"),
        ("ERROR: (ID f2) a.b.SomeException: it broke", (("", "it broke"),), "f2"),
        ("", (("", "Bad Gateway"),), ""),
        ("<html><head><title>502 Bad\n Gateway</title></head></html>", (("", "502 Bad Gateway"),), ""),
    ],
    ids=["list", "single", "siesta", "plain", "empty", "html"],
)
def test_all_six_shapes_of_failure_are_read(body: str, messages: tuple[tuple[str, str], ...], fault: str) -> None:
    read = decode_fault(body, reason="Bad Gateway")
    assert (read.messages, read.fault_id) == (messages, fault)


@pytest.mark.parametrize("host", ["a..example.com", "ü" * 60])
def test_probe_of_name_without_encoding_fails_as_other_addresses_do(host: str) -> None:
    with serve(sequence(Response())) as fake, pytest.raises(requests.RequestException):
        client_of(fake).probe(f"https://{host}/")
