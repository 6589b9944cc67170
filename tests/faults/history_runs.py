"""Runs a history on a real server, and reports unexpected results."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox.faults.catalogue import Fault
from sandbox.faults.proxy import FaultProxy
from sandbox.process import Process
from sandbox.stack import Result, Stack
from sandbox.values import Keyring

from ..contract.docker_api import Api, Registry
from ..contract.server import Nexus
from .histories import REALM, SETTINGS, STACK, ExpectedState, History, Key, Kill, Program, Run, password

PROGRAM = Path(__file__).parent / "programs/history"
PASSPHRASE = "right"
Open = Callable[[Path, Path], Stack]
"""Opens a stack, given the folder of its program and one for the rest."""


class HistoryError(AssertionError):
    """A history with an unexpected result."""


def is_message(error: str) -> bool:
    """Whether an error is one that the product raises, or of the engine, and no exception that nobody expected."""
    return bool(error) and not re.match(r"(?!nexus_registry\.)[\w.]+(Error|Exception|Warning)\b", error)


@dataclass
class HistoryServer:
    """The server that histories run on, one after the other, and how its objects look."""

    nexus: Nexus
    proxy: FaultProxy
    ports: dict[str, int]

    @property
    def api(self) -> Api:
        return Api(self.nexus, (self.nexus.username, self.nexus.password))

    def connection(self, host: str) -> dict[str, Any]:
        """Through the proxy, by either of its names."""
        url = self.proxy.url.replace("127.0.0.1", host)
        return {"url": url, "username": self.nexus.username, "password": self.nexus.password}

    def objects(self, prefix: str) -> dict[Key, dict[str, Any]]:
        """The objects of one history on the server."""
        get: Any = self.api.ok
        found: dict[Key, dict[str, Any]] = {}
        for one in get("GET", "security/roles?source=default"):
            if one["id"].startswith(prefix):
                description, privileges = one.get("description") or "", sorted(one["privileges"])
                found["role", one["id"].removeprefix(prefix)] = {
                    "description": description,
                    "privileges": privileges,
                }
        for one in get("GET", f"security/users?userId={prefix}&source=default"):
            id_, value = one["userId"], one["firstName"]
            login = Api(self.nexus, (id_, password(id_, value))).call("GET", "status").ok
            found["user", id_.removeprefix(prefix)] = {
                "first_name": value,
                "roles": sorted(one["roles"]),
                "login": login,
            }
        for one in get("GET", "repositorySettings"):
            if one["name"].startswith(prefix):
                policy = one["storage"]["writePolicy"].upper()
                found["repository", one["name"].removeprefix(prefix)] = {"write_policy": policy}
        if REALM in get("GET", "security/realms/active"):
            found["realm", "x"] = {"active": True}
        if get("GET", "security/anonymous")["enabled"]:
            found["anonymous", "y"] = {"enabled": True}
        return found

    def images(self, prefix: str, key: str) -> list[str]:
        """The ids of the images in a repository."""
        answer = self.api.call("GET", f"components?repository={prefix}{key}")
        return [one["id"] for one in answer.json()["items"]] if answer.ok else []

    def push(self, key: str) -> None:
        pushed = Registry(f"http://127.0.0.1:{self.ports[key]}", auth=self.api.auth).push("app", "1", b"i" * 100)
        assert pushed.ok, pushed.text

    def make_by_hand(self, prefix: str, kind: str, key: str) -> None:
        """An object like one of the program, but with other properties.

        A run that was refused may have left the program's own: the engine ends at the first deletion that fails.
        """
        if (kind, key) in self.objects(prefix):
            return
        id_ = f"{prefix}{key}"
        if kind == "role":
            role = {"id": id_, "name": id_, "description": "by hand", "privileges": ["nx-all"], "roles": []}
            self.api.ok("POST", "security/roles", role)
        else:
            user: dict[str, Any] = {"userId": id_, "firstName": "by hand", "lastName": "H"}
            user |= {"emailAddress": "h@example.org"}
            user |= {"password": "by-hand-1", "status": "active", "roles": ["nx-anonymous"]}
            self.api.ok("POST", "security/users", user)

    def clean(self, prefix: str) -> None:
        """Remove the objects of a history, and reset the settings that it changed."""
        paths = {"role": "security/roles", "user": "security/users", "repository": "repositories"}
        for kind, key in self.objects(prefix):
            if kind in paths:
                self.api.call("DELETE", f"{paths[kind]}/{prefix}{key}")
        self.api.ok("PUT", "security/realms/active", ["NexusAuthenticatingRealm"])
        anonymous = {"userId": "anonymous", "realmName": "NexusAuthorizingRealm", "enabled": False}
        self.api.ok("PUT", "security/anonymous", anonymous)


@dataclass
class HistoryRun:
    """One history under way."""

    server: HistoryServer
    stack: Stack
    history: History
    folder: Path
    expected: ExpectedState = field(init=False)
    program: Program = field(default_factory=Program)
    """What has been run to its end last."""
    log: list[str] = field(default_factory=list)
    orphans: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.expected = ExpectedState(self.history.prefix)

    def run(self) -> None:
        """All of it, and then a destroy."""
        for number, run in enumerate(self.history.runs, 1):
            self.log.append(f"run {number}:")
            self._one(run)
        self.log.append("destroy:")
        if any(not self.expected.forced[key] for key in self.expected.images):
            entries = tuple(replace(one, force=one.kind == "repository") for one in self.program.entries)
            self._write(replace(self.program, entries=entries))
            self._must(self._up(self.stack.up), "up with force_destroy")
        if not self._up(self.stack.destroy).ok:
            self._must(self._up(self.stack.destroy), "the second destroy")
        self.expected = replace(self.expected, objects={}, images=frozenset())
        self._compare()
        if self.stack.export()["resources"]:
            raise HistoryError("something is left in the state")

    def _one(self, run: Run) -> None:
        for kind, key in run.foreign:
            self.server.make_by_hand(self.history.prefix, kind, key)
        refuses = self.expected.refuses(run)
        kept = self.expected.may_refuse(run)
        self._write(run.program)
        replaced, targets = (list(map(run.program.urn, names)) for names in (run.replace, run.target))

        def up() -> Result:
            return self.stack.up(replace=replaced, target=targets)

        result = self._killed(run.kill, up) if run.kill else self._up(up)
        if result is None:
            self.expected = self.expected.killed(run)
            if not (run.again or refuses):
                self.expected = self.expected.after(replace(run, push=())).killed(
                    run
                )  # what the next one must come to
                self.program = run.program
                return
            result = self._up(up)
        if not result.ok:
            result = self._up(lambda: self.stack.up(target=targets))
        if not result.ok:
            if not refuses:
                self._must(result, "the second run")
            self.expected = replace(
                self.expected, loose=self.expected.loose | SETTINGS
            )  # names went there and back
            self._go_back(refuses)
            return
        if refuses:
            raise HistoryError(f"a repository with images was given up: {sorted(refuses)}")
        self.expected = self.expected.after(run)
        self.expected = replace(self.expected, images=self.expected.images | kept)
        self.program = run.program
        for key in run.push:
            if not self.server.images(self.history.prefix, key):
                self.server.push(key)
        self._compare()

    def _go_back(self, refused: set[str]) -> None:
        """A run that had to be refused: what was there before is there again after the program before."""
        self.log.append(f"  refused, as images are in {sorted(refused)}; back to the program before")
        adopting = tuple(replace(one, adopt=True) for one in self.program.entries)
        self._write(replace(self.program, entries=adopting))
        result = self._up(self.stack.up)
        if not result.ok:
            self._must(self._up(self.stack.up), "going back")
        self.expected = self.expected.after(Run(self.program))
        self._compare()

    def _write(self, program: Program) -> None:
        text = program.to_json(self.history.prefix, self.server.connection(program.host), self.server.ports)
        (self.folder / "program/history.json").write_text(text)

    def _up(self, command: Callable[[], Result]) -> Result:
        """Run the command; it succeeds, or fails with a message."""
        return self._checked(self._logged(command))

    def _checked(self, result: Result) -> Result:
        if not result.ok and not is_message(result.error):
            raise HistoryError(f"the error is no message: {result.error}\n{result.stdout}")
        return result

    def _logged(self, command: Callable[[], Result]) -> Result:
        result = command()
        steps = [f"{op} {urn.rpartition('::')[2]}" for op, urn in result.steps if op != "same"]
        self.log.append(
            f"  {'done' if result.ok else f'failed: {result.error}'} ({', '.join(steps) or 'nothing'})"
        )
        return result

    def _killed(self, how: Kill, command: Callable[[], Result]) -> Result | None:
        """The result of the command, when there was no moment to kill it."""
        left = list[Process]()

        def kill() -> None:
            engine = self.stack.running
            if not engine or engine.poll() is not None:
                return
            below = Process.below(engine.pid)
            with suppress(ProcessLookupError):
                os.kill(engine.pid, signal.SIGKILL)
            left.extend(below)
            if how.hosts_too:
                for one in below:
                    one.end(timeout=0, first=signal.SIGKILL)

        fault = Fault("killed", meanwhile=kill, acts=how.reached, silent=not how.reached)
        self.server.proxy.inject(fault, method="POST|PUT|DELETE", nth=how.nth)
        try:
            result = self._logged(command)
        finally:
            self.server.proxy.clear_and_wait()
        if not left:
            return self._checked(result)
        self.orphans += left
        self.log[-1] = f"  {how}"
        self.stack.after_a_kill()
        return None

    def _must(self, result: Result, what: str) -> None:
        if not result.ok:
            raise HistoryError(f"{what} fails: {result.error}\n{result.stdout}")

    def _differences(self) -> str:
        found, desired = self.server.objects(self.history.prefix), self.expected.objects
        for one in sorted(found.keys() | desired.keys()):
            loose = one not in desired and one[0] in self.expected.loose
            if not loose and found.get(one) != desired.get(one):
                return f"{' '.join(one)}: must be {desired.get(one)}, is {found.get(one)}"
        return ""

    def _compare(self) -> None:
        """The server has what it must have, and the images are there."""
        wrong = self._differences()
        if wrong:
            time.sleep(1)  # a list may lack for a moment what has just been written
            wrong = self._differences()
        if wrong:
            raise HistoryError(wrong)
        for key in self.expected.images:
            if not self.server.images(self.history.prefix, key):
                raise HistoryError(f"the image in repository {key} is gone")


_KEYRING: list[str] = []


@contextmanager
def opened(open_: Open, folder: Path) -> Iterator[tuple[Stack, Path]]:
    """A fresh stack of the program."""
    shutil.copytree(PROGRAM, folder / "program")
    (folder / "program/.venv").symlink_to(sys.prefix)
    if not _KEYRING:
        _KEYRING.append(Keyring(PASSPHRASE).salt)  # one for all: a new one takes its time
    settings = folder / f"work/config/Pulumi.{STACK}.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"encryptionsalt: {_KEYRING[0]}\n")
    yield open_(folder / "program", folder / "work"), folder


def run_history(server: HistoryServer, history: History, open_: Open, folder: Path) -> str:
    """Run a history from an empty server on; what is wrong, or nothing."""
    server.clean(history.prefix)
    server.proxy.clear()
    with opened(open_, folder) as (stack, where):
        trial = HistoryRun(server, stack, history, where)
        try:
            trial.run()
        except HistoryError as broken:
            return "\n".join([str(history), "what happened:", *trial.log, str(broken)])
        finally:
            for one in trial.orphans:
                one.end(timeout=0, first=signal.SIGKILL)
            server.clean(history.prefix)
    return ""
