"""What a server has, read with one request for each list: every kind that the declarations know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import nexus_registry.providers as providers
from nexus_registry.providers.client import NexusClient
from nexus_registry.providers.compat import no_rest_reason, parse_server_header
from nexus_registry.providers.crud import NexusProvider
from nexus_registry.providers.declare import NexusResource
from nexus_registry.providers.errors import (
    Forbidden,
    NotFound,
    OutcomeUnknown,
    Refused,
    Unauthorized,
    UnexpectedResponse,
    Unreachable,
)
from nexus_registry.providers.kind import Actual
from nexus_registry.providers.rest import ListedProvider, ObjectProvider

Kind = type[NexusResource]
_ABSENT = (402, 404, 405, 410)
"""Status codes for features that a version or edition lacks."""


@dataclass(frozen=True)
class Object:
    """One object of a server: its kind, its key there, its properties and the body they were read from."""

    kind: Kind
    identity: str
    properties: Mapping[str, Any]
    body: Any = None

    @property
    def scope(self) -> str:
        """What the key is unique in."""
        return provider_of(self.kind).scope_of(self.properties)

    def __str__(self) -> str:
        return f"{self.kind.__name__} {self.identity!r}"


@dataclass
class Snapshot:
    """What was found on a server."""

    url: str
    username: str = "admin"
    ca: str = ""
    version: str = ""
    edition: str = ""
    objects: list[Object] = field(default_factory=list)
    built_in: list[Object] = field(default_factory=list)
    """What the server brings with it."""
    left_out: list[str] = field(default_factory=list)
    """Objects that can't be declared, a line each with the reason."""
    unread: list[str] = field(default_factory=list)
    """What could not be read, a line each with the reason."""
    failure: str = ""
    """The first reason that is a failure, not only a permission that the account lacks."""
    keys: set[tuple[str, str]] = field(default_factory=set)
    """Scope and identity of each of ``objects`` that was added by :func:`read`."""


@dataclass(frozen=True)
class Choice:
    """Which objects are meant: those that a pattern of ``only`` matches, or all, without those of ``exclude``.

    A pattern matches a kind (``Role``), an object (``Role:team-*``) or a module (``security``).
    """

    only: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def takes(self, kind: Kind, identity: str) -> bool:
        names = (kind.__name__, module_of(kind), f"{kind.__name__}:{identity}")
        return (not self.only or _matches(names, self.only)) and not _matches(names, self.exclude)

    def may_take(self, kind: Kind) -> bool:
        """Whether an object of the kind can be meant."""
        names = (kind.__name__, module_of(kind))
        parts = [pattern.partition(":")[0] for pattern in self.only]
        return (not self.only or _matches(names, parts)) and not _matches(names, self.exclude)

    def unknown(self) -> list[str]:
        """The patterns that no kind matches."""
        known = {name for kind in kinds() for name in (kind.__name__, module_of(kind))}
        patterns = [*self.only, *self.exclude]
        return [one for one in patterns if not any(_matches([name], [one.partition(":")[0]]) for name in known)]


def _matches(names: Iterable[str], patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def declared() -> list[Kind]:
    """Every kind of this package."""
    exported = (getattr(providers, name) for name in providers.__all__)
    return [one for one in exported if isinstance(one, type) and issubclass(one, NexusResource)]


def kinds() -> list[Kind]:
    """Every kind of which a server can be asked what it has: what it lists, and settings that exist once."""
    return [one for one in declared() if lists(one) or _exists_once(one)]


def _exists_once(kind: Kind) -> bool:
    fields = kind.declared_properties.values()
    return provider_of(kind).singleton and not any(one.required and one.replaces for one in fields)


def lists(kind: Kind) -> bool:
    """Whether the server lists the objects of the kind."""
    provider = provider_of(kind)
    return isinstance(provider, ObjectProvider) and bool(provider.list_path)


def provider_of(kind: Kind) -> NexusProvider:
    provider = kind.provider_class()
    assert isinstance(provider, NexusProvider)
    return provider


def scope_of(kind: Kind) -> str:
    provider = provider_of(kind)
    return provider.scope or provider.kind


_MODULES = {"blob_store": "storage", "cleanup_policy": "storage", "routing_rule": "repositories"}
"""Where kinds of the system belong that repositories refer to."""


def module_of(kind: Kind) -> str:
    """The module of a program in which the kind is declared."""
    parts = kind.__module__.split(".")[2:]
    return _MODULES.get(parts[-1], parts[0] if len(parts) > 1 else "system")


def read(
    client: NexusClient, choice: Choice, ca: str = "", on_kind: Callable[[str], None] = lambda _: None
) -> Snapshot:
    """Every chosen object; ``on_kind`` is called with the name of each kind before it is read."""
    if not client.login():
        raise Unauthorized(
            f"NEXUS_PASSWORD: {client.url} does not take the password of {client.username!r}. Set NEXUS_USERNAME "
            "and NEXUS_PASSWORD to an administrator's"
        )
    version, edition = parse_server_header(client.server)
    found = Snapshot(client.url, client.username, ca, version, edition)
    if reason := no_rest_reason(version):
        found.unread.append(f"much of it: the server is {reason}")
    groups: dict[str, list[Kind]] = {}
    for kind in kinds():
        provider = provider_of(kind)
        address = provider.filled(provider.list_path) if isinstance(provider, ObjectProvider) else ""
        groups.setdefault(address or f"setting {kind.__name__}", []).append(kind)
    for group in groups.values():
        available = [kind for kind in group if not _refusal(kind, found)]
        if any(map(choice.may_take, available)):
            on_kind(scope_of(group[0]))
            _read_group(client, group, choice, found)
    if found.failure and not (choice.only or found.objects or found.built_in or found.left_out):
        raise UnexpectedResponse(f"--url: nothing can be read there. {found.failure} Give the address of a Nexus")
    return found


def _refusal(kind: Kind, found: Snapshot) -> str:
    return provider_of(kind).availability.refusal(found.version, found.edition)


def _read_group(client: NexusClient, group: list[Kind], choice: Choice, found: Snapshot) -> None:
    """The kinds that one list holds, or one setting."""
    what = scope_of(group[0])
    try:
        with _failures(client, found, what):
            if lists(group[0]):
                _read_list(client, group, choice, found)
            else:
                _add(found, choice, group[0], _setting(client, group[0]))
    except Forbidden as error:
        found.unread.append(f"{what}: {error}")


@contextmanager
def _failures(client: NexusClient, found: Snapshot, what: str) -> Iterator[None]:
    """Keep what could not be read, so that the rest is.

    A feature that the server lacks is no failure. A server that does not respond at all ends the command.
    """
    try:
        yield
        return
    except (NotFound, Refused, OutcomeUnknown, UnexpectedResponse) as error:
        if error.status in _ABSENT:
            return
        if isinstance(error, OutcomeUnknown):
            _require_response(client)
        reason = str(error)
    except (AttributeError, LookupError, TypeError, ValueError) as error:  # of the code that reads the content
        reason = f"the content of the response is not that of Nexus ({type(error).__name__})."
    found.unread.append(f"{what}: {reason}")
    found.failure = found.failure or found.unread[-1]


def _require_response(client: NexusClient) -> None:
    try:
        client.login()
    except OutcomeUnknown as error:  # another type, as the failures around this one wait no second time
        raise Unreachable(str(error)) from None


def _setting(client: NexusClient, kind: Kind) -> Actual | None:
    actual = provider_of(kind).find(client, {})
    needed = [name for name, one in kind.declared_properties.items() if one.required and not one.secret]
    unset = actual is None or any(actual.properties.get(name) in (None, "", [], ()) for name in needed)
    return None if unset else actual


def _read_list(client: NexusClient, group: list[Kind], choice: Choice, found: Snapshot) -> None:
    own = [(kind, one) for kind in group if isinstance(one := provider_of(kind), ObjectProvider)]
    own.sort(key=lambda one: "type" in one[1].schema)  # a kind for any type comes after those for one
    for entry in own[0][1].entries(client):
        name = entry.get("name") or entry.get("id") if isinstance(entry, dict) else entry
        with _failures(client, found, f"{scope_of(group[0])} {name!r}"):
            _read_entry(client, own, entry, choice, found)


def _read_entry(
    client: NexusClient, own: list[tuple[Kind, ObjectProvider]], entry: Any, choice: Choice, found: Snapshot
) -> None:
    for kind, provider in own:
        actual = provider.actual(entry)
        if provider.is_it(entry, actual.properties):
            if choice.may_take(kind):
                _add(found, choice, kind, _whole(client, kind, provider, actual))
            return
    if not entry.get("readOnly") and not choice.only:
        name = entry.get("name") or entry.get("id")
        what = " ".join(str(entry[key]) for key in ("format", "type") if key in entry)
        found.left_out.append(f"{scope_of(own[0][0])} {name!r}: no kind is declared for it ({what})")


def _whole(client: NexusClient, kind: Kind, provider: ObjectProvider, actual: Actual) -> Actual | None:
    """The object as the list has it, or read by itself where the list does not have it as a whole.

    A list that tells no more than what is required may leave out the rest.
    """
    needed = [name for name, one in kind.declared_properties.items() if one.required and not one.secret]
    if isinstance(provider, ListedProvider) or (
        provider.list_is_complete and set(needed) < set(actual.properties)
    ):
        return actual
    alone = provider.find(client, actual.properties)
    # What is read by its name need not tell it.
    key = {provider.key: actual.properties[provider.key]}
    return alone and Actual(alone.body, {**key, **alone.properties})


def _add(found: Snapshot, choice: Choice, kind: Kind, actual: Actual | None) -> None:
    if actual is None:
        return
    provider = provider_of(kind)
    one = Object(kind, provider.identity(actual.properties), provider.returned({}, actual), actual.body)
    if provider.is_built_in(actual):
        found.built_in.append(one)
    elif choice.takes(kind, one.identity):
        if (one.scope, one.identity) in found.keys:
            found.left_out.append(f"{one}: is there more than once. Give each a name of its own")
        elif refusal := _refusal(kind, found):
            found.left_out.append(f"{one}: {refusal}")
        else:
            found.objects.append(one)
            found.keys.add((one.scope, one.identity))
