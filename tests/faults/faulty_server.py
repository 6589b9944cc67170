"""A server with things on it that must survive, seen through the fault proxy, and what a run did to it."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import requests
from nexus_registry.providers import client as client_module
from nexus_registry.providers.client import Connection
from nexus_registry.providers.errors import NexusError

from sandbox.faults.catalogue import Fault
from sandbox.faults.proxy import FaultProxy

from ..contract.docker_api import Api
from ..contract.server import Nexus
from ..contract.tracked import Tracked

PLAYED_VERSION = "3.77.0-01"
"""The version that the stand-in plays here, the first with a licence to accept."""
FASTER = 30
KEPT_FILE = b"kept" * 1000


class _FastClock:
    """A clock that makes the client's pauses and timeout shorter, but not the time that the server needs."""

    @staticmethod
    def monotonic() -> float:
        return time.monotonic() * FASTER

    @staticmethod
    def sleep(seconds: float) -> None:
        time.sleep(seconds / FASTER)


@contextmanager
def short_timeouts() -> Iterator[None]:
    """The client waits 30 times as fast and its time-outs are 1 s: for runs that meet a fault and may fail."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client_module, "time", _FastClock)
        patch.setattr(client_module, "READ_TIMEOUT", 1.0)
        patch.setattr(client_module, "CONNECT_TIMEOUT", 1.0)
        yield


def new_process() -> None:
    """Forget what the client knows: the next run begins like one in a process of its own."""
    client_module.reset()


@dataclass
class FaultyServer:
    """The server, the proxy before it, and the two ways to it."""

    nexus: Nexus
    proxy: FaultProxy
    logins: list[tuple[str, str]] = field(default_factory=list)
    """The logins that each snapshot tries."""

    @property
    def api(self) -> Api:
        """Straight to the server."""
        return Api(self.nexus, (self.nexus.username, self.nexus.password))

    @property
    def connection(self) -> Connection:
        """Through the proxy."""
        authority = self.nexus.authority.certificate_pem
        return {"url": self.proxy.url, "username": "admin", "password": self.nexus.password, "ca": authority}

    def seed(self) -> None:
        """Create what no run may change: two raw repositories, one with a file, a role, a user with it."""
        storage = {"blobStoreName": "default", "strictContentTypeValidation": False, "writePolicy": "ALLOW"}
        for name in ("kept-raw", "kept-other-raw"):
            self.api.ok("POST", "repositories/raw/hosted", {"name": name, "online": True, "storage": storage})
        url = f"{self.nexus.url}/repository/kept-raw/kept.bin"
        requests.put(url, data=KEPT_FILE, auth=self.api.auth, timeout=30).raise_for_status()
        role = {"id": "kept-role", "name": "kept", "description": "", "privileges": ["nx-all"], "roles": []}
        self.api.ok("POST", "security/roles", role)
        for user_id, password in (("kept-user", "kept-pw-1"), ("keeper", "keeper-pw-1")):
            user = {"userId": user_id, "firstName": "K", "lastName": "K", "emailAddress": "k@example.org"}
            user |= {"password": password, "status": "active"}
            self.api.ok("POST", "security/users", {**user, "roles": ["kept-role"]})
        self.logins.append(("kept-user", "kept-pw-1"))

    def snapshot(self) -> dict[str, Any]:
        """Everything that the server has."""
        get = self.api.ok
        repositories = sorted(get("GET", "repositorySettings"), key=lambda one: str(one["name"]))
        kept = requests.get(f"{self.nexus.url}/repository/kept-raw/kept.bin", auth=self.api.auth, timeout=30)
        return {
            "repositories": repositories,
            "components": {
                one["name"]: sorted(
                    (item["name"], item["version"] or "")
                    for item in get("GET", f"components?repository={one['name']}")["items"]
                )
                for one in repositories
            },
            "the kept file": kept.content == KEPT_FILE,
            "roles": sorted(get("GET", "security/roles"), key=lambda one: str(one["id"])),
            "users": sorted(get("GET", "security/users"), key=lambda one: str(one["userId"])),
            "privileges": sorted(one["name"] for one in get("GET", "security/privileges")),
            "realms": get("GET", "security/realms/active"),
            "anonymous": get("GET", "security/anonymous"),
            "licence": get("GET", "system/eula")["accepted"],
            "logins": {login: Api(self.nexus, login).call("GET", "status").ok for login in self.logins},
        }


@dataclass
class RunResult:
    """What one run came to: ``done`` or the type of its one-sentence error; ``wrong`` when it is neither."""

    said: str
    sentence: str = ""
    wrong: str = ""
    seconds: float = 0.0


def run(
    operation: Callable[[], Any], expected: set[Any], secrets: tuple[str, ...], *, fresh: bool = True
) -> RunResult:
    """One run, in a ``fresh`` process of its own; ``expected`` is what the operation may return."""
    if fresh:
        new_process()
    began = time.monotonic()
    try:
        result = operation()
    except NexusError as error:
        text, said = str(error), type(error).__name__
        wrong = "" if "\n" not in text and len(text) < 700 else f"{text!r} is not one sentence"
        if any(secret in text for secret in secrets):
            wrong = f"a secret is in {text!r}"
        return RunResult(said, text, wrong, time.monotonic() - began)
    except Exception as error:
        return RunResult(type(error).__name__, wrong=f"traceback: {error!r}", seconds=time.monotonic() - began)
    wrong = "" if result in expected else f"it said {result!r}"
    return RunResult("done", wrong=wrong, seconds=time.monotonic() - began)


@dataclass
class FaultResult:
    """Both runs of a cell, what the audit of the server said, and whether the fault happened at all."""

    first: RunResult
    second: RunResult
    lost: str
    happened: bool


def differences(desired: dict[str, Any], found: dict[str, Any]) -> str:
    """The differences as text: of a list or a table, only the entries that differ."""

    def entries(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [f"{key}: {inner!r}" for key, inner in value.items()]
        return [repr(inner) for inner in value] if isinstance(value, list) else [repr(value)]

    said = []
    for key in desired:
        before, after = entries(desired[key]), entries(found[key])
        lacks, more = ([one for one in a if one not in b] for a, b in ((before, after), (after, before)))
        if desired[key] != found[key]:
            said.append(f"{key}: lacks {', '.join(lacks) or 'nothing'}; has {', '.join(more) or 'nothing'} more")
    return "; ".join(said)


def run_with_fault(
    faulty: FaultyServer,
    state: Tracked,
    operation: Callable[[Tracked], Any],
    expected: tuple[set[str], set[str]],
    after: dict[str, Any],
    fault: Fault,
    nth: int,
    secrets: tuple[str, ...] = (),
) -> FaultResult:
    """An operation that meets a fault at its ``nth`` request, the same again without one, and the audit.

    ``expected`` is what the operation returns the first time and when all is done; ``after`` the snapshot that an
    undisturbed run leaves.
    """
    tracked = replace(state, inputs=copy.deepcopy(state.inputs), outs=copy.deepcopy(state.outs))
    faulty.proxy.inject(fault, nth=nth)
    with short_timeouts():
        first = run(lambda: operation(tracked), expected[0], secrets)
    happened = faulty.proxy.hits > 0
    faulty.proxy.clear_and_wait()
    second = run(lambda: operation(tracked), expected[0] | expected[1], secrets)
    lost = first.wrong or second.wrong
    if not lost and second.said != "done":
        lost = f"by hand: the second run says {second.said}: {second.sentence}"
    if not lost and (differing := differences(after, faulty.snapshot())):
        lost = f"the server has {differing}"
    return FaultResult(first, second, lost, happened)
