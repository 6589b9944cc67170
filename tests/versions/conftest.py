"""The server of the contract tests, for what needs the newest API: one fixture, so one server a session."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sandbox.shell import run
from tests.contract.conftest import admin as admin
from tests.contract.conftest import nexus as nexus
from tests.contract.conftest import signing_key as signing_key


@pytest.fixture(scope="session")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program uv, which installs what a test alone needs in a fraction of pip's time."""
    folder = tmp_path_factory.mktemp("uv")
    run([sys.executable, "-m", "venv", folder])
    run([folder / "bin/pip", "install", "--quiet", "--no-compile", "uv"])
    return folder / "bin/uv"
