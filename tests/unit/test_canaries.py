"""A secret is found in every encoding."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from sandbox.faults.canary import Canaries

SECRET = 'p"ss wörd/1?x'


@pytest.mark.parametrize(
    "text",
    [
        f"a {SECRET} b",
        quote(SECRET, safe=""),
        json.dumps({"password": SECRET}),
        *(
            base64.b64encode(f"{'u' * length}:{SECRET}{tail}".encode()).decode()
            for length in range(1, 7)
            for tail in ("", "z")
        ),
        base64.urlsafe_b64encode(f"admin:{SECRET}".encode()).decode(),
    ],
)
def test_secret_is_found_in_every_form(text: str) -> None:
    assert Canaries({"password": SECRET}).found(text) == {"password"}


def test_only_files_that_others_may_read_count(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    canaries = Canaries({"password": SECRET})
    for name, folder, mode in (("open", 0o755, 0o644), ("private", 0o755, 0o600), ("hidden", 0o700, 0o644)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(SECRET)
        (tmp_path / name / "file").chmod(mode)
        (tmp_path / name).chmod(folder)
    assert canaries.readable_below(tmp_path) == {f"password in {tmp_path}/open/file"}
