"""Declared properties: what :mod:`.declare` builds resources of, and groups of properties.

A group is a mixin of a resource, or a declaration of its own, such as that of a connection.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypedDict, TypeVar, overload

from pulumi import Input, Output
from typing_extensions import Self, Unpack, dataclass_transform

from .schema import Field, Invalid, Normalise

T = TypeVar("T")
NUMBERS: Mapping[str, Any] = {
    "Prop": Output[int],
    "ListProp": Output[list[int]],
    "MapProp": Output[dict[str, int]],
}
INPUTS = {"Prop": "{}", "ListProp": "Sequence[Input[{}]]", "MapProp": "Mapping[str, Input[{}]]"}
OUTPUTS = {"Prop": "{}", "ListProp": "list[{}]", "MapProp": "dict[str, {}]"}


class Facts(TypedDict, total=False):
    """What a property may be besides its check and default; see :func:`prop`."""

    path: str
    replaces: bool
    secret: bool
    local: bool
    since: str
    until: str
    edition: str
    always_sent: bool
    unit: str
    renamed_from: str
    refers: str
    values_since: Mapping[Any, str]


@dataclass(eq=False)
class Prop(Generic[T]):
    """A property of a resource: takes ``Input[T]`` in the constructor, gives ``Output[T]`` when read."""

    check: Normalise | None
    default: Any = ...
    computed: bool = False
    path: str = ""
    replaces: bool = False
    secret: bool = False
    local: bool = False
    since: str = ""
    until: str = ""
    edition: str = ""
    always_sent: bool = False
    unit: str = ""
    renamed_from: str = ""
    refers: str = ""
    values_since: Mapping[Any, str] = dataclasses.field(default_factory=dict)
    name: str = dataclasses.field(default="", init=False)
    form: str = dataclasses.field(default="Prop", init=False)
    """``Prop``, ``ListProp`` or ``MapProp``, as annotated."""
    value_type: str = dataclasses.field(default="Any", init=False)
    """What stands in the annotation's brackets."""

    @property
    def required(self) -> bool:
        """Whether the constructor must be given a value."""
        return self.default is ... and not self.computed

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that lead to the property in the API's body."""
        return tuple(self.path.split(".")) if self.path else ()

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        if self.check is None and not self.computed:
            raise TypeError(f"{name}: has no check. Give one, or computed=True.")
        if self.local and self.path:
            raise TypeError(f"{name}: is local and has a path. A local property is not sent to the server.")
        if self.default is not ... and self.default is not None and self.check is not None:
            try:
                self.default = self.check(self.default)
            except Invalid as error:
                raise TypeError(f"{name}: its default {error}") from None

    @overload
    def __get__(self, instance: None, owner: Any) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> Output[T]: ...
    def __get__(self, instance: object, owner: Any) -> Any:
        if instance is None:
            return self
        try:
            return instance.__dict__[self.name]
        except KeyError:
            raise AttributeError(f"{self.name} can be read when the resource is registered") from None

    def __set__(self, instance: object, value: Input[T]) -> None:
        raise AttributeError(f"{self.name} can't be set. Give it to the constructor")

    @functools.cached_property
    def field(self) -> Field:
        """What the provider checks and compares with."""
        assert self.check is not None
        return Field(
            self.check,
            required=self.required,
            default=None if self.default is ... else self.default,
            replaces=self.replaces,
            secret=self.secret,
            local=self.local,
            renamed_from=self.renamed_from,
        )


class ListProp(Prop[list[T]]):
    """A list: takes any sequence, whose entries may be outputs of other resources."""

    def __set__(self, instance: object, value: Input[Sequence[Input[T]]]) -> None: ...


class MapProp(Prop[dict[str, T]]):
    """A map with strings for keys, whose values may be outputs of other resources."""

    def __set__(self, instance: object, value: Input[Mapping[str, Input[T]]]) -> None: ...


@overload
def prop(
    check: Normalise | None = None,
    *,
    computed: Literal[True],
    init: Literal[False] = False,
    **facts: Unpack[Facts],
) -> Any: ...
@overload
def prop(check: Normalise, *, default: Any = ..., **facts: Unpack[Facts]) -> Any: ...
def prop(
    check: Normalise | None = None,
    *,
    default: Any = ...,
    computed: bool = False,
    init: bool = False,  # noqa: ARG001 - tells type checkers that the constructor does not take it
    **facts: Unpack[Facts],
) -> Any:
    """Declare a property; the string literal on the next line is its text in the reference.

    Args:
        check: checks the value and gives its one form (see :mod:`.schema`).
        path: where it stands in the API's body, ``httpClient.authentication.username``; without one it is not part
            of the body.
        default: stands for a missing value; without one the property is required.
        replaces: a change needs a new object in place of the old one.
        secret: encrypted in the state, never part of a message, and never taken from what the server returns.
        local: tells the provider how to work and is not sent to the server.
        computed: set by the provider, and no argument. With a ``check`` it is an input that ``check`` computes, so
            that a preview knows it; without one it is an output only, with a ``path`` one that is read from the
            body.
        since, until: the first and the last version of Nexus that has it (``3.84``). With either, a value
            that is the default is not sent to a server that returns none.
        edition: ``pro`` when only that edition has it.
        always_sent: sent in every case, because a server that has none does not use the default.
        unit: of a number: ``bytes``, ``seconds`` …
        renamed_from: its name in older states.
        values_since: the first version of Nexus that has a value, by value or entry, where it is a later one.
        refers: the class of the resources whose names or ids it holds.
    """
    return Prop[Any](check, default, computed, **facts)


class Argument:
    """Marks an argument of the constructor that is no property."""


def argument(*, kw_only: bool = True, default: Any = ...) -> Any:  # noqa: ARG001 - for type checkers
    return Argument()


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(prop, argument))
class Declared:
    """Collects the properties that classes declare. It has none: type checkers look only at those below it."""

    declared_properties: ClassVar[Mapping[str, Prop[Any]]] = {}
    """Every property of the class by name, inherited ones last."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        annotations = dict(inspect.get_annotations(cls))
        for name, value in list(vars(cls).items()):
            if isinstance(value, Prop):
                found = re.search(r"(\w*Prop)\[(.*)\]", str(annotations.pop(name, "")))
                if not found or found[1] not in INPUTS:
                    raise TypeError(
                        f"{cls.__name__}.{name}: must be annotated as Prop[…], ListProp[…] or MapProp[…]"
                    )
                value.form, value.value_type = found[1], found[2]
            elif isinstance(value, Argument):
                delattr(cls, name)
        merged: dict[str, Prop[Any]] = {}
        for base in cls.__mro__:
            for name, value in vars(base).items():
                if isinstance(value, Prop):
                    merged.setdefault(name, value)
        cls.declared_properties = merged
        # The SDK takes every annotation of this very class for the type of an output. It needs those of whole
        # numbers, which the wire makes floats of.
        numbers = {name: one for name, one in merged.items() if re.fullmatch(r"int( \| None)?", one.value_type)}
        cls.__annotations__ = annotations | {name: NUMBERS[one.form] for name, one in numbers.items()}


class PropertyGroup(Declared):
    """A mixin of properties; see the module's text for ``optional`` and ``requires``."""

    def __init_subclass__(cls, *, optional: str = "", requires: Sequence[str] = (), **kwargs: Any) -> None:
        if optional:
            cls.optional_group = (tuple(optional.split(".")), tuple(requires))
        super().__init_subclass__(**kwargs)

    optional_group: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]]
    """The keys that lead to the optional object, and the properties that it requires."""
