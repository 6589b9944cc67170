"""Between ``docker``, ``npm`` … outside and ``raw`` in Core: names of privileges, formats, patterns.

A docker repository is a raw one of the same name in Core. In what concerns such a repository the two words
change places, both ways: what a client calls ``docker`` is ``raw`` in Core, and a client that asks for the raw
privileges of a docker repository gets the response of Core that there are none. The same goes for other formats.

For "every docker repository" (``nx-repository-view-docker-*-read``) Core has only "every raw repository", so what
was written with ``docker`` is remembered, to be shown as such again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_ACTIONS = r"(?:\*|browse|read|edit|add|delete)"
Formats = Mapping[str, str]
"""The format of each repository that is a raw one in Core, by its name."""


def _swapped(word: str, format_: str) -> str:
    return {format_: "raw", "raw": format_}.get(word, word)


def swap(formats: Formats) -> Callable[[str], str]:
    """A function that swaps the two words in the privilege names and patterns of these repositories."""
    if not formats:
        return lambda text: text
    known = "|".join(re.escape(name) for name in sorted(formats, key=len, reverse=True))
    words = "|".join(sorted({*formats.values(), "raw"}))
    pattern = re.compile(
        rf"(nx-repository-(?:view|admin)-)({words})(-)({known})(-{_ACTIONS}(?![\w.-]))"
        rf"|(nexus:repository-(?:view|admin):)({words})(:)({known})((?![\w.-]))"
        rf"|(Invalid format ')({words})(' supplied for repository ')({known})(')"
    )

    def one(match: re.Match[str]) -> str:
        before, word, between, name, after = (part for part in match.groups() if part is not None)
        return f"{before}{_swapped(word, formats[name])}{between}{name}{after}"

    return lambda text: pattern.sub(one, text)


_EVERY = re.compile(r"^(nx-repository-view-|nexus:repository-view:)(docker|raw)([-:]\*(?:[-:].*)?|)$")


def to_core(body: Any, formats: Formats, remember: Callable[[str], None]) -> Any:
    """A role or privilege as Core has it. ``remember`` gets what was written for every docker repository."""
    renamed = swap(formats)

    def text(value: str) -> str:
        match = _EVERY.match(value)
        if match and match[2] == "docker":
            remember(value)
            return f"{match[1]}raw{match[3]}"
        return renamed(value)

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            value = {key: walk(each) for key, each in value.items()}
            if "format" in value and (own := formats.get(str(value.get("repository")))):
                value["format"] = _swapped(value["format"], own)
            elif value.get("repository") == "*" and value.get("format") == "docker":
                remember(str(value.get("name")))
                value["format"] = "raw"
            return value
        if isinstance(value, list):
            return [walk(each) for each in value]
        return text(value) if isinstance(value, str) else value

    return walk(body)


def from_core(body: Any, formats: Formats, remembered: Iterable[str]) -> Any:
    """A role, a privilege, or lists of them as the client has them."""
    remembered = set(remembered)
    renamed = swap(formats)

    def text(value: str) -> str:
        match = _EVERY.match(value)
        if match and match[2] == "raw" and (docker := f"{match[1]}docker{match[3]}") in remembered:
            return docker
        return renamed(value)

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            value = {key: walk(each) for key, each in value.items()}
            everywhere = value.get("repository") == "*" and value.get("name") in remembered
            own = "docker" if everywhere else formats.get(str(value.get("repository")))
            if "format" in value and own:
                value["format"] = _swapped(value["format"], own)
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


def rewrite_text(formats: Formats) -> Callable[[bytes], bytes]:
    """``swap`` for a body of any kind, such as an error."""
    swapped = swap(formats)
    return lambda body: swapped(body.decode()).encode()


def dump(body: Any) -> bytes:
    """JSON as Core lays it out."""
    return json.dumps(body, indent=2, separators=(",", " : "), ensure_ascii=False).encode()
