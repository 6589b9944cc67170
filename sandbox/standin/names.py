"""Between ``docker`` outside and ``raw`` in Core: names of privileges, formats, patterns.

A docker repository is a raw hosted one of the same name in Core. In what concerns such a repository the two words
change places, both ways: what a client calls ``docker`` is ``raw`` in Core, and a client that asks for the raw
privileges of a docker repository is told, by Core itself, that there are none.

For "every docker repository" (``nx-repository-view-docker-*-read``) Core has only "every raw repository", so what
was written with ``docker`` is remembered, to be shown as such again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

_ACTIONS = r"(?:\*|browse|read|edit|add|delete)"
_SWAP = {"docker": "raw", "raw": "docker"}


def swap(names: Iterable[str]) -> Callable[[str], str]:
    """A function that swaps the two words in the privilege names and patterns of these repositories."""
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    if not known:
        return lambda text: text
    pattern = re.compile(
        rf"(nx-repository-(?:view|admin)-)(docker|raw)(-(?:{known})-{_ACTIONS}(?![\w.-]))"
        rf"|(nexus:repository-(?:view|admin):)(docker|raw)(:(?:{known})(?![\w.-]))"
        rf"|(Invalid format ')(docker|raw)(' supplied for repository '(?:{known})')"
    )

    def one(match: re.Match[str]) -> str:
        before, word, after = (part for part in match.groups() if part is not None)
        return f"{before}{_SWAP[word]}{after}"

    return lambda text: pattern.sub(one, text)


_EVERY = re.compile(r"^(nx-repository-view-|nexus:repository-view:)(docker|raw)([-:]\*(?:[-:].*)?|)$")


def to_core(body: Any, names: Iterable[str], remember: Callable[[str], None]) -> Any:
    """A role or privilege as Core has it. ``remember`` is told what was written for every docker repository."""
    names = set(names)
    renamed = swap(names)

    def text(value: str) -> str:
        match = _EVERY.match(value)
        if match and match[2] == "docker":
            remember(value)
            return f"{match[1]}raw{match[3]}"
        return renamed(value)

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            value = {key: walk(each) for key, each in value.items()}
            if value.get("repository") in names and value.get("format") in _SWAP:
                value["format"] = _SWAP[value["format"]]
            elif value.get("repository") == "*" and value.get("format") == "docker":
                remember(str(value.get("name")))
                value["format"] = "raw"
            return value
        if isinstance(value, list):
            return [walk(each) for each in value]
        return text(value) if isinstance(value, str) else value

    return walk(body)


def from_core(body: Any, names: Iterable[str], remembered: Iterable[str]) -> Any:
    """A role, a privilege, or lists of them as the client has them."""
    names, remembered = set(names), set(remembered)
    renamed = swap(names)

    def text(value: str) -> str:
        match = _EVERY.match(value)
        if match and match[2] == "raw" and (docker := f"{match[1]}docker{match[3]}") in remembered:
            return docker
        return renamed(value)

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            value = {key: walk(each) for key, each in value.items()}
            everywhere = value.get("repository") == "*" and value.get("name") in remembered
            if value.get("format") in _SWAP and (value.get("repository") in names or everywhere):
                value["format"] = _SWAP[value["format"]]
            return value
        if isinstance(value, list):
            return [walk(each) for each in value]
        return text(value) if isinstance(value, str) else value

    return walk(body)


def with_every_docker(privileges: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Core's list of privileges, and for those of every raw repository the same of every docker one."""
    shown = []
    for privilege in privileges:
        shown.append(privilege)
        if privilege["readOnly"] and (match := _EVERY.match(privilege["name"])):
            words = privilege["description"].replace("'raw'", "'docker'")
            docker = {"name": f"{match[1]}docker{match[3]}", "description": words, "format": "docker"}
            shown.append(privilege | docker)
    return shown


def rewrite_text(names: Iterable[str]) -> Callable[[bytes], bytes]:
    """``swap`` for a body of any kind, such as an error."""
    swapped = swap(names)
    return lambda body: swapped(body.decode()).encode()


def dump(body: Any) -> bytes:
    """JSON as Core lays it out."""
    return json.dumps(body, indent=2, separators=(",", " : "), ensure_ascii=False).encode()
