"""What a resource's properties are, and how they are checked, normalised and compared.

Plain data in, plain data out: nothing here calls anything. A resource states its properties as a mapping
from name to :class:`Field`; :func:`check` and :func:`differences` work the same way for every kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi.dynamic import CheckFailure

from .errors import sentence
from .unknown import has_unknown, is_unknown

Normalise = Callable[[Any], Any]
"""Returns the value in the one form that is kept and compared; raises :class:`Invalid` for any other input."""

PROVIDER_KEY = "__provider"
"""The property in which the SDK carries the pickled provider: handed through, never compared."""

WRITTEN = "written"
"""The property of a state with what a resource wrote last, after a refresh has found what others wrote."""


class Invalid(ValueError):
    """Why a value is refused and what would be right; the property's name is added by the caller."""


@dataclass(frozen=True)
class Field:
    """One property of a resource.

    Args:
        normalise: checks the value and gives its one form.
        required: a missing value is refused.
        default: stands for a missing value.
        replaces: a change needs a new object in place of the old one.
        secret: encrypted in the state and never part of a message.
        local: controls the provider and is no part of the object: a change is kept in the state and
            writes nothing to the server.
        renamed_from: its name in older states.
    """

    normalise: Normalise
    required: bool = False
    default: Any = None
    replaces: bool = False
    secret: bool = False
    local: bool = False
    renamed_from: str = ""


Schema = Mapping[str, Field]


def described(check: Normalise, **limits: Any) -> Normalise:
    """The same check with its limits for others to read, such as a generator of inputs: see :func:`limits`."""
    vars(check).update(limits=limits)
    return check


def limits(check: Normalise) -> Mapping[str, Any]:
    """The limits of a check, if known: its ``form`` and its arguments."""
    return dict(getattr(check, "limits", {}))


def text(
    pattern: str | None = None,
    *,
    hint: str = "",
    max_length: int = 0,
    multiline: bool = False,
    empty: bool = False,
) -> Normalise:
    """A string that is not empty unless ``empty``, optionally matching ``pattern`` in full.

    Its length is counted as Java and the server's database do it, in UTF-16: an emoji counts as two characters.
    """

    def normalise(value: Any) -> str:
        if not isinstance(value, str):
            raise Invalid(f"must be a string, not {_type_name(value)}")
        if not empty and re.fullmatch(r"[\s\0-\x20]*", value):  # Java counts control characters as blank
            raise Invalid("must not be empty")
        if not multiline and ("\n" in value or "\r" in value):
            raise Invalid("must be one line")
        length = len(value.encode("utf-16-le", "surrogatepass")) // 2
        if max_length and length > max_length:
            counted = " (an emoji counts as two)" if length > len(value) else ""
            raise Invalid(f"must have at most {max_length} characters, not {length}{counted}")
        if pattern and not re.fullmatch(pattern, value):
            raise Invalid(hint or f"must match {pattern}")
        return value

    return described(
        normalise, form="text", pattern=pattern, max_length=max_length, multiline=multiline, empty=empty
    )


optional_text = text(empty=True, multiline=True)
"""Any string, which may be empty."""


def boolean(value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise Invalid(f"must be true or false, not {_type_name(value)}")
    return value


described(boolean, form="boolean")


def integer(low: int, high: int) -> Normalise:
    """A whole number from ``low`` to ``high``. The SDK hands every number over as a float."""

    def normalise(value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,10}", value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
            raise Invalid(f"must be a whole number from {low} to {high}")
        if not low <= value <= high:
            raise Invalid(f"must be from {low} to {high}, not {int(value)}")
        return int(value)

    return described(normalise, form="integer", low=low, high=high)


port = integer(1, 65535)


def choice(*values: str, upper: bool = False) -> Normalise:
    """One of ``values``; with ``upper`` in any case, kept in upper case."""

    def normalise(value: Any) -> str:
        converted = value.upper() if upper and isinstance(value, str) else value
        if converted not in values:
            raise Invalid(f"must be one of {', '.join(values)}")
        return str(converted)

    return described(normalise, form="choice", values=values, upper=upper)


def set_of(item: Normalise, *, least: int = 0, most: int = 0) -> Normalise:
    """A list whose order and repetitions have no meaning. It is sorted, or unchanged while parts are unknown.

    It has at least ``least`` entries, and at most ``most`` where that is given.
    """

    def normalise(value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise Invalid(f"must be a list, not {_type_name(value)}")
        items = [entry if is_unknown(entry) else _entry(item, index, entry) for index, entry in enumerate(value)]
        if len(items) < least:
            raise Invalid(f"must have at least {least} entry")
        if most and len(items) > most:
            raise Invalid(f"must have at most {most} entries, not {len(items)}")
        return items if any(is_unknown(entry) for entry in items) else sorted(set(items))

    return described(normalise, form="set", item=item, least=least, most=most)


def map_of(item: Normalise) -> Normalise:
    """An object with any keys, each of whose values is checked; kept sorted by key."""

    def normalise(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise Invalid(f"must be an object, not {_type_name(value)}")
        entries = {}
        for key, entry in sorted(value.items()):
            try:
                entries[key] = entry if is_unknown(entry) else item(entry)
            except Invalid as error:
                raise Invalid(f"entry {key!r} {error}") from None
        return entries

    return described(normalise, form="map", item=item)


def list_of(item: Normalise, *, least: int = 0) -> Normalise:
    """A list whose order counts, without repetitions, with at least ``least`` entries."""

    def normalise(value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise Invalid(f"must be a list, not {_type_name(value)}")
        items = [entry if is_unknown(entry) else _entry(item, index, entry) for index, entry in enumerate(value)]
        known = [entry for entry in items if not is_unknown(entry)]
        if len(known) > len(set(known)):
            raise Invalid("must not name anything twice")
        if len(items) < least:
            raise Invalid(f"must have at least {least} entry")
        return items

    return described(normalise, form="list", item=item, least=least)


def _entry(item: Normalise, index: int, entry: Any) -> Any:
    try:
        return item(entry)
    except Invalid as error:
        raise Invalid(f"entry {index + 1} {error}") from None


def mapping(fields: Schema) -> Normalise:
    """An object with exactly these fields; missing ones take their default or are left out."""

    def normalise(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise Invalid(f"must be an object, not {_type_name(value)}")
        known, failures = check(fields, value)
        if failures:
            raise Invalid(" ".join(f"{one.property} {one.reason}" for one in failures))
        return known

    return normalise


def failure(name: str, reason: str) -> CheckFailure:
    """What is wrong with a property, as a sentence after its name."""
    return CheckFailure(name, sentence(reason))


def check(schema: Schema, news: Mapping[str, Any]) -> tuple[dict[str, Any], list[CheckFailure]]:
    """The checked and normalised inputs, and what is wrong with them, by property.

    Unknown values pass unchanged. A refused value stays unchanged, so that the remaining properties are checked
    too.
    """
    inputs: dict[str, Any] = {}
    failures: list[CheckFailure] = []
    news = current_names(schema, news)
    for name, field in schema.items():
        value = news.get(name)
        if value is None:
            value = field.default
        if value is None:
            if field.required:
                failures.append(failure(name, "is required"))
            continue
        if is_unknown(value):
            inputs[name] = value
            continue
        try:
            inputs[name] = field.normalise(value)
        except Invalid as error:
            inputs[name] = value
            failures.append(failure(name, str(error)))
    failures += [
        failure(name, f"is not a property here. There are {', '.join(sorted(schema))}")
        for name, value in news.items()
        if name not in schema and name != PROVIDER_KEY and value is not None
    ]
    return inputs, failures


def outdated_names(schema: Schema, properties: Mapping[str, Any]) -> list[str]:
    """The names in these properties that are older names of others: the state must be written again."""
    return [old for field in schema.values() if (old := field.renamed_from) and old in properties]


def current_names(schema: Schema, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties under their present names; a value under the present name wins."""
    older = {old: name for name, field in schema.items() if (old := field.renamed_from) and old in properties}
    if not older:
        return properties
    renamed = {name: properties[old] for old, name in older.items() if properties.get(name) is None}
    return {**{name: value for name, value in properties.items() if name not in older}, **renamed}


def normalised(schema: Schema, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties that were checked before, in their one form again: the wire turns every number into a float.

    Outputs that are no inputs are kept as they are, the SDK's own property is left out, and properties that were
    renamed have their present names.
    """
    properties = current_names(schema, properties)
    others = {name: value for name, value in properties.items() if name not in schema and name != PROVIDER_KEY}
    return {**others, **check(schema, {name: properties.get(name) for name in schema})[0]}


def differences(schema: Schema, olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    """Names of the properties whose value changes from ``olds`` (state) to ``news`` (checked inputs).

    A property that ``olds`` lacks counts as its default there; one that it has under an older name is the same. An
    unknown value counts as a change.
    """
    olds, news = current_names(schema, olds), current_names(schema, news)
    return [name for name, field in schema.items() if _differs(field, olds.get(name), news.get(name))]


def mismatches(schema: Schema, desired: Mapping[str, Any], actual: Mapping[str, Any]) -> list[str]:
    """Names of the desired properties that differ on the server.

    Only fields that the server returned are compared: a field that it does not return (a password;
    ``latest_policy`` on some versions) is not known to differ.
    """
    return [
        name
        for name, field in schema.items()
        if not field.local and name in actual and _differs(field, actual[name], desired.get(name))
    ]


def describe(names: Iterable[str], desired: Mapping[str, Any], actual: Mapping[str, Any], schema: Schema) -> str:
    """``name is X, desired Y`` for each name, without the values of secrets, and of maps, which may hold some."""

    def mismatch(name: str) -> str:
        found, wanted = actual.get(name), desired.get(name)
        if schema[name].secret:
            return f"{name} differs"
        if isinstance(wanted, Mapping):
            found = found if isinstance(found, Mapping) else {}
            keys = sorted(key for key in {**found, **wanted} if found.get(key) != wanted.get(key))
            return f"{name} differs in {', '.join(keys)}"
        if isinstance(found, list) and isinstance(wanted, list) and len(f"{found}{wanted}") > _LONG:
            parts = {
                "lacks": [one for one in wanted if one not in found],
                "has besides": [one for one in found if one not in wanted],
            }
            texts = [f"{verb} {_shortened(ones)}" for verb, ones in parts.items() if ones]
            return f"{name} {' and '.join(texts) or 'has another order'}"
        start = 0
        if isinstance(found, str) and isinstance(wanted, str) and max(len(found), len(wanted)) > _LONG:
            pairs = enumerate(zip(found, wanted, strict=False))
            start = max(0, next((at for at, (a, b) in pairs if a != b), min(len(found), len(wanted))) - _CONTEXT)
        return f"{name} is {_shortened(found, start)}, desired {_shortened(wanted, start)}"

    return ", ".join(map(mismatch, names))


_LONG = 400
"""The length from which a value is shortened in a message."""
_CONTEXT = 40
"""Characters before the first difference of two long texts."""


def _shortened(value: Any, start: int = 0) -> str:
    """The value, or its part of at most 400 characters from ``start`` on."""
    whole, text = repr(value), repr(value[start:] if start else value)
    part = text if len(text) <= _LONG else f"{text[:_LONG]}..."
    cut = start or part != text
    return f"{'...' if start else ''}{part} ({len(whole)} characters)" if cut else part


def _differs(field: Field, old: Any, new: Any) -> bool:
    if has_unknown(new) or has_unknown(old):
        return True
    return bool(_normal(field, old) != _normal(field, new))


def _normal(field: Field, value: Any) -> Any:
    if value is None:
        value = field.default
    if value is None:
        return None
    try:
        return field.normalise(value)
    except Invalid:
        return value


def _type_name(value: Any) -> str:
    return {dict: "an object", list: "a list", bool: "true or false", str: "a string"}.get(
        type(value), "a number" if isinstance(value, (int, float)) else type(value).__name__
    )
