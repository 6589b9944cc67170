"""Histories of a program, made from a seed, and what the server must hold after each of their runs; pure.

A history is a list of runs. Each run has the whole program, so a history with a run or an entry left out is one
too: that is how a failing one is made smaller.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

STACK, PROJECT = "dev", "history"
GROUP = "history:index:Group"
TYPES = {
    "role": "pulumi-python:dynamic/nexus:Role",
    "user": "pulumi-python:dynamic/nexus:User",
    "repository": "pulumi-python:dynamic/nexus:DockerHostedRepository",
    "realm": "pulumi-python:dynamic/nexus:RealmActivation",
    "anonymous": "pulumi-python:dynamic/nexus:AnonymousAccess",
}
USED_BY = {"user": "role", "role": "repository"}
"""The kind that an entry may refer to: a user a role, a role the privileges of a repository."""
REALM = "DefaultRole"
"""A realm that every Core has and that nothing else keeps active."""
Key = tuple[str, str]
"""Kind and short name of an object on the server."""


@dataclass(frozen=True)
class Entry:
    """A resource of the program: ``key`` is which object it is, ``value`` the property that edits change."""

    name: str
    kind: str
    key: str
    value: str
    parent: str = ""
    uses: str = ""
    aliases: tuple[str, ...] = ()
    adopt: bool = False
    force: bool = False
    port: bool = False

    @property
    def object(self) -> Key:
        return self.kind, self.key

    def __str__(self) -> str:
        more = [f"uses {self.uses}"] * bool(self.uses) + [f"below {self.parent}"] * bool(self.parent)
        more += ["adopt"] * self.adopt + ["force_destroy"] * self.force + ["with a port"] * self.port
        more += [f"was {urn.partition('::')[2].partition('::')[2]}" for urn in self.aliases]
        return ", ".join([f"{self.name} = {self.kind} {self.key}: {self.value}", *more])


@dataclass(frozen=True)
class Program:
    """What the program says: components, entries, the host name in its connection."""

    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Each with its aliases."""
    entries: tuple[Entry, ...] = ()
    host: str = "127.0.0.1"

    @property
    def by_name(self) -> dict[str, Entry]:
        return {one.name: one for one in self.entries}

    @property
    def by_object(self) -> dict[Key, Entry]:
        return {one.object: one for one in self.entries}

    def urn(self, name: str) -> str:
        """The URN of a component or an entry."""
        types, at = list[str](), name
        while entry := self.by_name.get(at):
            types.append(TYPES[entry.kind])
            at = entry.parent
        types += [GROUP] * (at in self.groups)
        return f"urn:pulumi:{STACK}::{PROJECT}::{'$'.join(reversed(types))}::{name}"

    @property
    def urns(self) -> set[str]:
        return {self.urn(name) for name in [*self.groups, *self.by_name]}

    def ordered(self) -> tuple[Entry, ...]:
        """The entries, each after what it uses and what it is below."""
        done: dict[str, Entry] = {}

        def add(entry: Entry) -> None:
            for name in (entry.parent, entry.uses):
                if name in self.by_name and name not in done:
                    add(self.by_name[name])
            done[entry.name] = entry

        for one in self.entries:
            add(one)
        return tuple(done.values())

    def problems(self) -> list[str]:
        """Why an engine would refuse it."""
        found = ["a name twice"] * (len({*self.groups, *self.by_name}) < len(self.groups) + len(self.entries))
        found += ["an object twice"] * (len(self.by_object) < len(self.entries))
        for one in self.entries:
            if one.uses and (self.by_name.get(one.uses) or one).kind != USED_BY.get(one.kind):
                found.append(f"{one.name} uses {one.uses}")
            if one.parent and one.parent not in {*self.groups, *self.by_name}:
                found.append(f"{one.name} is below {one.parent}")
        if any(one.name in self.closure([one.parent, one.uses]) for one in self.entries):
            return [*found, "one is below itself, or uses itself"]
        claimed = [urn for one in self.entries for urn in one.aliases] + [
            u for g in self.groups.values() for u in g
        ]
        found += ["an alias twice"] * (len(set(claimed)) < len(claimed))
        found += [f"{urn} is here again" for urn in set(claimed) & self.urns]
        return found

    def closure(self, names: Iterable[str]) -> set[str]:
        """These and all that they use and are below."""
        reached, at = set[str](), list(names)
        while at:
            name = at.pop()
            if name and name not in reached:
                reached.add(name)
                if entry := self.by_name.get(name):
                    at += [entry.parent, entry.uses]
        return reached

    def expected(self, entry: Entry, prefix: str) -> dict[str, Any]:
        """What the server must hold of an entry."""
        used = self.by_name.get(entry.uses)
        if entry.kind == "role":
            more = [f"nx-repository-view-docker-{prefix}{used.key}-read"] if used else []
            return {"description": entry.value, "privileges": sorted(["nx-search-read", *more])}
        if entry.kind == "user":
            roles = sorted(["nx-anonymous", *([f"{prefix}{used.key}"] if used else [])])
            return {"first_name": entry.value, "roles": roles, "login": True}
        if entry.kind == "repository":
            return {"write_policy": POLICIES[int(entry.value) % 2]}
        return {"enabled": True} if entry.kind == "anonymous" else {"active": True}

    def inputs(self, entry: Entry, prefix: str, ports: Mapping[str, int]) -> dict[str, Any]:
        """The resource's own inputs, without what it takes from another."""
        id_ = f"{prefix}{entry.key}"
        more: dict[str, Any] = {"adopt": True} if entry.adopt else {}
        if entry.kind == "role":
            return {"role_id": id_, "description": entry.value, "privileges": ["nx-search-read"], **more}
        if entry.kind == "user":
            named = {"user_id": id_, "first_name": entry.value, "password": password(id_, entry.value)}
            return {**named, "roles": ["nx-anonymous"], **more}
        if entry.kind == "repository":
            more |= {"http_port": ports[entry.key]} if entry.port else {}
            more |= {"force_destroy": True} if entry.force else {}
            return {"name": id_, "write_policy": POLICIES[int(entry.value) % 2], **more}
        return {"enabled": True, **more} if entry.kind == "anonymous" else {"realm": REALM, **more}

    def to_json(self, prefix: str, connection: Mapping[str, Any], ports: Mapping[str, int]) -> str:
        """What the program reads."""
        entries = [
            {
                "name": one.name,
                "kind": one.kind,
                "inputs": self.inputs(one, prefix, ports),
                "parent": one.parent,
                "uses": one.uses,
                "aliases": list(one.aliases),
            }
            for one in self.ordered()
        ]
        groups = {name: list(aliases) for name, aliases in self.groups.items()}
        return json.dumps({"connection": {**connection}, "groups": groups, "entries": entries}, indent=1)


POLICIES = ("ALLOW", "ALLOW_ONCE")


def password(id_: str, value: str) -> str:
    """The password of a user, which changes with its value."""
    return f"{id_}-pw-{value}"


@dataclass(frozen=True)
class Kill:
    """The engine is killed at its ``nth`` request that changes something, before or after the server has it."""

    nth: int
    reached: bool
    hosts_too: bool
    """Whether what serves the providers ends with it."""

    def __str__(self) -> str:
        return (
            f"killed {'after' if self.reached else 'before'} change {self.nth}"
            f"{', its providers too' if self.hosts_too else ''}"
        )


@dataclass(frozen=True)
class Run:
    """One run: the program, how it is run, and what happens by hand before and after."""

    program: Program
    edits: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    kill: Kill | None = None
    again: bool = True
    """After a kill: whether the same is run again before the program changes."""
    foreign: tuple[Key, ...] = ()
    """Objects that are created by hand before it."""
    push: tuple[str, ...] = ()
    """Repositories into which an image is pushed after it."""

    def lines(self) -> list[str]:
        flags = [f"--replace {name}" for name in self.replace] + [f"--target {name}" for name in self.target]
        hand = [f"made by hand: {kind} {key}" for kind, key in self.foreign]
        end = [str(self.kill) + ("" if self.again else ", the next program at once")] if self.kill else []
        end += [f"an image into {key}" for key in self.push]
        return [*hand, *self.edits, " ".join(["up", *flags]), *end]


@dataclass(frozen=True)
class History:
    """All runs under one seed; ``prefix`` makes its objects its own on a shared server."""

    seed: int
    runs: tuple[Run, ...]

    @property
    def prefix(self) -> str:
        return f"h{self.seed}-"

    def __str__(self) -> str:
        lines = [f"history {self.seed}"]
        for number, run in enumerate(self.runs, 1):
            lines += [f"  run {number}:", *(f"    {line}" for line in run.lines())]
            hosts = "" if run.program.host == "127.0.0.1" else f" at {run.program.host}"
            lines += [f"    program{hosts}:", *(f"      {one}" for one in run.program.ordered())]
        return "\n".join(lines)


@dataclass(frozen=True)
class ExpectedState:
    """What the server must hold by what has been run, and what the state does."""

    prefix: str = ""
    objects: Mapping[Key, dict[str, Any]] = field(default_factory=dict)
    images: frozenset[str] = frozenset()
    """Keys of the repositories in which an image must still be."""
    forced: Mapping[str, bool] = field(default_factory=dict)
    """What the state says of force_destroy, by the key of the repository."""
    loose: frozenset[str] = frozenset()
    """Kinds whose deletion may leave something: a create could not know whose the setting was that it found,
    that of a killed run or that of a resource under another name."""
    urns: frozenset[str] = frozenset()
    """What is in the state."""
    owners: Mapping[Key, str] = field(default_factory=dict)
    """The URN in the state of what has an object."""
    unsettled: bool = False
    """Whether a killed run was the last one."""

    def new(self, program: Program) -> list[Entry]:
        """Entries that the state does not have, though it may have their objects under another name."""
        return [one for one in program.entries if not {program.urn(one.name), *one.aliases} & self.urns]

    def after(self, run: Run) -> ExpectedState:
        """When a run, or the second try at it, has ended well."""
        program = run.program
        asked = [one for one in program.entries if one.name in run.target or not run.target]
        held = {one.object: program.expected(one, self.prefix) for one in asked}
        forced = {one.key: one.force for one in asked if one.kind == "repository"}
        objects = {**self.objects, **held} if run.target else held
        replaced = {program.by_name[name].object for name in run.replace}
        images = {key for key in self.images if ("repository", key) in objects.keys() - replaced} | set(run.push)
        renamed = {one.kind for one in self.new(program) if one.object in self.objects}
        urns = {program.urn(name) for name in [*program.groups, *program.by_name] if name in run.target}
        return replace(
            self,
            objects=objects,
            images=frozenset(images),
            forced={**self.forced, **forced} if run.target else forced,
            loose=self.loose | renamed & SETTINGS,
            urns=self.urns | urns if run.target else frozenset(program.urns),
            owners={**(self.owners if run.target else {}), **{one.object: program.urn(one.name) for one in asked}},
            unsettled=False,
        )

    def killed(self, run: Run) -> ExpectedState:
        """When a run was killed."""
        found = {one.kind for one in self.new(run.program)}
        found |= {run.program.by_name[name].kind for name in run.replace}
        return replace(self, loose=self.loose | found & SETTINGS, unsettled=True)

    def refuses(self, run: Run) -> set[str]:
        """Repositories whose images must make the run fail, because nothing in it wants the repository."""
        given_up = {key for key in self.images if ("repository", key) not in run.program.by_object}
        return {key for key in given_up if not run.target and not self.forced[key]}

    def may_refuse(self, run: Run) -> set[str]:
        """Repositories with images that it replaces without force_destroy."""
        replaced = {run.program.by_name[name] for name in run.replace}
        keys = {one.key for one in replaced if one.kind == "repository"} & self.images
        return {key for key in keys if not self.forced[key]}

    def entangled(self, program: Program) -> set[Key]:
        """The objects that something takes from what depends on it.

        The engine asks nothing about that one before the taker is done, so no provider can see that it gives the
        object up: the taker needs ``adopt``.
        """
        names = {urn: one.name for one in program.entries for urn in (program.urn(one.name), *one.aliases)}
        found = set[Key]()
        for one in program.entries:
            owner = names.get(self.owners.get(one.object, ""), one.name)
            if owner != one.name and one.name in program.closure([owner]):
                found.add(one.object)
        return found

    def entangles(self, program: Program) -> bool:
        """Whether that is so for a repository: one with images is deleted by nobody, so the run is refused."""
        return any(kind == "repository" for kind, _ in self.entangled(program))

    def adopting(self, run: Run) -> Run:
        """The run with ``adopt`` where it needs that: the object has other properties, and its owner is gone.

        A provider can't see that a resource which is in the state and not in the program had the object.
        """
        known, entries = set(run.program.urns), list[Entry]()
        entangled = self.entangled(run.program)
        known.update(urn for one in run.program.entries for urn in one.aliases)
        for one in run.program.entries:
            held, desired = self.objects.get(one.object), run.program.expected(one, self.prefix)
            # A replaced role is stripped from the users that have it.
            other = held not in (None, desired) or (held and run.replace)
            taken = self.owners.get(one.object) not in known and bool(other)
            adopts = self.unsettled or one.object in run.foreign or taken or one.object in entangled
            entries.append(replace(one, adopt=one.adopt or adopts))
        program = replace(run.program, entries=tuple(entries))
        there = tuple(name for name in run.replace if program.urn(name) in self.urns)
        return replace(run, program=program, replace=() if self.unsettled else there)


SETTINGS = {"realm", "anonymous"}
"""Kinds that are there before anybody creates them."""


def settled(history: History) -> History | None:
    """The history with what each run needs because of those before it; a refused one changes nothing.

    None if there is a run of which no provider can see what it does.
    """
    expected, runs = ExpectedState(history.prefix), list[Run]()
    for run in history.runs:
        if expected.entangles(run.program):
            return None
        now = expected.adopting(run)
        runs.append(now)
        if expected.refuses(now):
            continue
        if now.kill and not now.again:
            expected = expected.after(replace(now, push=())).killed(now)
        else:
            expected = (expected.killed(now) if now.kill else expected).after(now)
    return replace(history, runs=tuple(runs))
