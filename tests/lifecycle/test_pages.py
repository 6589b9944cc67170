"""The commands of the Pulumi CLI on the pages: the CLI has them, with these flags."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.unit.test_pages import PAGES

from .conftest import NO_CLI

pytestmark = [pytest.mark.pulumi, NO_CLI]
GROUPS = ("config", "policy", "stack", "state")
"""Commands that have commands."""


def commands() -> Iterator[tuple[tuple[str, ...], str]]:
    """Each command in a code span or block with each of its flags; with an empty one where it has none."""
    for page in PAGES:
        text = page.read_text().replace("\\\n", " ")
        blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
        spans = re.findall(r"`(pulumi [^`\n]*)`", text)
        for called in re.findall(r"(?<![\w./-])pulumi ([a-z][^\n|;&#$`]*)", "\n".join([*blocks, *spans])):
            words = called.split()
            named = words[: 2 if words[0] in GROUPS else 1]
            command = tuple(word for word in named if not word.startswith("-"))
            flags = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
            yield from ((command, flag) for flag in flags or [""])


def help_of(*words: str) -> subprocess.CompletedProcess[str]:
    """The help comes before any other word, so that nothing is run."""
    environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    return subprocess.run(["pulumi", *words], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("command", "flag"), sorted(set(commands())), ids=lambda one: "-".join(one) or "-")
def test_cli_has_command_of_page(command: tuple[str, ...], flag: str) -> None:
    shown = help_of(*command, "--help", *([flag] if flag else []))
    if shown.returncode:
        assert "flag needs an argument: " in shown.stderr
        shown = help_of(*command, "--help")
    assert shown.stdout != help_of(*command[:-1], "--help").stdout, "the CLI shows another command's help"
