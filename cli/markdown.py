"""A summary of a preview as Markdown that fits a comment."""

from __future__ import annotations

import re

from .preview import Entry, Summary

LIMITS = {"github": 65_536, "gitlab": 1_000_000, "markdown": 150_000}
"""Characters that a comment may have; ``markdown`` holds Azure DevOps's limit."""
MARKER = "nexus-registry summary"
"""Begins the first line, by which a pipeline finds its former comment."""
_RESERVE = 1500
"""For the sentence that names what was cut."""
_OPERATIONS = ("delete", "replace", "update", "create", "import")


def render(found: Summary, limit: int) -> str:
    """Markdown of at most ``limit`` characters (at least 3,000); what was cut is named at the end."""
    head = _head(found)
    left, cut = limit - _RESERVE - _size(head), list[str]()
    parts = [head]
    for title, entries, folded, bold in _sections(found):
        if not entries:
            continue
        heading = f"{title} ({len(entries)})"
        begin = f"\n<details><summary>{heading}</summary>\n\n" if folded else f"\n### {title}\n\n"
        end = "\n</details>\n" if folded else ""
        room = left - _size(begin) - _size(end)
        lines: list[str] = []
        for entry in entries:
            line = _line(entry, bold=bold)
            if _size(line) > room:
                line = _line(entry, bold=bold, short=True)
            if _size(line) > room:
                break
            room -= _size(line)
            lines.append(line)
        if lines:
            parts += [begin, *lines, end]
            left = room
        if len(lines) < len(entries):
            cut.append(f"{len(entries) - len(lines)} of {len(entries)} under {title}")
    if cut:
        parts.append(f"\n_Cut to fit {limit} characters: {'; '.join(cut)}. The log of the job has them all._\n")
    return "".join(parts)


def _sections(found: Summary) -> list[tuple[str, list[Entry], bool, bool]]:
    """Title, entries, whether folded, whether bold; the most important first."""
    return [
        ("Data loss", found.data_loss, False, True),
        ("Errors", found.errors, False, False),
        ("Deletions that fail while there is data", found.kept, False, False),
        ("Replaced", found.replaced, False, False),
        ("Server restart", found.restarts, False, False),
        ("Certificates that end soon", found.certificates, False, False),
        ("Warnings", found.warnings, False, False),
        ("Deleted", found.deleted, True, False),
        ("Updated", found.updated, True, False),
        ("Created", found.created, True, False),
        ("Other", found.other, True, False),
    ]


def _head(found: Summary) -> str:
    name = code(found.stack[:200])
    counts = [f"{found.counts[op]} to {op}" for op in _OPERATIONS if found.counts.get(op)]
    if found.counts.get("same"):
        counts.append(f"{found.counts['same']} unchanged")
    changes = any(found.counts.get(op) for op in found.counts if op != "same")
    verdict = "The preview failed. " if found.errors else "" if changes else "No changes. "
    return f"<!-- {MARKER}: {name[1:-1]} -->\n## Preview of {name}\n\n{verdict}{', '.join(counts)}\n"


def _line(entry: Entry, *, bold: bool, short: bool = False) -> str:
    label = f"{code(entry.resource)} ({plain(entry.type)})"
    text = f"{label}: {plain(entry.operation)}" if bold else label
    first, *more = plain(entry.text[:200] if short else entry.text).split("\n")
    head = f"- **{text}: {first}**\n" if bold else f"- {text}{f': {first}' if first else ''}\n"
    rows = [line.strip() for line in more if line.strip()] + [_change(one) for one in entry.changes]
    if short and rows:
        rows = [f"{len(rows)} lines are cut"]
    return "".join([head, *(f"  - {row}\n" for row in rows)])


def _change(line: str) -> str:
    name, colon, values = line.partition(": ")
    if not colon:
        return plain(line)
    was, _, becomes = values.partition(" → ")
    return f"{code(name)}: {code(was)} → {code(becomes)}"


def code(text: str) -> str:
    """A code span that nothing in the text can leave."""
    return f"`{re.sub('[`<>|]', '?', _printable(text, '')) or ' '}`"


def plain(text: str) -> str:
    """Text that is not read as Markdown, HTML or a reference to somebody or something."""
    text = re.sub(r"([\\`*\[\]<>|~$&]|(?<!\w)_|_(?!\w))", r"\\\1", _printable(text.replace("\t", " "), "\n"))
    text = re.sub(r"^( *\d*)([#+=.)-])", r"\1\\\2", text, flags=re.MULTILINE)
    # A zero-width space, because a backslash does not keep GitHub and GitLab from linking @name and #1.
    return re.sub(r"([@#!])(?=\w)", "\\1\u200b", text)


def _size(text: str) -> int:
    """Its length in UTF-16, as Azure DevOps counts; no platform counts more."""
    return len(text.encode("utf-16-le")) // 2


def _printable(text: str, kept: str) -> str:
    return "".join(one if one.isprintable() or one in kept else "?" for one in text)
