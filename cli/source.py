"""Python source as ruff formats it: values, calls and names. Plain data in, text out."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 88
_WIDEST = 115
"""Strings are cut so that ruff leaves them as they are with any line length from ``WIDTH`` to this."""
_INDENT = 4


@dataclass(frozen=True)
class Code:
    """An expression that is written as it is."""

    text: str


@dataclass(frozen=True)
class Call:
    """A call of a function or class."""

    function: str
    positional: Sequence[Any] = ()
    named: Mapping[str, Any] | None = None


def identifier(text: str, suffix: str = "", taken: Container[str] = ()) -> str:
    """A name for a variable, from any text: lower case, ASCII, no keyword, and none that is taken."""
    words, ends = _words(text), _words(suffix)
    if ends and words[-len(ends) :] != ends:
        words = ends if set(words) <= set(ends) else words + ends
    name = "_".join(words) or "value"
    if name[0].isdigit():
        name = f"_{name}"
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        name += "_"
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return [word.lower() for word in re.findall(r"[A-Za-z0-9]+", plain)]


def natural(name: str) -> list[tuple[int, int | str]]:
    """A key that sorts numbers in names by their value, as import sorters do."""
    return [
        (0, int(part)) if part[0] in "0123456789" else (1, part) for part in re.findall(r"[0-9]+|[^0-9]+", name)
    ]


def statement(target: str, value: Any) -> str:
    """An assignment, or with an empty target an expression."""
    head = f"{target} = " if target else ""
    return head + _written(value, 0, len(head), 0)


def imports(module: str, names: Sequence[str]) -> str:
    """``from module import …``, sorted."""
    names = sorted(names, key=natural)
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"


def string(text: str) -> str:
    """A literal on one line, in the quotes that need fewer backslashes."""
    if '"' not in text:
        return '"' + repr("'" + text)[2:]
    single = repr(text)
    if text.count('"') > text.count("'"):
        return single if single[0] == "'" else "'" + single[1:-1].replace("'", "\\'") + "'"
    return '"' + single[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'


def _flat(value: Any) -> str:
    """The value on one line."""
    if isinstance(value, Code):
        return value.text
    if isinstance(value, str):
        return string(value)
    if isinstance(value, Call):
        named = [f"{name}={_flat(one)}" for name, one in (value.named or {}).items()]
        return f"{value.function}({', '.join([*map(_flat, value.positional), *named])})"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_flat, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flat(key)}: {_flat(one)}" for key, one in value.items()) + "}"
    return repr(value)


def _written(value: Any, indent: int, before: int, after: int) -> str:
    """The value, on one line where it fits between what stands before and after it on its line."""
    flat = _flat(value)
    if indent + before + len(flat) + after <= WIDTH and not _multiline(value):
        return flat
    inner = " " * (indent + _INDENT)
    end = " " * indent
    if isinstance(value, Call):
        lines = [_written(one, indent + _INDENT, 0, 1) for one in value.positional]
        for name, one in (value.named or {}).items():
            lines.append(f"{name}={_written(one, indent + _INDENT, len(name) + 1, 1)}")
        return f"{value.function}(\n" + "".join(f"{inner}{line},\n" for line in lines) + f"{end})"
    if isinstance(value, (list, tuple)) and value:
        lines = [_written(one, indent + _INDENT, 0, 1) for one in value]
        return "[\n" + "".join(f"{inner}{line},\n" for line in lines) + f"{end}]"
    if isinstance(value, Mapping) and value:
        lines = [
            f"{_flat(key)}: {_written(one, indent + _INDENT, len(_flat(key)) + 2, 1)}"
            for key, one in value.items()
        ]
        return "{\n" + "".join(f"{inner}{line},\n" for line in lines) + f"{end}}}"
    if isinstance(value, str):
        return _long_string(value, indent, before + after)
    return flat


def _multiline(value: Any) -> bool:
    """Whether something in it is written over several lines in any case."""
    if isinstance(value, str):
        return _is_block(value)
    if isinstance(value, Call):
        return any(map(_multiline, [*value.positional, *(value.named or {}).values()]))
    if isinstance(value, Mapping):
        return any(map(_multiline, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_multiline, value))


def _long_string(text: str, indent: int, around: int) -> str:
    """A string that is too long: as a block where every line of it can stand so, on a line of its own, or in
    pieces."""
    if _is_block(text):
        escaped = text.replace("\\", "\\\\")
        return f'"""{escaped}"""'
    whole = string(text)
    if indent + around + len(whole) <= _WIDEST:
        return whole
    fits = indent + _INDENT + len(whole) <= _WIDEST
    pieces = [text] if fits else _pieces(text, WIDTH - indent - _INDENT)
    inner = " " * (indent + _INDENT)
    return "(\n" + "".join(f"{inner}{string(piece)}\n" for piece in pieces) + " " * indent + ")"


def _is_block(text: str) -> bool:
    """Whether the text is one of several lines that can stand between triple quotes as they are."""
    lines = text.split("\n")
    clean = all(line.isprintable() and line == line.rstrip() and len(line) <= WIDTH for line in lines)
    return len(lines) > 2 and clean and '"""' not in text and text[-1] != '"'


def _pieces(text: str, width: int) -> list[str]:
    """The text in pieces, each of which fits as a literal: at line ends, else at blanks, else anywhere."""
    pieces = []
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        while len(string(line)) > width:
            cut = width - 2
            while len(string(line[:cut])) > width:
                cut -= 1
            blank = line.rfind(" ", 1, cut) + 1
            cut = blank if blank > 1 else cut
            pieces.append(line[:cut])
            line = line[cut:]
        pieces.append(line)
    return pieces
