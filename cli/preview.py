"""The findings of a preview (``pulumi preview --json``) for a review; possible data loss comes first."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine prints for a value that is known only after `up`."""
_HIDDEN = "[secret]"
_UNSHOWN = {"__provider", "incarnation", "incarnations", "proves"}
"""Inputs that mean nothing to a reader."""
_SECRET = re.compile(
    r"password|passphrase|passcode|pwd|secret|token|(?:private|account|api)_?key|keypair|license|credential|connection"
    r"|stdin|docker_?config|^auth$",
    re.I,
)
"""Inputs whose values are never shown, also when the preview was made with --show-secrets."""
_STEP = re.compile(r"(?:sh -s --|sudo -n sh -s --|.* nexus-registry) (?:create|update|delete) --unit ", re.S)
_NO_RESTART = {"digest", "fingerprint", "lock_timeout", "repair", "start_timeout", "urn"}
_FRAMES = re.compile(r"\A.*Traceback \(most recent call last\):\n(?:(?: [^\n]*)?\n)*", re.S)
"""What stands before the exception, whose text may have several lines."""
_DONE = ("same", "read", "refresh", "discard", "read-discard")
_SHOWN_CHANGES = 30
_MESSAGE = 1000


@dataclass(frozen=True, order=True)
class Entry:
    """A finding about one resource."""

    resource: str
    """Its name in the program."""
    type: str
    """The last part of its type, such as ``DockerHostedRepository``."""
    operation: str
    text: str = ""
    """What is found; plain text."""
    changes: tuple[str, ...] = ()
    """A line for each property that changes."""


@dataclass
class Summary:
    """The findings of one preview; no value of a secret is in it."""

    stack: str = ""
    """``<project>/<stack>``; empty when no step names it."""
    counts: dict[str, int] = field(default_factory=dict)
    data_loss: list[Entry] = field(default_factory=list)
    """What loses data, or makes a later deletion lose it."""
    errors: list[Entry] = field(default_factory=list)
    kept: list[Entry] = field(default_factory=list)
    """Deletions that fail while there is data."""
    replaced: list[Entry] = field(default_factory=list)
    restarts: list[Entry] = field(default_factory=list)
    certificates: list[Entry] = field(default_factory=list)
    warnings: list[Entry] = field(default_factory=list)
    deleted: list[Entry] = field(default_factory=list)
    updated: list[Entry] = field(default_factory=list)
    created: list[Entry] = field(default_factory=list)
    other: list[Entry] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The findings as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class _Step:
    """One step of the preview, with what the findings need of it."""

    op: str
    urn: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    retained: bool
    replace_reasons: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def kind(self) -> str:
        return _kind(self.urn) or "resource"

    def entry(self, text: str = "", changes: Iterable[str] = ()) -> Entry:
        operation = "replace" if self.op in ("delete-replaced", "create-replacement") else self.op
        return Entry(_name(self.urn), self.kind, operation, text, tuple(changes))


def summarize(preview: Any, now: datetime) -> Summary:
    """Read a preview.

    Args:
        preview: what `pulumi preview --json` prints, parsed.
        now: the time that certificates are compared with.

    Raises:
        ValueError: when it is no preview.
    """
    steps = preview.get("steps") if isinstance(preview, dict) else None
    if not isinstance(preview, dict) or not {"steps", "diagnostics", "changeSummary"} & set(preview):
        raise ValueError("this is not a preview. Give what `pulumi preview --json` prints.")
    found = Summary(counts=dict(preview.get("changeSummary") or {}))
    read = [_step(one) for one in steps or ()]
    for step in read:
        _, _, stack, project, *_ = [*re.split(r"::?", step.urn), "", "", ""]
        found.stack = found.stack or f"{project}/{stack}"
        _certificate(found, step, now)
        if step.op in _DONE or "::pulumi:pulumi:Stack::" in step.urn:
            continue
        _data(found, step)
        _operation(found, step)
        _restart(found, step)
    without_reason = [_diagnostic(found, one) for one in preview.get("diagnostics") or ()]
    if any(without_reason) and not found.errors:
        text = "it failed, as by a policy. The log of the job says why."
        found.errors.append(Entry("stack", "Stack", "preview", text))
    for section in (value for value in vars(found).values() if isinstance(value, list)):
        # The order of steps differs from run to run; a comment must not.
        section[:] = sorted(set(section))
    return found


def _step(one: Mapping[str, Any]) -> _Step:
    states = [one.get(state) or {} for state in ("oldState", "newState")]
    old, new = (state.get("inputs") or {} for state in states)
    # Secrets are masked on both sides, so their changes are in the engine's own lists only.
    named = [_property(key) for key in (*(one.get("diffReasons") or ()), *(one.get("detailedDiff") or ()))]
    changed = {key for key in {*old, *new} if old.get(key) != new.get(key)} if old and new else set()
    return _Step(
        str(one["op"]),
        str(one["urn"]),
        old,
        new,
        bool(states[0].get("retainOnDelete")),
        tuple(str(key) for key in one.get("replaceReasons") or ()),
        tuple(sorted({*changed, *named} - {"__provider", ""})),
    )


def _name(urn: str) -> str:
    return urn.split("::", 3)[-1] or "stack"


def _kind(urn: str) -> str:
    """The last part of the type in a URN; empty where it has none."""
    return re.split(r"[:/$]", [*urn.split("::"), "", "", ""][2])[-1]


def _certificate(found: Summary, step: _Step, now: datetime) -> None:
    if step.kind != "Keystore" or step.op in ("delete", "delete-replaced"):
        return
    inputs = step.new or step.old
    try:
        ends = datetime.strptime(inputs["not_after"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        days = int(inputs.get("renew_before", 30))
    except (KeyError, TypeError, ValueError):  # not known yet
        return
    if days and ends - timedelta(days=days) <= now:
        past = "ended" if ends <= now else "ends"
        found.certificates.append(step.entry(f"the certificate {past} on {ends:%Y-%m-%d}"))


def _data(found: Summary, step: _Step) -> None:
    old, new = step.old, step.new
    if step.op in ("delete", "replace", "delete-replaced") and not step.retained:
        if step.kind.endswith("HostedRepository"):
            if old.get("force_destroy") is True:
                found.data_loss.append(step.entry("all components in the repository are deleted"))
            else:
                found.kept.append(step.entry("fails while the repository holds components"))
        elif step.kind.endswith("BlobStore"):
            found.data_loss.append(step.entry("its content may be deleted"))
        elif _flags(old.get("delete")).get("purge_data") == "yes":
            place = _flags(old.get("delete")).get("data_dir", "")
            found.data_loss.append(step.entry(f"the data directory {place} is deleted, with every component"))
    if new.get("force_destroy") is True and old.get("force_destroy") is not True:
        found.data_loss.append(step.entry("force_destroy is set: a later deletion deletes all components"))
    before, after = (_flags(inputs.get("delete")).get("purge_data") for inputs in (old, new))
    if after == "yes" and before != "yes":
        found.data_loss.append(step.entry("purge_data is set: a later destroy deletes the data directory"))


def _operation(found: Summary, step: _Step) -> None:
    if step.op == "replace":
        reasons = [_property(key) for key in step.replace_reasons if _property(key) not in _UNSHOWN]
        found.replaced.append(step.entry(f"because of {', '.join(reasons)}" if reasons else "", _changes(step)))
    elif step.op in ("create-replacement", "delete-replaced", "discard-replaced", "remove-pending-replace"):
        return  # the step `replace` says it
    elif step.op == "update":
        found.updated.append(step.entry(changes=_changes(step)))
    elif step.op == "delete":
        found.deleted.append(step.entry("kept outside the stack: retain_on_delete" if step.retained else ""))
    else:
        (found.created if step.op == "create" else found.other).append(step.entry())


def _restart(found: Summary, step: _Step) -> None:
    old, new = (_flags(inputs.get("create")) for inputs in (step.old, step.new))
    if "start_timeout" not in {**old, **new} or step.op in ("create", "create-replacement", "delete-replaced"):
        return
    if step.op == "delete":
        found.restarts.append(step.entry("the server is stopped and its unit removed"))
        return
    if step.op == "replace":
        found.restarts.append(step.entry("the server is stopped, its unit removed, and both created again"))
        return
    if not new:
        found.restarts.append(step.entry("may restart the server: the arguments are not known yet"))
        return
    changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    causes = [key for key in changed if key not in _NO_RESTART]
    if "version" in causes:
        versions = f"{old.get('version')} to {new.get('version')}"
        found.restarts.append(step.entry(f"stops the server, copies its database and starts it: {versions}"))
    elif causes:
        found.restarts.append(step.entry(f"restarts the server: {', '.join(causes)}"))
    elif "stdin" in step.changed:
        found.restarts.append(step.entry("may restart the server: a password or the step's script changes"))
    elif "digest" in changed and "fingerprint" not in changed:
        found.restarts.append(step.entry("may restart the server"))


def _diagnostic(found: Summary, one: Mapping[str, Any]) -> bool:
    """Add an error or a warning. Returns whether it says only that the preview failed."""
    message = re.sub(r"<\{%[^}]*%\}>", "", str(one.get("message") or "")).strip()
    severity = one.get("severity")
    if severity not in ("error", "warning") or "from $PATH at" in message:
        return False
    text = re.sub(r"^(?:error|warning): ", "", message)
    if re.match(r"preview failed$|an unhandled error occurred: program exited", text):
        return True
    text = _FRAMES.sub("", text.replace("\r\n", "\n"))
    urn = str(one.get("urn") or "")
    entry = Entry(_name(urn), _kind(urn) or "Stack", "preview", text[:_MESSAGE])
    (found.errors if severity == "error" else found.warnings).append(entry)
    return False


def _changes(step: _Step) -> Iterator[str]:
    lines = [line for key in step.changed if key not in _UNSHOWN for line in _change(step, key)]
    yield from dict.fromkeys(lines[:_SHOWN_CHANGES])
    if not lines and step.changed:
        yield "what it depends on changes"
    elif not lines and _HIDDEN in str(step.new):
        yield "a secret changes"  # masked on both sides, and the engine does not name it
    if len(lines) > _SHOWN_CHANGES:
        yield f"and {len(lines) - _SHOWN_CHANGES} more properties"


def _change(step: _Step, key: str) -> Iterator[str]:
    old, new = step.old.get(key), step.new.get(key)
    flags = _flags(old), _flags(new)
    if any(flags):
        for name in sorted({*flags[0], *flags[1]} - {"digest"}):
            was, becomes = (one.get(name) for one in flags)
            if was != becomes:
                hidden = bool(_SECRET.search(name))
                yield f"{name} changes" if hidden else f"{name}: {_short(was)} → {_short(becomes)}"
        if not all(flags):
            yield "arguments are not known yet"
    elif key == "stdin":
        yield "a secret or the script of the step changes"
    elif _SECRET.search(key) or _HIDDEN in f"{old}{new}":
        yield f"{key} changes"
    else:
        yield f"{key}: {_short(_without_secrets(old))} → {_short(_without_secrets(new))}"


def _property(path: str) -> str:
    return re.split(r"[.\[]", path)[0]


def _without_secrets(value: Any) -> Any:
    """The value with everything masked whose name is a secret's."""
    if isinstance(value, Mapping):
        return {
            key: _HIDDEN if _SECRET.search(str(key)) else _without_secrets(item) for key, item in value.items()
        }
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value


def _short(value: Any) -> str:
    if value is None or value == "":
        return "none"
    if _UNKNOWN in str(value):
        return "(known after up)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _flags(command: Any) -> dict[str, str]:
    """The flags of a host step's command line, by the names of the arguments; empty for anything else."""
    if not isinstance(command, str) or not _STEP.match(command):
        return {}
    try:
        words = shlex.split(command)
    except ValueError:
        return {}
    found: dict[str, str] = {}
    for place, word in enumerate(words):
        if word.startswith("--") and len(word) > 2:
            name = word[2:].removesuffix(":octal").replace("-", "_")
            value = words[place + 1] if place + 1 < len(words) else ""
            value = _octal(value) if word.endswith(":octal") else value
            found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _octal(digits: str) -> str:
    try:
        return bytes(int(digits[at : at + 3], 8) for at in range(0, len(digits), 3)).decode()
    except ValueError:
        return digits
