"""``nexus-registry init``: at most ten questions, and nothing written when an answer is refused."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from nexus_registry.cli import init
from nexus_registry.cli.command import CommandError

from sandbox.paths import PROJECT

from .certs import good

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4zMuDF6Gqk0aPYzOJMmMzzQoOd4ZDfzLfHnN4X2mEA"
SCANNED = f"# registry:22 SSH-2.0\nregistry ssh-rsa AAAA\nregistry {KEY}\nregistry ssh-dss AAAA\n"


class Cli:
    """Plays ``pulumi`` and ``ssh-keyscan``; keeps what each was given."""

    def __init__(self, fails: str = "") -> None:
        self.calls: list[list[str]] = []
        self.stdin: dict[str, str] = {}
        self.fails = fails

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append(command)
        self.stdin[command[-1]] = options.get("input", "")
        failed = bool(self.fails) and command[-1] == self.fails
        return subprocess.CompletedProcess(
            command, int(failed), SCANNED if command[0] == "ssh-keyscan" else "", "no\n" if failed else ""
        )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with the files that the questions name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    fill(tmp_path)
    return tmp_path


def fill(folder: Path) -> None:
    shutil.copy(PROJECT / "Pulumi.yaml", folder)
    pems = good()
    (folder / "site.crt").write_text(pems["certificate"] + pems.get("chain", ""))
    (folder / "site.key").write_text(pems["private_key"])
    (folder / "id").write_text("canary-private-key\n")


def words(**changes: str) -> list[str]:
    """The command line that answers every question."""
    given = {
        "stack": "prod",
        "ssh_host": "nexus.example.com",
        "ssh_private_key": "id",
        "version": "3.71.0-06",
        "archive_sha256": "a" * 64,
        "certificate": "site.crt",
        "private_key": "site.key",
        "pushers": "ci, anna@example.com",
        "ssh_host_key": KEY,
        **changes,
    }
    return [word for name, value in given.items() if value for word in (f"--{name.replace('_', '-')}", value)]


def flags(*more: str, **changes: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    init.add_arguments(parser)
    return parser.parse_args([*more, *words(**changes)])


def never(_: str) -> str:
    raise AssertionError("a question was asked")


def test_flags_alone_write_stack(folder: Path) -> None:
    cli = Cli()
    assert init.run(flags("--no-input"), execute=cli, ask=never, ask_secret=never) == 0
    assert cli.calls[0] == ["pulumi", "stack", "init", "prod"]
    assert cli.stdin["pushers[1]"] == "anna@example.com"
    secret = {call[-1] for call in cli.calls if "--secret" in call}
    users = {f"user_passwords[{json.dumps(user)}]" for user in ("ci", "anna@example.com")}
    assert secret == {"ssh_private_key", "private_key", "keystore_password", "admin_password", *users}
    assert len({cli.stdin[name] for name in secret}) == len(secret), "each password is generated for itself"
    shown = json.dumps(cli.calls)
    assert "canary" not in shown
    assert cli.stdin["admin_password"] not in shown


def test_user_with_odd_name_gets_password(folder: Path) -> None:
    cli = Cli()
    init.run(flags("--no-input", pushers="zoë"), execute=cli, ask=never, ask_secret=never)
    # The CLI reads only \" in a path as something else than it is.
    assert 'user_passwords["zoë"]' in cli.stdin


def test_person_is_asked_at_most_ten_questions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = {question.text: getattr(flags(), question.name) for question in init.QUESTIONS}
    asked: list[str] = []

    def ask(text: str) -> str:
        asked.append(text)
        return next((answer for known, answer in answers.items() if text.startswith(known)), "y")

    parser = argparse.ArgumentParser()
    init.add_arguments(parser)
    assert init.run(parser.parse_args([]), execute=(cli := Cli()), ask=ask, ask_secret=ask) == 0
    assert len(asked) <= 10
    assert cli.stdin["ssh_host_key"] == KEY
    assert init.fingerprint(KEY) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "answer", "said"),
    [
        ({"ssh_host": ""}, "", "--ssh-host: Address of the host is missing"),
        ({"certificate": "none.crt"}, "", "--certificate: none.crt: No such file or directory"),
        ({"certificate": "id"}, "", "--certificate: id contains no certificate in PEM"),
        ({"private_key": "id"}, "", "private_key: "),
        ({"archive_sha256": "abc"}, "", "archive_sha256: "),
        ({"ssh_host": "other.example.com"}, "", "hostname: 'other.example.com' is none of the names"),
        ({"ssh_host_key": ""}, "n", "--ssh-host-key: the key was not confirmed"),
    ],
)
def test_wrong_answer_writes_nothing(folder: Path, changes: dict[str, str], answer: str, said: str) -> None:
    cli = Cli()
    with pytest.raises(CommandError, match=re.escape(said)):
        init.run(flags(**changes), execute=cli, ask=lambda _: answer, ask_secret=never)
    assert not [call for call in cli.calls if call[0] == "pulumi"]


def test_failure_of_cli_removes_stack(folder: Path) -> None:
    cli = Cli(fails="private_key")
    with pytest.raises(CommandError, match=r"^pulumi config set failed: no$"):
        init.run(flags("--no-input"), execute=cli, ask=never, ask_secret=never)
    assert cli.calls[-1] == ["pulumi", "stack", "rm", "--yes", "--stack", "prod"]


def test_other_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cli = Cli()
    with pytest.raises(CommandError, match=r"Pulumi\.yaml"):
        init.run(flags("--no-input"), execute=cli)
    assert cli.calls == []
