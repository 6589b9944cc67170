"""Values that a preview does not know yet."""

from __future__ import annotations

from typing import Any

from pulumi.output import Unknown
from pulumi.runtime.rpc import UNKNOWN

_WIRE = {
    UNKNOWN,  # 04da6b54-80e4-46f7-96ec-b56ff0331ba9: the value on the wire, and of SDKs before 3.200, for any type
}


def is_unknown(value: Any) -> bool:
    """Whether this very value is unknown: an ``Unknown`` object, or the marker text of older SDKs."""
    return isinstance(value, Unknown) or (isinstance(value, str) and value in _WIRE)


def has_unknown(value: Any) -> bool:
    """Whether the value is unknown or holds something unknown, at any depth."""
    if is_unknown(value):
        return True
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(has_unknown(item) for item in value)
    return False
