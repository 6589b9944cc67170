"""From a resource's declaration to its provider class: found or made, and given its tables."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .body import Group
from .compat import Availability
from .provider import Provider
from .schema import WRITTEN
from .suggest import suggest

if TYPE_CHECKING:
    from .declare import DeclaredResource, Prop


def own_provider(cls: type[DeclaredResource], given: type[Provider] | None) -> type[Provider]:
    """The provider class of this kind alone: ``given``, or a new one in the module of the kind.

    The engine's state holds module and name of the class, so both must be found again by another process.
    """
    if given is not None:
        if given.__module__ != cls.__module__:
            raise TypeError(f"{cls.__name__}: {given.__name__} is of another module. Put both into one.")
        if "declared_by" in vars(given):
            raise TypeError(f"{cls.__name__}: {given.__name__} is the provider of {vars(given)['declared_by']}.")
        return given
    name, module = f"{cls.__name__}Provider", sys.modules[cls.__module__]
    if name in vars(module) and not vars(vars(module)[name]).get("made_for_declaration"):
        raise TypeError(f"{cls.__name__}: {name} is in its module. Pass it as provider={name}.")
    attributes = {"__module__": cls.__module__, "__qualname__": name, "made_for_declaration": True}
    made = type(name, (cls.provider_class,), attributes)
    setattr(module, name, made)
    return made


def fill_in(provider: type[Provider], cls: type[DeclaredResource]) -> None:
    """Give the provider class what follows from the declaration, and the settings."""
    properties = cls.declared_properties
    inputs = {name: one for name, one in properties.items() if one.check is not None}
    outputs = tuple(name for name in properties if name not in inputs)
    _refuse_twice(cls, properties)
    form = str(cls.provider_settings.get("format", ""))
    keys = {name: _filled(one.keys, form) for name, one in properties.items()}
    made: dict[str, Any] = {
        "declared_by": cls.__qualname__,
        "schema": {name: one.field for name, one in inputs.items()},
        "outputs": outputs,
        "paths": {name: keys[name] for name, one in inputs.items() if one.path},
        "read_paths": {name: keys[name] for name, one in properties.items() if one.path and not one.secret},
        "groups": _groups(cls, inputs, keys),
        "availability": Availability(**cls.kind_availability),
        "field_availability": {
            name: Availability(one.since, one.until, one.edition)
            for name, one in inputs.items()
            if one.since or one.until or one.edition
        },
        "value_availability": tuple(
            (name, value, Availability(since))
            for name, one in inputs.items()
            for value, since in one.values_since.items()
        ),
        "omissible": {
            name: one.default
            for name, one in inputs.items()
            if one.path and (one.since or one.until) and not one.always_sent
        },
    }
    if not hasattr(provider, "kind") or vars(provider).get("made_for_declaration"):
        made["kind"] = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", cls.__name__).lower()
    for key in cls.provider_settings:
        if not _has(provider, key):
            known = sorted({*cls.kind_availability, *(key for base in provider.__mro__ for key in _data(base))})
            raise TypeError(
                f"{cls.__name__}: {key}: {provider.__name__} has no such setting. {suggest([key], known)}"
            )
    for key, value in {**made, **cls.provider_settings}.items():
        setattr(provider, key, value)
    cls.outputs = outputs
    # WRITTEN has values of other properties, which the program may have made secret.
    written = (WRITTEN,) if getattr(provider, "keeps_written", False) else ()
    cls.secret_outputs = (*(name for name in outputs if properties[name].secret), *written)


def _filled(keys: tuple[str, ...], form: str) -> tuple[str, ...]:
    """The keys with the kind's format in them: ``{format}.httpPort`` is ``docker.httpPort``."""
    return tuple(key.replace("{format}", form) for key in keys)


def _groups(
    cls: type[DeclaredResource], inputs: Mapping[str, Prop[Any]], keys: Mapping[str, tuple[str, ...]]
) -> tuple[Group, ...]:
    groups = []
    for base in cls.__mro__:
        if "optional_group" not in vars(base):
            continue
        path, requires = vars(base)["optional_group"]
        path = _filled(path, str(cls.provider_settings.get("format", "")))
        below = {name: one for name, one in inputs.items() if keys[name][: len(path)] == path}
        needed = [name for name, one in below.items() if one.required]
        if needed:
            raise TypeError(
                f"{cls.__name__}.{needed[0]}: has no default in an optional group. Give it default=None and name "
                "it in requires."
            )
        if not set(requires) <= set(below):
            raise TypeError(
                f"{cls.__name__}: requires: {', '.join(sorted(set(requires) - set(below)))} is not below "
                f"{'.'.join(path)}."
            )
        groups.append(Group(path, {name: one.default for name, one in below.items()}, requires))
    return tuple(groups)


def _refuse_twice(cls: type, properties: Mapping[str, Prop[Any]]) -> None:
    """No two properties with one path, no old name that another property has."""
    seen: dict[str, str] = {}
    for name, one in properties.items():
        if one.path and seen.setdefault(one.path, name) != name:
            raise TypeError(f"{cls.__name__}.{name}: its path {one.path} is that of {seen[one.path]}.")
        if one.renamed_from in properties:
            raise TypeError(f"{cls.__name__}.{name}: {one.renamed_from} is another property's name now.")


def _data(base: type) -> set[str]:
    """The attributes of this very class that are data, and public."""
    names = {*inspect.get_annotations(base), *(name for name, value in vars(base).items() if not callable(value))}
    return {name for name in names if not name.startswith("_")}


def _has(provider: type[Provider], name: str) -> bool:
    return any(name in _data(base) for base in provider.__mro__)
