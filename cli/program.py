"""Computes the resources that declare a server's objects: names, references, order. Plain data in and out."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nexus_registry.providers.rest import ObjectProvider

from .inputs import Inputs, inputs_of
from .objects import Kind, Object, Snapshot, module_of, provider_of, scope_of
from .source import identifier, natural


@dataclass
class Secret:
    """A value that the server does not return, and the configuration key that takes its place."""

    key: str
    owner: str
    argument: str
    needed: bool


@dataclass
class Entry:
    """One resource of the program."""

    object: Object
    inputs: Inputs
    module: str
    variable: str
    name: str
    refers: dict[tuple[str, str], Reference] = field(default_factory=dict)
    """What a value of an argument refers to, by argument and value."""
    secrets: list[Secret] = field(default_factory=list)


@dataclass(frozen=True)
class Reference:
    """A value of another resource: the whole value, or a part of a longer text."""

    entry: Entry
    around: tuple[str, str] = ("", "")


@dataclass
class Program:
    """The resources, each after those that it refers to, and what could not be declared, a line each."""

    url: str
    modules: list[str]
    """What is imported first."""
    entries: list[Entry]
    left_out: list[str]

    @property
    def secrets(self) -> list[Secret]:
        return [secret for one in self.entries for secret in one.secrets]


def program(found: Snapshot) -> Program:
    """The program that declares everything in the snapshot that can be declared."""
    entries, left_out = _entries(found)
    _refer(entries, found.built_in)
    modules = _merged(entries)
    entries = _ordered(entries, modules)
    _forget_what_comes_later(entries)
    return Program(found.url, modules, entries, [*found.left_out, *left_out])


def _entries(found: Snapshot) -> tuple[list[Entry], list[str]]:
    entries: list[Entry] = []
    left_out: list[str] = []
    variables, names = set[str](_RESERVED), set[tuple[str, str]]()
    for one in sorted(found.objects, key=_by_name):
        inputs = inputs_of(one, found.version, found.edition)
        if inputs.problem:
            left_out.append(f"{one}: {inputs.problem}")
            continue
        variable = identifier(one.identity, scope_of(one.kind), variables)
        variables.add(variable)
        # Pulumi takes "::" for the end of a part of a URN.
        name = re.sub("::+", ":", one.identity)
        while (one.kind.__name__, name) in names:
            name += "-2"
        names.add((one.kind.__name__, name))
        entry = Entry(one, inputs, module_of(one.kind), variable, name)
        for argument in [*inputs.needed, *inputs.optional]:
            entry.secrets.append(Secret(f"{variable}_{argument}", str(one), argument, argument in inputs.needed))
        entries.append(entry)
    return entries, left_out


_RESERVED = ("config", "pulumi")


def _by_name(one: Object) -> tuple[str, Any, str]:
    return one.kind.__name__, natural(one.identity.casefold()), one.identity


def _refer(entries: list[Entry], built_in: Iterable[Object]) -> None:
    """Find what each value refers to: another resource, or what the server makes for one."""
    made: dict[str, list[Object]] = {}
    for it in built_in:
        made.setdefault(it.identity, []).append(it)
    families: dict[tuple[str, str], list[Entry]] = {}
    for one in entries:
        for base in one.object.kind.__mro__:
            families.setdefault((base.__name__, one.object.identity), []).append(one)
    for one in entries:
        for name, values in _referring(one.object.kind, one.inputs.given):
            family = one.object.kind.declared_properties[name].refers
            for value in values:
                targets = [it for it in families.get((family, value), []) if it is not one]
                if len(targets) == 1 and _has_key(targets[0]):
                    one.refers[name, value] = Reference(targets[0])
                elif (owner := _owner(made.get(value, []), family, value, families)) is not None:
                    one.refers[name, value] = owner


def _referring(kind: Kind, values: Mapping[str, Any]) -> Iterable[tuple[str, list[str]]]:
    for name, value in values.items():
        it = kind.declared_properties.get(name)
        if it is not None and it.refers:
            yield name, value if isinstance(value, list) else [value]


def _has_key(one: Entry) -> bool:
    """Whether the resource's key is one of its arguments, so that others can take it from there."""
    provider = provider_of(one.object.kind)
    return isinstance(provider, ObjectProvider) and one.inputs.given.get(provider.key) == one.object.identity


def _owner(
    made: Iterable[Object], family: str, value: str, families: Mapping[tuple[str, str], list[Entry]]
) -> Reference | None:
    """The resource for which the server made the object of that name, such as the privileges of a repository."""
    for one in made:
        if family not in [base.__name__ for base in one.kind.__mro__]:
            continue
        for name, owners in _referring(one.kind, one.properties):
            for owner in owners:
                targets = families.get((one.kind.declared_properties[name].refers, owner), [])
                at = value.rfind(f"-{owner}-", 0, -1)
                if len(targets) == 1 and _has_key(targets[0]) and at >= 0:
                    return Reference(targets[0], (value[: at + 1], value[at + 1 + len(owner) :]))
    return None


def _merged(entries: list[Entry]) -> list[str]:
    """The modules, what is imported first; modules that refer to each other become one."""
    names = sorted({one.module for one in entries})
    while True:
        reach = {name: _reached(name, entries) for name in names}
        circle = next((one for one in names if one in reach[one]), "")
        if not circle:
            break
        for entry in entries:
            if circle in reach[entry.module] and entry.module in reach[circle]:
                entry.module = circle
        names = sorted({one.module for one in entries})
    return sorted(names, key=lambda name: (len(reach[name]), name))


def _reached(name: str, entries: list[Entry]) -> set[str]:
    """The other modules that a module needs, directly or through others; itself where they need it."""
    reached, new = set[str](), {name}
    while new:
        new = {
            reference.entry.module
            for one in entries
            if one.module in new
            for reference in one.refers.values()
            if reference.entry.module != one.module
        } - reached
        reached |= new
    return reached


def section_of(one: Entry) -> str:
    """The comment above the resources of one kind: the first line of its module's docstring."""
    text = inspect.cleandoc(sys.modules[one.object.kind.__module__].__doc__ or "")
    return text.splitlines()[0] if text else one.object.kind.__name__


def _ordered(entries: list[Entry], modules: Sequence[str]) -> list[Entry]:
    """Every resource after those that it refers to; in one section by name."""
    ranks = {section: _rank(section, entries, ()) for section in {section_of(one) for one in entries}}
    order: list[Entry] = []
    begun = set[int]()

    def add(one: Entry) -> None:
        if id(one) in begun:
            return
        begun.add(id(one))
        for reference in one.refers.values():
            add(reference.entry)
        order.append(one)

    for one in sorted(
        entries,
        key=lambda one: (
            modules.index(one.module),
            ranks[section_of(one)],
            section_of(one),
            _name_in_section(one),
        ),
    ):
        add(one)
    return sorted(order, key=lambda one: modules.index(one.module))


def _name_in_section(one: Entry) -> tuple[Any, ...]:
    return natural(one.object.identity.casefold()), one.object.identity, one.object.kind.__name__


def _rank(section: str, entries: list[Entry], above: tuple[str, ...]) -> int:
    """How many sections at most stand between this one and one that needs no other."""
    needs = {
        section_of(reference.entry)
        for one in entries
        if section_of(one) == section
        for reference in one.refers.values()
    } - {section, *above}
    return max((1 + _rank(one, entries, (*above, section)) for one in needs), default=0)


def _forget_what_comes_later(order: list[Entry]) -> None:
    """Write the name of a resource further down, where references form a cycle, instead of a reference."""
    place = {id(one): index for index, one in enumerate(order)}
    for one in order:
        one.refers = {key: it for key, it in one.refers.items() if place[id(it.entry)] < place[id(one)]}
