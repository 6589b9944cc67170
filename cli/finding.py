"""What an examination of a registry reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        code: stable, for monitoring.
        text: what is wrong.
        remedy: what to do.
    """

    code: str
    text: str
    remedy: str
