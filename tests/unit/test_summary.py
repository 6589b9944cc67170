"""`nexus-registry summary`: what it finds in a preview, and that its Markdown fits."""

from __future__ import annotations

import io
import json
import re
import time
from dataclasses import fields
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import nexus_registry.providers as providers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nexus_registry.cli.main import main
from nexus_registry.cli.markdown import LIMITS, render
from nexus_registry.cli.preview import Entry, Summary, summarize

from sandbox.paths import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
RECORDED = PROJECT / "tests/data/previews"
"""Recorded with the CLI; tests/data/previews/make.py makes them anew."""
CANARY = "cAnArY-4711"
SERVICE = "sh -s -- create --unit nexus --version 3.76.1-01 --heap-mb 1000 --start-timeout 600 --digest d"
ACCOUNT = "sh -s -- delete --unit nexus --data-dir /var/lib/nexus --purge-data"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def step(op: str, kind: str, old: dict[str, Any], new: dict[str, Any], **more: Any) -> dict[str, Any]:
    states = {"oldState": {"inputs": old}, "newState": {"inputs": new}}
    return {"op": op, "urn": f"urn:pulumi:dev::p::x:y:Z$pulumi-python:dynamic/nexus:{kind}::it", **states, **more}


def names(entries: list[Entry]) -> list[str]:
    return [entry.resource for entry in entries]


def test_create_names_each_resource() -> None:
    found = summarize(recorded("create"), NOW)
    assert (found.data_loss, found.replaced, found.restarts, found.certificates) == ([], [], [], [])
    assert {"nexus-service", "registry-repository", "registry:ci"} <= set(names(found.created))
    assert found.stack == "nexus-registry/prod"


def test_unchanged_preview_says_so() -> None:
    steps = [one for one in recorded("same")["steps"] if one["op"] == "same"]
    text = render(summarize({"steps": steps, "changeSummary": {"same": len(steps)}}, NOW), LIMITS["github"])
    assert "No changes. " in text
    assert "###" not in text


def test_update_names_properties_and_restart() -> None:
    found = summarize(recorded("update"), NOW)
    updated = {entry.resource: entry.changes for entry in found.updated}
    assert "heap_mb: 2703 → 3000" in updated["nexus-service"]
    assert updated["registry:ci"] == ("a secret changes",)
    assert updated["registry-proof"] == ("what it depends on changes",)
    assert [entry.text for entry in found.restarts] == ["restarts the server: heap_mb"]
    assert "registry:kubelet" in names(found.deleted)
    assert [entry.text for entry in found.certificates] == ["the certificate ends on 2036-01-01"]
    assert "ends on 2036-01-01" in "".join(entry.text for entry in found.warnings)


def test_replacement_names_cause_and_data() -> None:
    found = summarize(recorded("replace"), NOW)
    replaced = {entry.resource: entry for entry in found.replaced}
    assert replaced["registry-repository"].text == "because of name"
    assert "name: docker-hosted → images" in replaced["registry-repository"].changes
    assert "registry-repository" in names(found.kept)
    text = " ".join(entry.text for entry in found.data_loss)
    assert "force_destroy is set" in text
    assert "purge_data is set" in text


def test_destroy_names_kept_data_and_stops() -> None:
    found = summarize(recorded("destroy"), NOW)
    assert found.data_loss == []
    assert names(found.kept) == ["registry-repository"]
    assert [entry.text for entry in found.restarts] == ["the server is stopped and its unit removed"]


def test_refused_preview_shows_reason() -> None:
    found = summarize(recorded("refused"), NOW)
    assert len(found.errors) == 1
    assert "data_dir: '/' has an empty part" in found.errors[0].text
    assert "The preview failed. " in render(found, LIMITS["github"])


def test_exception_is_shown_with_all_its_lines() -> None:
    shown = 'Traceback (most recent call last):\n  File "a.py", line 3, in <module>\n    go()\n    ^^^^\n\n'
    message = f"error: Program failed with an unhandled exception:\n{shown}KeyError: 1\n\nDuring it:\n\n{shown}"
    said = "a.InvalidArguments: DockerRegistry 'x':\n  hostname: is required.\n  pushers: names nobody."
    found = summarize({"diagnostics": [{"severity": "error", "message": f"{message}{said}\n\n"}]}, NOW)
    assert [entry.text for entry in found.errors] == [said]
    windows = {"severity": "error", "message": f"{message}{said}\n\n".replace("\n", "\r\n")}
    assert [entry.text for entry in summarize({"diagnostics": [windows]}, NOW).errors] == [said]


def test_long_diagnostic_is_read_once() -> None:
    """200,000 characters took 20 s when each of them was tried as the beginning of a traceback."""
    start = time.monotonic()
    summarize({"diagnostics": [{"severity": "error", "message": "a\n" * 100_000}]}, NOW)
    assert time.monotonic() - start < 5


def test_failure_without_reason_is_an_error() -> None:
    """The engine writes no violation of a policy into the JSON."""
    failed = {"severity": "error", "message": "error: preview failed\n"}
    found = summarize({"diagnostics": [failed, failed]}, NOW)
    assert [entry.text for entry in found.errors] == ["it failed, as by a policy. The log of the job says why."]
    assert "The preview failed. " in render(found, LIMITS["github"])
    reason = {"severity": "error", "message": "error: no such stack"}
    assert [one.text for one in summarize({"diagnostics": [failed, reason]}, NOW).errors] == ["no such stack"]


def test_resource_whose_type_ends_in_stack_is_shown() -> None:
    """Only the stack itself is left out."""
    kinds = ("pulumi:pulumi:Stack", "aws:cloudformation/stack:Stack", "x:y:Z$aws:cloudformation/stack:Stack")
    steps = [{"op": "delete", "urn": f"urn:pulumi:dev::p::{kind}::{kind[0]}"} for kind in kinds]
    assert names(summarize({"steps": steps}, NOW).deleted) == ["a", "x"]


def test_deleted_compaction_task_is_no_data_loss() -> None:
    found = summarize({"steps": [step("delete", "CompactBlobStoreTask", {}, {})]}, NOW)
    assert (found.data_loss, names(found.deleted)) == ([], ["it"])


@pytest.mark.parametrize(
    ("given_", "section", "said"),
    [
        (step("delete", "DockerHostedRepository", {"force_destroy": True}, {}), "data_loss", "all components"),
        (step("replace", "RawHostedRepository", {}, {}), "kept", "while the repository holds"),
        (step("delete", "FileBlobStore", {}, {}), "data_loss", "its content"),
        (step("update", "RawHostedRepository", {}, {"force_destroy": True}), "data_loss", "force_destroy"),
        (
            step("update", "Command", {"delete": f"{ACCOUNT} no"}, {"delete": f"{ACCOUNT} yes"}),
            "data_loss",
            "purge_data",
        ),
        (step("delete", "Command", {"delete": f"{ACCOUNT} yes"}, {}), "data_loss", "/var/lib/nexus"),
        (step("replace", "Role", {}, {}, replaceReasons=["role_id"]), "replaced", "because of role_id"),
        (step("update", "Command", {"create": SERVICE}, {"create": f"{SERVICE}x"}), "restarts", "may restart"),
        (
            step("update", "Command", {"create": SERVICE}, {"create": SERVICE.replace("76.1", "77.0")}),
            "restarts",
            "3.76.1-01 to 3.77.0-01",
        ),
        (step("import", "Role", {}, {}), "other", ""),
        (step("replace", "Command", {"create": SERVICE}, {"create": SERVICE}), "restarts", "both created again"),
    ],
)
def test_step_is_reported_in_its_section(given_: dict[str, Any], section: str, said: str) -> None:
    (entry,) = getattr(summarize({"steps": [given_]}, NOW), section)
    assert said in entry.text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("--digest d", "--digest d --repair 2"),
        ("--digest d --fingerprint a", "--digest e --fingerprint b"),
        ("--lock-timeout 600", "--lock-timeout 900"),
    ],
)
def test_flags_that_need_no_restart(old: str, new: str) -> None:
    """A new certificate, for one, is served without a restart."""
    line = "sh -s -- create --unit nexus --heap-mb 1000 --start-timeout 600"
    inputs = [{"create": f"{line} {part}"} for part in (old, new)]
    assert summarize({"steps": [step("update", "Command", *inputs)]}, NOW).restarts == []


def test_retained_repository_is_no_data_loss() -> None:
    gone = step("delete", "DockerHostedRepository", {"force_destroy": True}, {})
    gone["oldState"]["retainOnDelete"] = True
    found = summarize({"steps": [gone]}, NOW)
    assert (found.data_loss, found.kept) == ([], [])
    assert "retain_on_delete" in found.deleted[0].text


def test_secrets_are_not_shown_even_of_open_preview() -> None:
    """As with ``--show-secrets``, and in what the engine masks only in part."""
    old = {"password": CANARY, "s": {"token": CANARY}, "stdin": CANARY, "connection": {"a": CANARY}}
    new = {"password": f"{CANARY}2", "s": {"token": "x"}, "stdin": "y", "connection": {"a": "z"}}
    old |= {
        "properties": {"apiKey": CANARY, "pwd": CANARY},
        "docker_config_json": CANARY,
        "auths": {"auth": CANARY},
    }
    old |= {"__provider": CANARY, "deep": {"b": "[secret]", "c": CANARY}}
    shown = summarize({"steps": [step("update", "User", old, new | {"deep": {"b": "[secret]"}})]}, NOW)
    both = json.dumps(shown.as_dict()) + render(shown, LIMITS["github"])
    assert CANARY not in both
    assert "password changes" in shown.updated[0].changes


def test_no_secret_of_any_kind_is_shown_of_open_preview() -> None:
    for kind in providers.__all__:
        fields = getattr(getattr(providers, kind), "declared_properties", {})
        secret = [name for name, one in fields.items() if one.secret and one.check]
        old, new = dict.fromkeys(secret, CANARY), dict.fromkeys(secret, f"{CANARY}2")
        shown = summarize({"steps": [step("update", "Any", old, new)]}, NOW)
        assert CANARY not in json.dumps(shown.as_dict()), kind


def test_key_in_brackets_is_no_property_without_name() -> None:
    given_ = step("update", "Role", {"a.b": {"c": 1}}, {"a.b": {"c": 2}}, detailedDiff={'["a.b"].c': {}})
    assert summarize({"steps": [given_]}, NOW).updated[0].changes == ('a.b: {"c": 1} → {"c": 2}',)


@pytest.mark.parametrize("name", ["create", "same", "update", "replace", "destroy", "refused"])
def test_order_of_steps_does_not_matter(name: str) -> None:
    preview = recorded(name)
    turned = {**preview, "steps": list(reversed(preview["steps"]))}
    assert render(summarize(preview, NOW), 9_000) == render(summarize(turned, NOW), 9_000)


TEXTS = st.text("ab `<>@#\n*_é\u202e🐳", max_size=400)
ENTRIES = st.lists(st.builds(Entry, TEXTS, TEXTS, TEXTS, TEXTS, st.tuples(TEXTS, TEXTS)), max_size=12)


@settings(max_examples=40, deadline=None)
@given(ENTRIES, ENTRIES, ENTRIES, st.integers(3_000, 9_000))
def test_markdown_fits_and_names_omissions(
    lost: list[Entry], restarts: list[Entry], rows: list[Entry], limit: int
) -> None:
    text = render(Summary(data_loss=lost, restarts=restarts, updated=rows), limit)
    assert len(text.encode("utf-16-le")) // 2 <= limit, "as Azure DevOps counts"
    assert text.count("<details>") == text.count("</details>")
    shown = text.count("\n- ")
    assert (shown < len(lost) + len(restarts) + len(rows)) == ("Cut to fit" in text)
    assert "\u202e" not in text


def test_data_loss_comes_first_and_in_bold() -> None:
    sections = [one.name for one in fields(Summary) if one.name not in ("stack", "counts")]
    found = Summary()
    for name in sections:
        getattr(found, name).append(Entry(name, "Role", "update", "it"))
    text = render(found, LIMITS["github"])
    listed = re.findall(r"^- (\*\*)?`(\w+)` \(Role\)", text, re.MULTILINE)
    assert [name for _, name in listed] == sections
    assert [name for bold, name in listed if bold] == ["data_loss"]
    shown, folded = text.split("<details>")[0], text.count("<details>")
    assert "`warnings`" in shown
    assert "`deleted`" not in shown
    assert folded == 4


@pytest.mark.parametrize(("form", "limit"), [("github", 65_536), ("markdown", 150_000)])
def test_cut_names_how_many_of_which_section(form: str, limit: int) -> None:
    found = Summary(
        data_loss=[Entry("images", "DockerHostedRepository", "delete", "all components are deleted")],
        updated=[Entry(f"role-{one}", "Role", "update", "", ("name: a → b",)) for one in range(9_000)],
    )
    text = render(found, LIMITS[form])
    assert limit - 2_000 < len(text) <= limit
    left_out = 9_000 - text.count("`role-")
    assert f"{left_out} of 9000 under Updated" in text
    assert "all components are deleted" in text


def test_markdown_links_nobody() -> None:
    said = "@team #1 <b> ![x](y)\n# Data loss\n- none\n1. one\n---"
    text = render(Summary(errors=[Entry("a", "B", "update", said)]), LIMITS["gitlab"])
    assert text.endswith("  - \\# Data loss\n  - \\- none\n  - 1\\. one\n  - \\---\n")
    assert "@team" not in text
    assert "#1" not in text
    assert "<b>" not in text.replace("\\<b\\>", "")


def test_preview_without_resources_is_one() -> None:
    assert "No changes. " in render(summarize({"changeSummary": {}}, NOW), LIMITS["github"])


@pytest.mark.parametrize("form", [*LIMITS, "json"])
def test_command_reads_standard_input(
    form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO((RECORDED / "update.json").read_text()))
    assert main(["summary", "--format", form]) == 0
    text = capsys.readouterr().out
    if form == "json":
        assert json.loads(text)["restarts"][0]["resource"] == "nexus-service"
    else:
        assert text.startswith("<!-- nexus-registry summary: nexus-registry/prod -->\n## Preview of ")


def test_command_reports_failed_preview(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", str(RECORDED / "refused.json"), "--format", "github"]) == 1
    assert "### Errors" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    ["[]", "{", "{}", pytest.param("[" * 100_000, id="deep"), '{"steps": [1]}', '{"steps": [{"op": "same"}]}', ""],
)
def test_command_refuses_input_that_is_no_preview(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(content)
    assert main(["summary", str(bad)]) == 2
    assert "not a preview" in capsys.readouterr().err
