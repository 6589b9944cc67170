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

import inspect
from collections.abc import Mapping
from dataclasses import InitVar
from typing import Any, ClassVar

import pulumi
from pulumi import Output

from .client import Connection
from .crud import NexusProvider
from .properties import INPUTS as INPUTS
from .properties import OUTPUTS as OUTPUTS
from .properties import Declared as Declared
from .properties import Facts as Facts
from .properties import ListProp as ListProp
from .properties import MapProp as MapProp
from .properties import Prop as Prop
from .properties import PropertyGroup as PropertyGroup
from .properties import argument
from .properties import prop as prop
from .provider import CONNECTION, Provider
from .provider_class import fill_in, own_provider
from .resource import TrackedResource, refuse_unsupported
from .schema import boolean, mapping, text
from .suggest import suggest


class _Signature:
    """What :func:`inspect.signature` and ``help`` show; made when asked for."""

    def __get__(self, instance: object, owner: type[DeclaredResource]) -> inspect.Signature:
        from .declaration import signature

        return signature(owner)


class DeclaredResource(Declared, TrackedResource):
    """A tracked resource made from its declaration."""

    resource_name: InitVar[str] = argument(kw_only=False)
    opts: InitVar[pulumi.ResourceOptions | None] = argument(default=None)

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
            raise TypeError(f"{cls.__name__} is a base class of resources. Declare a resource")
        known = {name: one for name, one in cls.declared_properties.items() if not one.computed}
        for name in arguments:
            if name not in known:
                now = [one.name for one in known.values() if one.renamed_from == name]
                hint = f"It is called {now[0]} now." if now else suggest([name], list(known))
                raise TypeError(f"{cls.__name__}: {name}: is not an argument. {hint}")
        for name, one in known.items():
            if one.required and name not in arguments:
                raise TypeError(f"{cls.__name__}: {name}: is missing. Give it a value.")
        given = {name: value for name, value in arguments.items() if value is not None}
        if "incarnations" in known:
            referring = [given[name] for name, one in known.items() if one.refers and name in given]
            given["incarnations"] = pulumi.Output.all(given.get("incarnations") or [], _marks(referring)).apply(
                lambda lists: list(dict.fromkeys([*lists[0], *filter(None, lists[1])]))
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
    """The server. Default: the configuration keys ``nexus-registry:url``, ``:password`` …"""
    adopt: Prop[bool] = prop(boolean, local=True, default=False)
    """Adopt an object that exists and differs, and change it."""
    configured_url: Prop[str | None] = prop(text(), computed=True, local=True)
    """Address of the server by the stack's configuration, where ``connection`` is not given. A later change of the
    configuration is recognised by it."""
