"""The only code that speaks HTTP to Nexus: session, time-outs, retries, typed errors."""

from __future__ import annotations

import functools
import http.cookiejar
import random
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypedDict, cast
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from typing_extensions import Required

from . import lists
from .authority import tls_context
from .compat import parse, parse_server_header
from .credentials import Credentials
from .errors import (
    NexusError,
    OutcomeUnknown,
    RateLimited,
    Unauthorized,
    UnexpectedResponse,
    Unreachable,
)
from .lists import lists_of
from .progress import Wait, shown
from .redact import secrets_in
from .responses import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    error_from_exception,
    error_from_response,
    json_content,
    unexpected_response,
    unusable_url,
)

RETRY_TIMEOUT = 60.0
"""Seconds in which one request is tried again, and after which its failure stands."""


_HEADERS = {"User-Agent": "nexus-registry", "Accept": "application/json", "Cache-Control": "no-cache"}


class Connection(TypedDict, total=False):
    """How to reach a Nexus.

    Keys:
        url: address of the server with its context path, ``https://registry.example.com:8443``.
        username: the administrator.
        password: that user's password.
        ca: certificate authority in PEM for a server whose certificate no public authority signed.
        version: the version of the server, if known (``3.71.0-06``). A preview refuses properties that it lacks.
            Where a proxy hides the version that the server sends, requests have the form that this one takes.
        edition: ``oss``, ``community`` or ``pro``, if known. A preview refuses properties that only Pro has.
    """

    url: Required[str]
    username: str
    password: str
    ca: str
    version: str
    edition: str


class NexusClient:
    """A keep-alive session with one server as one user.

    Certificates are always verified, against the public authorities and ``ca``. ``HTTPS_PROXY`` and ``HTTP_PROXY``
    are honoured, except for the hosts in ``NO_PROXY``. The session keeps no cookies and
    sends a plain User-Agent: a cookie or the name of a browser triggers the CSRF protection of Nexus. It asks
    caches for the present state. Each thread has a connection of its own.

    The client retries, for at most ``retry_timeout`` seconds, after 0.25 s and then twice as long each time up to
    5 s, with jitter:

    - any request that cannot have arrived: name not found, connection refused, no connection within 5 s;
    - GET, PUT and DELETE when the response was lost, was cut short or is 502, 503 or 504; they may be repeated
      because a PUT states the whole object and a second DELETE finds nothing;
    - a GET with the response 500, twice (a server that has just started does that once);
    - any request with the response 429, twice, after the time in ``Retry-After`` where that is at most 10 s.

    The client does not retry:

    - a POST that may have been handled: it raises :class:`OutcomeUnknown`, and the caller looks up what is there;
    - any other refusal of Nexus (400, 401, 403, 404, 409, 415, 500), and a server in read-only mode;
    - a request whose certificate could not be verified, or that a proxy refused (403, 407);
    - a request whose response is another page, such as the login page of a proxy;
    - a response 429 with a longer time: Nexus restarts its quarter of an hour with each request of a user who has
      sent wrong passwords;
    - any request with a url, user and password that once got the response 401: since 3.93, a few wrong logins lock
      an account for a quarter of an hour. Until a password is known to be right, the client sends one request at
      a time with it.
    """

    def __init__(
        self, connection: Connection, *, retry_timeout: float = RETRY_TIMEOUT, adapter: HTTPAdapter | None = None
    ) -> None:
        self.connection = connection
        self.url = connection["url"].rstrip("/")
        self.username = connection.get("username", "")
        self.server = ""
        """The ``Server`` header last seen, such as ``Nexus/3.71.0-06 (OSS)``; ``""`` before the first response."""
        self._password = connection.get("password", "")
        self._credentials = Credentials.of(self.url, self.username, self._password)
        self._adapter = adapter or _Adapter(connection.get("ca"))
        self._retry_timeout = retry_timeout
        self._threads = threading.local()

    def get(self, path: str, **params: str) -> Any:
        """The JSON at ``path``. Reading a key that an object in it lacks raises :class:`UnexpectedResponse`."""
        return self._request("GET", path, params=params)

    def get_object(self, path: str, **params: str) -> dict[str, Any]:
        """The same; raises :class:`UnexpectedResponse` when it is no object."""
        return cast("dict[str, Any]", self._shaped(dict, "object", path, params))

    def get_list(self, path: str, **params: str) -> list[Any]:
        """The same; raises :class:`UnexpectedResponse` when it is no list."""
        return cast("list[Any]", self._shaped(list, "list", path, params))

    def get_items(self, path: str) -> list[Any]:
        """The entries of all pages of a list that Nexus returns with ``continuationToken``."""
        page = self.get_object(path)
        items = list(page["items"])
        while token := page.get("continuationToken"):
            page = self.get_object(path, continuationToken=token)
            items += page["items"]
        return items

    def cached_list(self, path: str, *, paged: bool = False) -> list[Any]:
        """The list at ``path``, at most ``lists.LIFETIME`` seconds old and older than no write of this process.

        For reads of many objects of one kind in a row; never for what decides on a write. That there is no such
        list is remembered, too.
        """
        read = self.get_items if paged else self.get_list
        return lists_of(self.url).get((path, self.username), lambda: read(path))

    @property
    def seen(self) -> dict[str, float]:
        """When an object was last seen on the server, for lookups; the same for all clients of the server."""
        return lists_of(self.url).seen

    def post(self, path: str, body: Any) -> Any:
        """Create an object; raises :class:`OutcomeUnknown` when the server may have created it."""
        return self._request("POST", path, json=body)

    def put(self, path: str, body: Any) -> Any:
        """Replace an object as a whole."""
        return self._request("PUT", path, json=body)

    def put_text(self, path: str, secret: str) -> None:
        """PUT plain text which is a secret: it is kept out of any message."""
        self._request("PUT", path, data=secret.encode(), headers={"Content-Type": "text/plain"}, secrets=(secret,))

    def post_raw(self, path: str, body: bytes, content_type: str) -> Any:
        """Send something that is no JSON: a certificate, a licence file."""
        return self._request("POST", path, data=body, headers={"Content-Type": content_type})

    def delete(self, path: str, body: Any = None) -> None:
        """Delete the object at ``path``; raises :class:`NotFound` when it does not exist."""
        self._request("DELETE", path, json=body)

    def login(self) -> bool:
        """Whether Nexus accepts this user and password. Sends one request, or none if they were refused before."""
        try:
            self._request("GET", "/v1/status")
        except Unauthorized:
            return False
        return True

    @property
    def served(self) -> tuple[str, str]:
        """Version and edition by the last response, or by the connection if a proxy hides them, as nginx does."""
        version, edition = parse_server_header(self.server)
        return version or self.connection.get("version") or "", edition or self.connection.get("edition") or ""

    def is_before(self, version: tuple[int, int]) -> bool:
        """Whether this server is older than ``version``. One whose version is not known is not."""
        if not self.server:
            self.login()
        served = self.served[0]
        return bool(served) and parse(served) < version

    def as_user(self, username: str, password: str) -> NexusClient:
        """A client for the same server as another user, over the same connections."""
        return NexusClient(
            {**self.connection, "username": username, "password": password},
            retry_timeout=self._retry_timeout,
            adapter=self._adapter,
        )

    def probe(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        auth: AuthBase | None = None,
        data: bytes | None = None,
    ) -> requests.Response:
        """One request at any address, without this client's credentials; raises what ``requests`` raises."""
        try:
            with shown(f"{method} {url} has no response yet"):
                return self._session().request(
                    method,
                    url,
                    data=data,
                    headers=headers,
                    auth=auth or _NoAuth(),
                    timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                    allow_redirects=False,
                )
        except requests.RequestException:
            raise
        except ValueError as error:  # of urllib3: a name that can't be encoded
            raise requests.exceptions.InvalidURL(str(error)) from None

    def _shaped(self, shape: type, name: str, path: str, params: Mapping[str, str]) -> Any:
        content = self._request("GET", path, params=params)
        if not isinstance(content, shape):
            raise unexpected_response(f"GET {self.url}/service/rest{path}", f"is no {name}")
        return content

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = requests.Session()
            session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
            session.headers.update(_HEADERS)
            session.mount("https://", self._adapter)
            session.mount("http://", self._adapter)
            self._threads.session = session
        return session

    def _request(self, method: str, path: str, **parts: Any) -> Any:
        """One request, tried again where that is safe. A write drops the lists that were read before it ended."""
        try:
            return self._sent(method, path, **parts)
        finally:
            if method != "GET":
                lists_of(self.url).clear()

    def _sent(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
    ) -> Any:
        url = f"{self.url}/service/rest{path}"
        what = f"{method} {url}"
        secrets = (self._password, *secrets, *secrets_in(json))
        attempts, progress = _Attempts(self._retry_timeout), Wait()
        while True:
            try:
                with self._credentials.use(), shown(f"{what} has no response yet"):
                    response = self._session().request(
                        method,
                        url,
                        params=params,
                        json=json,
                        data=data,
                        headers=headers,
                        auth=HTTPBasicAuth(self.username.encode(), self._password.encode()),
                        timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                        allow_redirects=False,
                    )
                    self._credentials.record(response.status_code)
                self.server = response.headers.get("Server", self.server)
                if 200 <= response.status_code < 300:
                    return json_content(method, what, response, secrets)
                failure = error_from_response(what, self.username, response, secrets)
            except requests.RequestException as error:
                failure = error_from_exception(what, error, url)
            except (UnexpectedResponse, OutcomeUnknown) as error:
                failure = error
            except ValueError:
                failure = unusable_url(what)
            wait = attempts.wait_before_another(method, failure)
            if wait is None:
                raise failure from None
            progress.show(str(failure))
            time.sleep(wait)


_clients: dict[tuple[str, ...], NexusClient] = {}
_clients_lock = threading.Lock()


def client_for(connection: Connection) -> NexusClient:
    """The one client of this process for this connection."""
    key = tuple(str(connection.get(part, "")) for part in Connection.__annotations__)
    with _clients_lock:
        if key not in _clients:
            _clients[key] = NexusClient(connection, retry_timeout=RETRY_TIMEOUT)
        return _clients[key]


def reset() -> None:
    """Forget every client, list and credential of this process, as a new process would."""
    with _clients_lock:
        _clients.clear()
    Credentials.reset()
    lists.reset()


_server_locks: dict[str, threading.RLock] = {}


@contextmanager
def server_lock(client: NexusClient) -> Iterator[None]:
    """Held around a read-change-write of something that exists once per server."""
    with _clients_lock:
        lock = _server_locks.setdefault(client.url, threading.RLock())
    if not lock.acquire(blocking=False):
        with shown("another resource of this server is changed"):
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def invalidate_credentials(client: NexusClient) -> None:
    """Call after a password was changed: a password that was wrong before may be right now."""
    Credentials.invalidate(client.url)


class _Attempts:
    """Decides whether and when a failed request is sent again: the list in NexusClient's docstring, as code."""

    def __init__(self, retry_timeout: float) -> None:
        self._deadline = time.monotonic() + retry_timeout
        self._pause = 0.25
        self._limited = self._server_errors = 0

    def wait_before_another(self, method: str, failure: NexusError) -> float | None:
        wait = self._pause * random.uniform(0.7, 1.3)  # noqa: S311 - not a secret
        if isinstance(failure, RateLimited):
            self._limited += 1
            again, wait = self._limited <= 2 and failure.retry_after <= 10, max(1.0, failure.retry_after)
        elif isinstance(failure, OutcomeUnknown):
            again = method != "POST"
        elif failure.status == 500 and method == "GET":
            self._server_errors += 1
            again = self._server_errors <= 2
        else:
            again = isinstance(failure, Unreachable)
        if not again or time.monotonic() + wait > self._deadline:
            return None
        self._pause = min(5.0, self._pause * 2)
        return wait


class _NoAuth(AuthBase):
    """Keeps ``requests`` from taking credentials out of a .netrc file."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


@functools.lru_cache(maxsize=8)
def _tls_of(ca: str | None) -> ssl.SSLContext:
    """Made once for each authority: reading the public ones takes a while."""
    return tls_context(ca or "")


class _Adapter(HTTPAdapter):
    """Verifies certificates against the public authorities and, where given, one more."""

    def __init__(self, ca: str | None) -> None:
        self._tls = _tls_of(ca)
        super().__init__(pool_maxsize=4)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._tls, **kwargs)
