"""How a resource declares its properties, once.

A resource is a class whose body lists its properties. From each line follow the constructor and its types, the
schema that the provider checks and compares with, the place in the API's body, the outputs and which of them are
secret, and the reference page::

    class RoleProvider(NexusProvider):
        kind = "role"
        ...

    class Role(NexusResource, provider=RoleProvider):
        \"""A role of Nexus's own user directory.\"""

        role_id: Prop[str] = prop(text(max_length=200), path="id", replaces=True, renamed_from="id")
        \"""Id of the role.\"""
        description: Prop[str] = prop(text(empty=True), path="description", default="")
        \"""Free text.\"""
        privileges: ListProp[str] = prop(set_of(text()), path="privileges", default=())
        \"""Names of privileges.\"""

**A new property** is one line and its text. The annotation says what a program reads: ``Prop[T]`` takes
``Input[T]`` and gives ``Output[T]``, :class:`ListProp` and :class:`MapProp` also take inputs as entries.
:func:`prop` says the rest. Spell ``default=`` at the call: type checkers read there whether an argument may be
left out. An argument that may be ``None`` is a ``Prop[T | None]``; one that the provider fills in when it is
missing stays a ``Prop[T]`` with ``default=None``.

**A new kind** is a subclass of :class:`NexusResource` (an object inside Nexus), or of :class:`DeclaredResource`
(anything else). Class arguments:

- ``provider``: the behaviour, a class of the same module. It is given ``schema``, ``paths`` and what else
  :class:`~.body.Mapped` names. Without one, ``<Class>Provider`` is made from the base's provider and put into the
  module, where the engine finds it again; a class of that name is then not to be written by hand.
- ``name``: the last part of the type token. Default: the name of the class.
- ``since``, ``until``, ``edition``: the servers that have the kind.
- ``abstract=True``: a base for other kinds, which inherit its properties, provider and settings.
- anything else is a setting: an attribute of the provider, such as ``kind`` or ``format="raw"``.

**A new group** of properties, for kinds that have nothing else in common, is a :class:`PropertyGroup`, put before
the base: ``class RawProxy(HttpAuthentication, NexusResource)``. With ``optional="httpClient.authentication"`` the
object there is left out of the body, and taken out of what the server has, while every property below it has its
default; ``requires`` names those that must have a value when it is there.

**A property with a new name** keeps the old one in ``renamed_from``: states that hold the old name are still read.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass
from typing import Any, ClassVar, Generic, Literal, TypedDict, TypeVar, overload

import pulumi
from pulumi import Input, Output
from typing_extensions import Self, Unpack, dataclass_transform

from .client import Connection
from .crud import NexusProvider
from .provider import CONNECTION, Provider
from .provider_class import fill_in, own_provider
from .resource import TrackedResource, refuse_unsupported
from .schema import Field, Invalid, Normalise, boolean, mapping
from .suggest import suggest

T = TypeVar("T")
_NUMBERS: Mapping[str, Any] = {
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
    unit: str
    renamed_from: str
    refers: str


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
    unit: str = ""
    renamed_from: str = ""
    refers: str = ""
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
        raise AttributeError(f"{self.name} can't be set: give it to the constructor")

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
        unit: of a number: ``bytes``, ``seconds`` …
        renamed_from: its name in older states.
        refers: the class of the resources whose names or ids it holds.
    """
    return Prop[Any](check, default, computed, **facts)


class _Argument:
    """Marks an argument of the constructor that is no property."""


def _argument(*, kw_only: bool = True, default: Any = ...) -> Any:  # noqa: ARG001 - for type checkers
    return _Argument()


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(prop, _argument))
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
            elif isinstance(value, _Argument):
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
        cls.__annotations__ = annotations | {name: _NUMBERS[one.form] for name, one in numbers.items()}


class PropertyGroup(Declared):
    """A mixin of properties; see the module's text for ``optional`` and ``requires``."""

    def __init_subclass__(cls, *, optional: str = "", requires: Sequence[str] = (), **kwargs: Any) -> None:
        if optional:
            cls.optional_group = (tuple(optional.split(".")), tuple(requires))
        super().__init_subclass__(**kwargs)

    optional_group: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]]
    """The keys that lead to the optional object, and the properties that it requires."""


class _Signature:
    """What :func:`inspect.signature` and ``help`` show; made when asked for."""

    def __get__(self, instance: object, owner: type[DeclaredResource]) -> inspect.Signature:
        from .declaration import signature

        return signature(owner)


class DeclaredResource(Declared, TrackedResource):
    """A tracked resource made from its declaration."""

    resource_name: InitVar[str] = _argument(kw_only=False)
    opts: InitVar[pulumi.ResourceOptions | None] = _argument(default=None)

    __signature__ = _Signature()
    is_abstract: ClassVar[bool] = True
    provider_settings: ClassVar[Mapping[str, Any]] = {}
    """Attributes of the provider that the class arguments give."""
    kind_availability: ClassVar[Mapping[str, str]] = {"since": "", "until": "", "edition": ""}
    """Which servers have the kind."""
    provider_class: ClassVar[type[Provider]] = Provider

    def __init_subclass__(
        cls,
        *,
        provider: type[Provider] | None = None,
        name: str = "",
        module: str = "nexus",
        abstract: bool = False,
        **settings: Any,
    ) -> None:
        super().__init_subclass__(module=module, name=name or cls.__name__)
        for one in cls.declared_properties:
            if any(one in vars(base) and not isinstance(vars(base)[one], Prop) for base in cls.__mro__):
                raise TypeError(f"{cls.__name__}.{one}: is the name of something else there. Choose another name.")
        gates = {key: settings.pop(key) for key in cls.kind_availability if key in settings}
        cls.kind_availability = {**cls.kind_availability, **gates}
        cls.provider_settings = {**cls.provider_settings, **settings}
        cls.is_abstract = abstract
        if abstract:
            cls.provider_class = provider or cls.provider_class
        else:
            cls.provider_class = own_provider(cls, provider)
            fill_in(cls.provider_class, cls)

    def __init__(
        self, resource_name: str, *, opts: pulumi.ResourceOptions | None = None, **arguments: Any
    ) -> None:
        refuse_unsupported(resource_name, opts)
        cls = type(self)
        if cls.is_abstract:
            raise TypeError(f"{cls.__name__} is a base of resources and none itself")
        known = {name: one for name, one in cls.declared_properties.items() if not one.computed}
        for name in arguments:
            if name not in known:
                now = [one.name for one in known.values() if one.renamed_from == name]
                hint = f"it is called {now[0]} now" if now else suggest([name], list(known))
                raise TypeError(f"{cls.__name__}: {name}: is not an argument; {hint}")
        for name, one in known.items():
            if one.required and name not in arguments:
                raise TypeError(f"{cls.__name__}: {name}: is missing. Give it a value.")
        given = {name: value for name, value in arguments.items() if value is not None}
        if "incarnations" in known:
            referring = [given[name] for name, one in known.items() if one.refers and name in given]
            given["incarnations"] = pulumi.Output.all(given.get("incarnations") or [], _marks(referring)).apply(
                lambda lists: list(dict.fromkeys([*lists[0], *lists[1]]))
            )
        super().__init__(resource_name, given, opts)
        self._registered()

    def _registered(self) -> None:
        """Called when the resource is registered."""


def _marks(referring: list[Any]) -> Output[list[str]]:
    """The incarnation of each resource on whose outputs these values depend."""

    async def collect() -> Any:
        resources = await pulumi.Output.from_input(referring).resources()
        declared = [one for one in resources if isinstance(one, DeclaredResource)]
        return [getattr(one, "incarnation") for one in declared if "incarnation" in one.declared_properties]  # noqa: B009

    return pulumi.Output.from_input(collect())


class NexusResource(DeclaredResource, provider=NexusProvider, abstract=True):
    """An object inside Nexus. Its provider refuses, in ``check``, two resources that want the same object."""

    connection: Prop[Connection | None] = prop(mapping(CONNECTION), secret=True, local=True, default=None)
    """The server. Default: what the configuration keys ``nexus-registry:url``, ``:password`` … say."""
    adopt: Prop[bool] = prop(boolean, local=True, default=False)
    """Take an object that exists and differs, and change it."""
