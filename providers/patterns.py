"""What Nexus reads and this program only checks: Java's regular expressions, Quartz's schedules and IP ranges.

The checks refuse only what is certainly wrong.
"""

from __future__ import annotations

import ipaddress
import re
import struct
import warnings
from collections.abc import Mapping
from typing import Any

from .schema import Invalid, text

_JAVA_ONLY = (
    (r"\\Q.*?(?:\\E|$)", "a"),
    (r"\\[pP](?:\{[^}]*\}|[A-Za-z])", "a"),
    (r"\\x\{[0-9A-Fa-f]+\}|\\k<\w+>|\\c.", "a"),
    (r"\\[hHRXGzZQEeVAbB]", "a"),
    (r"(?<![\\\[])[\^$](?=[*+?{])", "a"),
    (r"\(\?<(?![=!])\w+>", "("),
    (r"\(\?>|\(\?[a-zA-Z]*-?[a-zA-Z]*:", "(?:"),
    (r"\(\?[a-zA-Z]*-?[a-zA-Z]*\)", ""),
    (r"(?<=[*+?}])\+", ""),
)
"""Syntax of Java's regular expressions that Python lacks or reads differently, and its replacement."""


def java_regex(value: Any) -> str:
    """A regular expression; refused when its brackets or repetitions can't be right in Java."""
    expression = str(text()(value))
    plain = re.sub(r"\\\\", "a", expression)
    for found, instead in _JAVA_ONLY:
        plain = re.sub(found, instead, plain)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(plain)
    except re.error as error:
        if re.match(r"unterminated|missing|unbalanced|nothing to repeat|bad escape \(end", error.msg):
            raise Invalid(f"{expression!r} is no regular expression: {error.msg}. Correct it") from None
    except OverflowError as error:
        raise Invalid(f"{expression!r} is no regular expression: {error}. Correct it") from None
    except RecursionError:  # too many brackets in each other for Python
        pass
    return expression


def ip_range(value: Any) -> str:
    """An IP address, or a range of them such as ``10.0.0.0/8``, in its shortest form."""
    given = str(text()(value)).strip()
    try:
        if "/" in given:
            return str(ipaddress.ip_network(given))
        return str(ipaddress.ip_address(given))
    except ValueError as error:
        raise Invalid(f"{given!r} must be an IP address or a range such as 10.0.0.0/8: {error}") from None


def host_address(value: Any) -> str:
    """An IP address as Java writes it, with every part of an IPv6 address: Nexus compares the texts."""
    given = str(text()(value)).strip()
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        raise Invalid(
            f"{given!r} is no IP address. Give each address by itself, because Nexus takes no ranges here"
        ) from None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ":".join(f"{part:x}" for part in struct.unpack("!8H", address.packed)))


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: tuple[tuple[str, int, int, Mapping[str, int]], ...] = (
    ("seconds", 0, 59, {}),
    ("minutes", 0, 59, {}),
    ("hours", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of week", 1, 7, {name: number for number, name in enumerate(_DAYS, 1)}),
    ("year", 1970, 2099, {}),
)
_DAY_FORMS = {
    "day of month": r"\?|LW|L(-([12]?\d|30))?|([1-9]|[12]\d|3[01])W",
    "day of week": rf"\?|L|([1-7]|{'|'.join(_DAYS)})(L|#[1-5])",
}
"""What only the fields of days know, each of them alone."""


def quartz_cron(value: Any) -> str:
    """A schedule of Quartz: ``0 30 2 * * ?`` is half past two each day."""
    expression = " ".join(str(text()(value)).upper().split())
    fields = expression.split(" ")
    if not 6 <= len(fields) <= 7:
        raise Invalid(f"must have 6 or 7 fields (seconds first, as in '0 30 2 * * ?'), not {len(fields)}")
    for field, (name, low, high, names) in zip(fields, _FIELDS, strict=False):
        alone = re.fullmatch(_DAY_FORMS.get(name, r"(?!)"), field)
        for part in [] if alone else [field] if "/" in field else field.split(","):
            if not _is_range(part, low, high, names):
                raise Invalid(
                    f"{part!r} is no {name}. Give numbers from {low} to {high}, '*', 'a-b', or a single 'a/b'"
                )
    if (fields[3] == "?") == (fields[5] == "?"):
        raise Invalid("must have '?' for exactly one of day of month and day of week")
    return expression


def _is_range(part: str, low: int, high: int, names: Mapping[str, int]) -> bool:
    """Whether Nexus takes it, whose own pattern (QuartzScheduleFactory in its source) takes less than Quartz."""
    found = re.fullmatch(r"(\*|\w+)(?:-(\w+)|/(\d{1,4}))?", part)
    if not found or (found[1] == "*" and (found[2] or (found[3] and low))):  # only a time takes "*/5"
        return False
    ends = [end for end in (found[1], found[2]) if end not in (None, "", "*")]
    numbers = [names.get(end, int(end) if end.isdecimal() else -1) for end in ends]
    return all(low <= number <= high for number in numbers) and (not found[3] or 0 < int(found[3]) <= high)
