"""A certificate that nears its end: preview says so, and a stack that issues its own renews it in the same up."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.pki import Authority
from sandbox.stack import open_stack

from .conftest import PASSPHRASE

if TYPE_CHECKING:
    from sandbox.stack import Stack

DUE = "in less than the 30 days of renew_before. Give a renewed one"


@pytest.fixture
def stack(engine: str, tmp_path: Path) -> Stack:
    program = tmp_path / "program"
    shutil.copytree(Path(__file__).parent / "programs/renewal", program)
    (program / ".venv").symlink_to(sys.prefix)
    made = open_stack(engine, program=program, name="dev", work=tmp_path / "work", passphrase=PASSPHRASE)
    made.set_config("authority", str(tmp_path / "days.json"))
    return made


def ends_in(stack: Stack) -> int:
    """Days until the keystore's certificate ends."""
    until = dt.datetime.strptime(stack.outputs()["not_after"], "%Y-%m-%dT%H:%M:%S%z")
    return round((until - dt.datetime.now(dt.timezone.utc)) / dt.timedelta(days=1))


def test_issued_certificate_is_renewed_in_same_up(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "days.json").write_text("20")
    first = stack.up()
    assert first.ok, first
    assert (ends_in(stack), DUE in first.stdout) == (20, True)

    (tmp_path / "days.json").write_text("90")
    preview = stack.preview()
    assert (preview.ok, preview.changes["update"]) == (True, 2), preview
    renewed = stack.up()
    assert (renewed.ok, renewed.changes["update"], ends_in(stack)) == (True, 2, 90), renewed
    assert DUE not in preview.stdout + renewed.stdout
    after = stack.preview(expect_no_changes=True)
    assert (after.ok, DUE in after.stdout) == (True, False), after


def test_due_certificate_warns_and_invalid_one_is_refused(stack: Stack) -> None:
    authority = Authority.create("Test CA")
    given = authority.issue(["localhost"], key="ec", days=20)
    stack.set_config("certificate", given.certificate_pem)
    stack.set_config("private_key", given.private_key_pem, secret=True)
    assert stack.up().ok
    again = stack.preview(expect_no_changes=True)
    assert (again.ok, DUE in again.stdout) == (True, True), again
    fingerprint = stack.outputs()["fingerprint"]

    ended = dt.datetime.now(dt.timezone.utc) - dt.timedelta(hours=1)
    for bad, said in (
        (
            authority.issue(["localhost"], key="ec", not_before=ended - dt.timedelta(90), not_after=ended),
            "expired on",
        ),
        (authority.issue(["elsewhere.example.com"], key="ec"), "'localhost' is none of the names"),
    ):
        stack.set_config("certificate", bad.certificate_pem)
        stack.set_config("private_key", bad.private_key_pem, secret=True)
        for result in (stack.preview(), stack.up()):
            assert not result.ok
            assert said in result.error + result.stdout
        assert stack.outputs()["fingerprint"] == fingerprint
