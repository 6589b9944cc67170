"""The generator of histories: edits of a program, and how it is run; pure, the same for the same seed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from .histories import USED_BY, Entry, ExpectedState, History, Kill, Program, Run, settled

KEYS = {"role": "rs", "user": "uv", "repository": "de", "realm": "x", "anonymous": "y"}
"""Few objects of each kind, so that a new resource often meets an old object."""


@dataclass
class Draft:
    """A program under change."""

    random: Random
    program: Program
    fresh: Iterator[int]
    """Numbers for new names and values."""

    def value(self) -> str:
        return str(next(self.fresh))

    def with_alias(self) -> bool:
        return self.random.random() < 0.4

    def pick(self, *kinds: str) -> Entry | None:
        """Any entry of these kinds, or of all."""
        some = [one for one in self.program.entries if not kinds or one.kind in kinds]
        return self.random.choice(some) if some else None

    def put(self, old: Entry | None, new: Entry | None) -> None:
        """Change, add (no old one) or drop (no new one) an entry."""
        entries = [new if one == old else one for one in self.program.entries if new or one != old]
        if new and old is None:
            entries.append(new)
        self.program = replace(self.program, entries=tuple(one for one in entries if one))
        if old and (new is None or new.name != old.name):
            name = new.name if new else ""
            for one in self.program.entries:
                uses = name if one.uses == old.name else one.uses
                parent = name if one.parent == old.name else one.parent
                if (uses, parent) != (one.uses, one.parent):
                    self.put(one, replace(one, uses=uses, parent=parent))

    def free(self) -> list[tuple[str, str]]:
        """Objects that the program does not have."""
        every = [(kind, key) for kind, keys in KEYS.items() for key in keys]
        return [one for one in every if one not in self.program.by_object]

    def used(self, kind: str) -> str:
        """Something for an entry of this kind to use, more often than not."""
        some = [one.name for one in self.program.entries if one.kind == USED_BY.get(kind)]
        return self.random.choice([*some, *some, ""]) if some else ""

    def new(self, kind: str, key: str) -> Entry:
        repository = kind == "repository"
        force, port = repository and self.random.random() < 0.3, repository and key == "d"
        groups = [*self.program.groups, ""]
        name = f"n{next(self.fresh)}"
        parent = self.random.choice(groups)
        return Entry(name, kind, key, self.value(), parent=parent, uses=self.used(kind), force=force, port=port)


def add(draft: Draft) -> str:
    if not (free := draft.free()):
        return ""
    new = draft.new(*draft.random.choice(free))
    draft.put(None, new)
    return f"add {new}"


def remove(draft: Draft) -> str:
    if not (old := draft.pick()):
        return ""
    draft.put(old, None)
    return f"remove {old.name}"


def rename(draft: Draft) -> str:
    """With or without an alias."""
    if not (old := draft.pick()):
        return ""
    alias = draft.with_alias()
    aliases = (*old.aliases, draft.program.urn(old.name)) if alias else ()
    new = replace(old, name=f"n{next(draft.fresh)}", aliases=aliases)
    draft.put(old, new)
    return f"rename {old.name} to {new.name} with{'' if alias else 'out'} an alias"


def rename_group(draft: Draft) -> str:
    if not draft.program.groups:
        return ""
    old, alias = draft.random.choice(list(draft.program.groups)), draft.with_alias()
    new = f"g{next(draft.fresh)}"
    aliases = (*draft.program.groups[old], draft.program.urn(old)) if alias else ()
    groups = {
        new if name == old else name: aliases if name == old else was for name, was in draft.program.groups.items()
    }
    entries = tuple(replace(one, parent=new) if one.parent == old else one for one in draft.program.entries)
    draft.program = replace(draft.program, groups=groups, entries=entries)
    return f"rename component {old} to {new} with{'' if alias else 'out'} an alias"


def move(draft: Draft) -> str:
    """Below a component, another resource, or nothing."""
    if not (old := draft.pick()):
        return ""
    others = [
        name for name in ["", *draft.program.groups, *draft.program.by_name] if name not in (old.parent, old.name)
    ]
    if draft.random.random() < 0.4:
        draft.program = replace(
            draft.program, groups={**draft.program.groups, (made := f"g{next(draft.fresh)}"): ()}
        )
        others = [made]
    if not others:
        return ""
    alias, parent = draft.with_alias(), draft.random.choice(others)
    aliases = (*old.aliases, draft.program.urn(old.name)) if alias else ()
    new = replace(old, parent=parent, aliases=aliases)
    draft.put(old, new)
    return f"move {old.name} below {parent or 'nothing'} with{'' if alias else 'out'} an alias"


def swap(draft: Draft) -> str:
    """The objects of two resources of a kind, and maybe their values too."""
    if not (one := draft.pick("role", "user", "repository")):
        return ""
    if not (others := [it for it in draft.program.entries if it.kind == one.kind and it != one]):
        return ""
    other = draft.random.choice(others)
    values = draft.random.random() < 0.3
    first = replace(one, key=other.key, port=other.port, value=other.value if values else one.value)
    second = replace(other, key=one.key, port=one.port, value=one.value if values else other.value)
    entries = tuple({one: first, other: second}.get(it, it) for it in draft.program.entries)
    draft.program = replace(draft.program, entries=entries)
    return f"swap the ids of {one.name} and {other.name}{', and their values' if values else ''}"


def take(draft: Draft) -> str:
    """One resource takes the object of another, which gets a new object."""
    if not (one := draft.pick("role", "user", "repository")):
        return ""
    others = [it for it in draft.program.entries if it.kind == one.kind and it != one]
    free = [key for kind, key in draft.free() if kind == one.kind] + [one.key]
    if not others:
        return ""
    other, key = draft.random.choice(others), draft.random.choice(free)
    first = replace(one, key=other.key, port=other.port)
    second = replace(other, key=key, port=other.kind == "repository" and key == "d")
    entries = tuple({one: first, other: second}.get(it, it) for it in draft.program.entries)
    draft.program = replace(draft.program, entries=entries)
    return f"{one.name} takes the {one.kind} {other.key} of {other.name}, which is {key} now"


def rekey(draft: Draft) -> str:
    old = draft.pick("role", "user", "repository")
    keys = [key for kind, key in draft.free() if old and kind == old.kind]
    if not (old and keys):
        return ""
    key = draft.random.choice(keys)
    draft.put(old, replace(old, key=key, port=old.kind == "repository" and key == "d"))
    return f"{old.name}'s {old.kind} is {key} now"


def hand_over(draft: Draft) -> str:
    """A resource is removed, and a new one has its object, with other properties."""
    if not (old := draft.pick()):
        return ""
    draft.put(old, None)
    new = draft.new(old.kind, old.key)
    draft.put(None, new)
    return f"remove {old.name}; add {new}"


def change(draft: Draft) -> str:
    if not (old := draft.pick("role", "user", "repository")):
        return ""
    value = draft.value()
    draft.put(old, replace(old, value=value))
    return f"{old.name}'s value is {value} now"


def use(draft: Draft) -> str:
    if not (old := draft.pick("user", "role")):
        return ""
    uses = draft.used(old.kind)
    if uses == old.uses or old.name in draft.program.closure([uses]):
        return ""
    draft.put(old, replace(old, uses=uses))
    return f"{old.name} uses {uses or 'nothing'} now"


def force(draft: Draft) -> str:
    if not (old := draft.pick("repository")):
        return ""
    draft.put(old, replace(old, force=not old.force))
    return f"{old.name}'s force_destroy is {not old.force} now"


def url(draft: Draft) -> str:
    host = "localhost" if draft.program.host == "127.0.0.1" else "127.0.0.1"
    draft.program = replace(draft.program, host=host)
    return f"the server is called {host} now"


Edit = Callable[[Draft], str]
EDITS: dict[Edit, int] = {
    add: 3,
    remove: 3,
    rename: 4,
    rename_group: 2,
    move: 3,
    swap: 3,
    take: 2,
    rekey: 1,
    hand_over: 2,
    change: 3,
    use: 2,
    force: 1,
    url: 1,
}
NAMES: tuple[Edit, ...] = (rename, rename_group, move)
"""Edits after which every object is wanted as before."""
NO_IDS: tuple[Edit, ...] = (add, change, force)
"""Edits that may be carried out for some resources only.

New names are not among them: with a target below a renamed component, engine 3.259.0 writes a state that has a URN
twice, and then refuses it ("snapshot integrity error").
"""


def history(seed: int) -> History:
    """The history of this seed: two to five runs."""
    random = Random(seed)  # noqa: S311 - no secret
    draft = Draft(random, Program(), itertools.count(1))
    draft.program = Program(groups={f"g{next(draft.fresh)}": ()} if random.random() < 0.5 else {})
    for _ in range(random.randint(3, 5)):
        add(draft)
    pushed = {one.key for one in draft.program.entries if one.port and random.random() < 0.5}
    runs = [Run(draft.program, edits=("the first program",), push=tuple(pushed))]
    expected = ExpectedState().after(runs[0])
    for _ in range(random.randint(1, 4)):
        before = draft.program
        run = _next(draft, runs[-1])
        while expected.entangles(run.program):
            draft.program = before
            run = _next(draft, runs[-1])
        runs.append(run := expected.adopting(run))
        if expected.refuses(run):
            runs[-1] = replace(run, kill=None, push=())
            draft.program = before
        elif run.kill and not run.again:
            expected = expected.after(replace(run, push=())).killed(run)
        else:
            expected = (expected.killed(run) if run.kill else expected).after(run)
    if runs[-1].kill:  # the last one ends
        runs[-1] = replace(runs[-1], again=True)
    made = settled(History(seed, tuple(runs)))
    assert made
    return made


def _next(draft: Draft, last: Run) -> Run:
    random, before = draft.random, last.program
    loose = last.kill is not None and not last.again
    targeted = not loose and random.random() < 0.15
    allowed = NAMES if loose else NO_IDS if targeted else tuple(EDITS)
    if not (loose or last.target) and random.random() < 0.5:
        draft.program = _without_aliases(draft.program)
    edits, desired = list[str](), random.randint(1, 3)
    for _ in range(20):
        if len(edits) == desired:
            break
        kept = draft.program
        edit = random.choices(allowed, [EDITS[one] for one in allowed])[0]
        said = edit(draft)
        if said and not draft.program.problems():
            edits.append(said)
        else:
            draft.program = kept
    program = draft.program
    run = Run(program, edits=tuple(edits))
    if targeted and program.entries:
        asked = random.sample([one.name for one in program.entries], random.randint(1, len(program.entries)))
        return replace(run, target=tuple(sorted(program.closure(asked))))
    if not loose and random.random() < 0.6:
        run = _adopt(draft, run, before)
    if not loose and not last.target and random.random() < 0.2:
        run = replace(run, replace=_replaceable(draft, before, run.program))
    if random.random() < 0.35:
        kill = Kill(random.randint(1, 6), random.random() < 0.5, random.random() < 0.5)
        # A kill between a deletion and its note in the state: nothing but --replace makes the object again.
        run = replace(run, kill=kill, again=bool(run.replace) or random.random() < 0.6)
    elif random.random() < 0.3:
        run = replace(run, push=tuple({one.key for one in run.program.entries if one.port}))
    return run


def _without_aliases(program: Program) -> Program:
    """Edits after the first run of every stack."""
    entries = tuple(replace(one, aliases=()) for one in program.entries)
    return replace(program, groups=dict.fromkeys(program.groups, ()), entries=entries)


def _adopt(draft: Draft, run: Run, before: Program) -> Run:
    """Create an object of this run by hand before it, with other properties."""
    new = [
        one for one in run.program.entries if one.object not in before.by_object and one.kind in ("role", "user")
    ]
    new = [one for one in new if not any(one.name == old.name for old in before.entries)]
    if not new:
        return run
    one = draft.random.choice(new)
    return replace(run, foreign=(one.object,))


def _replaceable(draft: Draft, before: Program, program: Program) -> tuple[str, ...]:
    """One resource that is there under this URN, for the same object."""
    same = [one.name for one in program.entries if before.by_name.get(one.name, one).object == one.object]
    there = [name for name in same if program.urn(name) in before.urns and not program.by_name[name].aliases]
    return (draft.random.choice(there),) if there else ()
