"""A preview (``pulumi preview --json``) as Markdown for a review; possible data loss comes first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

LIMITS = {"github": 65_536, "gitlab": 1_000_000, "markdown": 150_000}
"""Characters that a comment may have; ``markdown`` holds Azure's limit."""
_REMOVES = ("delete", "replace", "delete-replaced", "discard", "discard-replaced")
_IGNORED = {"__provider", "stdin"}
_HIDDEN = "[secret]"


@dataclass
class Summary:
    """The findings of one preview; no value of a secret is in it."""

    data_loss: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    restarts: list[str] = field(default_factory=list)
    certificates: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def sections(self) -> list[tuple[str, list[str]]]:
        """Headings and entries, the most important first."""
        return [
            ("Errors", self.errors),
            ("Data loss", self.data_loss),
            ("Replaced", self.replaced),
            ("Server restart", self.restarts),
            ("Certificates", self.certificates),
            ("Changes", self.changes),
        ]


def summarize(preview: Mapping[str, Any], now: datetime) -> Summary:
    """Read a preview; raises ValueError for JSON that is none."""
    if not isinstance(preview, dict) or not isinstance(preview.get("steps", preview.get("diagnostics")), list):
        raise ValueError("this is no preview: give what `pulumi preview --json` prints")
    found = Summary()
    for one in preview.get("diagnostics") or ():
        if one.get("severity") == "error":
            found.errors.append(f"{_name(one.get('urn', ''))}: the preview failed; its log says why")
    for step in preview.get("steps") or ():
        _read(found, step, now)
    return found


def _read(found: Summary, step: Mapping[str, Any], now: datetime) -> None:
    op, urn = step["op"], step["urn"]
    old, new = (_inputs(step.get(state)) for state in ("oldState", "newState"))
    kind, name = _kind(urn), _name(urn)
    label = f"{_code(name)} ({kind})"
    if kind == "Keystore" and (reason := _ends_soon(new, now)):
        found.certificates.append(f"{label} {reason}")
    if op in ("same", "read", "refresh") or kind == "Stack":
        return
    changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    # Secrets are masked on both sides, so their changes are in the engine's own lists only.
    changed = sorted({*changed, *(re.split(r"[.\[]", key)[0] for key in step.get("diffReasons") or ())})
    if op in _REMOVES and (reason := _holds_data(kind, old)):
        found.data_loss.append(f"{label}: {op}, {reason}")
    if new.get("force_destroy") is True and old.get("force_destroy") is not True:
        found.data_loss.append(f"{label}: force_destroy is set, so a later deletion takes its content with it")
    if "--purge-data yes" in str(new.get("delete")) and "--purge-data yes" not in str(old.get("delete")):
        found.data_loss.append(f"{label}: purge_data is set, so a later destroy removes the data directory")
    if op == "replace":
        why = ", ".join(_code(str(key)) for key in step.get("replaceReasons") or ())
        found.replaced.append(f"{label}: {why or 'no reason is given'}")
    if _is_service(old or new) and op != "create" and {"create", "update", "stdin"}.intersection(changed):
        found.restarts.append(f"{label}: {op}")
    if op in ("create-replacement", "delete-replaced", "discard-replaced"):
        return  # the step `replace` says it
    before = old if op not in ("create", "import") else {}
    lines = [_change(key, before, new) for key in changed if key != "__provider"] if new and before else []
    found.changes.append("\n".join([f"{op} {label}", *(f"  - {line}" for line in lines)]))


def _inputs(state: Any) -> dict[str, Any]:
    return {**((state or {}).get("inputs") or {})}


def _kind(urn: str) -> str:
    return re.split(r"[:/$]", [*urn.split("::"), "", "", ""][2])[-1] or "resource"


def _name(urn: str) -> str:
    return urn.split("::", 3)[-1] or "stack"


def _holds_data(kind: str, old: Mapping[str, Any]) -> str:
    if kind.endswith("HostedRepository"):
        if old.get("force_destroy") is True:
            return "and force_destroy is set: its content goes with it"
        return "refused by the provider while it holds components"
    if kind.endswith("BlobStore"):
        return "its content may go with it"
    return (
        "with purge_data: the data directory goes with it" if "--purge-data yes" in str(old.get("delete")) else ""
    )


def _is_service(inputs: Mapping[str, Any]) -> bool:
    return "--start-timeout" in str(inputs.get("create"))


def _ends_soon(new: Mapping[str, Any], now: datetime) -> str:
    try:
        ends = datetime.strptime(new["not_after"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        days = int(new.get("renew_before", 30))
    except (KeyError, TypeError, ValueError):  # not known yet
        return ""
    return f"ends on {new['not_after']}" if days and ends - timedelta(days=days) <= now else ""


def _change(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    was, becomes = old.get(key), new.get(key)
    # A nested value may hold a secret, and a script says nothing to a reader.
    if key in _IGNORED or _HIDDEN in str(was) + str(becomes):
        return f"{_code(key)} changes"
    return f"{_code(key)}: {_code(_short(was))} → {_code(_short(becomes))}"


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _code(text: str) -> str:
    """A code span that nothing in the text can leave."""
    return f"`{re.sub(r'[`<>|]|[^ -~]', '?', text.replace('…', '...')) or ' '}`"


def render(found: Summary, limit: int) -> str:
    """Markdown of at most ``limit`` characters (at least 2,000); what was cut is named at the end."""
    whole = [f"## {'Preview' if any(rows for _, rows in found.sections()) else 'Preview: no changes'}\n"]
    left = limit - 1000 - len(whole[0])
    cut: list[str] = []
    for title, rows in found.sections():
        if not rows:
            continue
        folded = title == "Changes"
        bold = "**" if title == "Data loss" else ""
        begin = f"\n<details><summary>{title} ({len(rows)})</summary>\n\n" if folded else f"\n### {title}\n\n"
        end = "\n</details>\n" if folded else ""
        entries = [f"- {bold}{row}{bold}\n" for row in rows]
        left -= len(begin) + len(end)
        shown = 0
        while shown < len(entries) and len(entries[shown]) <= left:
            left -= len(entries[shown])
            shown += 1
        if shown:
            whole += [begin, *entries[:shown], end]
        if shown < len(entries):
            cut.append(f"{len(entries) - shown} of {len(entries)} entries of {title}")
    if cut:
        whole.append(f"\nCut to {limit} characters: {'; '.join(cut)}. The job's log has them all.\n")
    return "".join(whole)
