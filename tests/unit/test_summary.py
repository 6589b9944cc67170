"""`nexus-registry summary`: what it finds in a preview, and that its Markdown fits."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nexus_registry.cli.main import main
from nexus_registry.cli.summary import Summary, render, summarize

from sandbox.paths import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
CREATE = PROJECT / "tests" / "data" / "preview-create.json"
"""Recorded with the CLI 3.259; the other steps here are written by hand after it."""
HIDDEN = {"password": "[secret]"}
SERVICE = "sh -s -- create --unit nexus --heap-mb 1000 --start-timeout 600"


def step(op: str, kind: str, old: dict[str, Any], new: dict[str, Any], **more: Any) -> dict[str, Any]:
    states = {"oldState": {"inputs": old}, "newState": {"inputs": new}}
    return {"op": op, "urn": f"urn:pulumi:dev::p::x:y:Z$pulumi-python:dynamic/nexus:{kind}::it", **states, **more}


def test_recorded_create_names_each_resource() -> None:
    found = summarize(json.loads(CREATE.read_text()), NOW)
    assert (found.data_loss, found.replaced, found.restarts, found.certificates) == ([], [], [], [])
    assert "create `nexus-service` (Command)" in found.changes
    late = summarize(json.loads(CREATE.read_text()), datetime(2035, 12, 20, tzinfo=timezone.utc))
    assert late.certificates == ["`nexus-keystore` (Keystore) ends on 2036-01-01T00:00:00Z"]


@pytest.mark.parametrize(
    ("given_", "section", "said"),
    [
        (step("delete", "DockerHostedRepository", {"force_destroy": True}, {}), "data_loss", "content goes"),
        (step("replace", "RawHostedRepository", {}, {}), "data_loss", "refused"),
        (step("delete", "FileBlobStore", {}, {}), "data_loss", "content may go"),
        (step("update", "RawHostedRepository", {}, {"force_destroy": True}), "data_loss", "force_destroy"),
        (step("update", "Command", {}, {"delete": "x --purge-data yes"}), "data_loss", "purge_data"),
        (step("delete", "Command", {"delete": "x --purge-data yes"}, {}), "data_loss", "data directory"),
        (step("replace", "Role", {}, {}, replaceReasons=["role_id"]), "replaced", "`role_id`"),
        (step("update", "Command", {"create": SERVICE}, {"create": SERVICE + "1"}), "restarts", "update"),
        (step("update", "Role", {"name": "a"}, {"name": "b"}), "changes", "`name`: `a` → `b`"),
        (step("update", "User", HIDDEN, HIDDEN, diffReasons=["password"]), "changes", "`password`"),
    ],
)
def test_step_is_reported_in_its_section(given_: dict[str, Any], section: str, said: str) -> None:
    found = summarize({"steps": [given_]}, NOW)
    assert said in "".join(getattr(found, section))


def test_provider_and_scripts_are_not_shown() -> None:
    old, new = {"__provider": "canary", "stdin": "canary"}, {"__provider": "canary2", "stdin": "canary2"}
    secret = {"a": {"b": "[secret]"}}
    text = render(summarize({"steps": [step("update", "Command", old | secret, new | {"a": 1})]}, NOW), 65_536)
    assert "canary" not in text
    assert "__provider" not in text
    assert "`stdin` changes" in text


ROWS = st.lists(st.text("ab `", max_size=900), max_size=40)


@given(ROWS, ROWS, ROWS, st.integers(2_000, 8_000))
def test_markdown_fits_and_names_what_was_cut(
    lost: list[str], restarts: list[str], rows: list[str], limit: int
) -> None:
    text = render(Summary(data_loss=lost, restarts=restarts, changes=rows), limit)
    assert len(text) <= limit
    assert text.count("<details>") == text.count("</details>")
    shown = text.count("\n- ")
    assert (shown < len(lost) + len(restarts) + len(rows)) == ("Cut to" in text)


def test_command_prints_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", str(CREATE), "--format", "github"]) == 0
    assert capsys.readouterr().out.startswith("## Preview\n")
    bad = tmp_path / "bad.json"
    bad.write_text("[]")
    assert main(["summary", str(bad)]) == 2
    assert "no preview" in capsys.readouterr().err
