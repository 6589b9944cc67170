"""``nexus-registry init``: at most ten questions, and nothing written when an answer is refused."""

from __future__ import annotations

import argparse
import base64
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from nexus_registry.cli import init
from nexus_registry.cli.command import CommandError

from sandbox.paths import PROJECT

from .certs import good

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4zMuDF6Gqk0aPYzOJMmMzzQoOd4ZDfzLfHnN4X2mEA"
OTHER_KEY = f"ssh-rsa {base64.b64encode(b'....ssh-rsa....').decode()}"
SCANNED = f"# registry:22 SSH-2.0\nregistry ssh-rsa AAAA\nregistry {KEY}\nregistry ssh-dss AAAA\n"


class Cli:
    """Plays ``pulumi`` and ``ssh-keyscan``; keeps what each was given, and writes the stack's file."""

    def __init__(self, fails: str = "", error: BaseException | None = None) -> None:
        self.calls: list[list[str]] = []
        self.stdin: dict[str, str] = {}
        self.fails, self.error = fails, error

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append(command)
        self.stdin[command[-1]] = options.get("input", "")
        failed = bool(self.fails) and command[-1] == self.fails
        if failed and self.error:
            raise self.error
        file = Path("Pulumi.prod.yaml")
        if command[:3] == ["pulumi", "stack", "init"] and not failed:
            file.write_text(f"encryptionsalt: v1\n{file.read_text() if file.exists() else ''}")
        if command[:3] == ["pulumi", "stack", "rm"] and "--preserve-config" not in command:
            file.unlink()
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


@pytest.mark.parametrize(
    "given",
    [
        f"nexus.example.com {KEY}",
        f" {KEY} root@nexus\n",
        f"ssh-gw.example.com {KEY}",
        f"one {OTHER_KEY}\none {KEY}",
    ],
)
def test_host_key_is_taken_out_of_its_line(folder: Path, given: str) -> None:
    """As ssh-keyscan prints it, and as it is in the host's file."""
    cli = Cli()
    assert init.run(flags("--no-input", ssh_host_key=given), execute=cli) == 0
    assert cli.stdin["ssh_host_key"] == KEY


def test_user_with_number_as_name_stays_text(folder: Path) -> None:
    """Pulumi refuses a number in a list of texts."""
    cli = Cli()
    init.run(flags("--no-input", pushers="12345"), execute=cli, ask=never, ask_secret=never)
    call = next(call for call in cli.calls if call[-1] == "pushers[0]")
    assert call[-4:-1] == ["--path", "--type", "string"]


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
        ({"certificate": "~no-such-user/a.crt"}, "", "--certificate: ~no-such-user/a.crt: there is no such user"),
        ({"certificate": "id"}, "", "--certificate: id contains no certificate in PEM"),
        ({"private_key": "id"}, "", "private_key: "),
        ({"archive_sha256": "abc"}, "", "archive_sha256: "),
        ({"ssh_host": "other.example.com"}, "", "hostname: 'other.example.com' is none of the names"),
        ({"ssh_host_key": ""}, "n", "--ssh-host-key: the key was not confirmed"),
        ({"ssh_host_key": "SHA256:abc"}, "", "--ssh-host-key: is no public key"),
        ({"ssh_host_key": "ssh-ed25519"}, "", "--ssh-host-key: is no public key"),
        ({"ssh_host_key": KEY.replace("ed25519", "rsa")}, "", "--ssh-host-key: is no public key"),
        ({"pushers": " \t,"}, "", "--pushers: Users who may push and pull, separated by commas is missing"),
    ],
)
def test_wrong_answer_writes_nothing(folder: Path, changes: dict[str, str], answer: str, said: str) -> None:
    cli = Cli()
    with pytest.raises(CommandError, match=re.escape(said)):
        init.run(flags(**changes), execute=cli, ask=lambda _: answer, ask_secret=never)
    assert not [call for call in cli.calls if call[0] == "pulumi"]


def test_licence_is_reported_right_after_version(folder: Path) -> None:
    """A person learns it before the other questions; no question accepts a licence, only the flag does."""
    asked: list[str] = []
    given = flags(version="3.77.1-01", archive_sha256="")

    def answer(text: str) -> str:
        asked.append(text)
        return "a" * 64

    with pytest.raises(CommandError, match=r"^--accept-eula: Nexus 3\.77\.1-01 .* with --accept-eula\.$"):
        init.run(given, execute=Cli(), ask=answer, ask_secret=never)
    assert asked == []
    cli = Cli()
    given.accept_eula = True
    init.run(given, execute=cli, ask=answer, ask_secret=lambda _: "passphrase")
    assert len(asked) == 1
    assert cli.stdin["accept_eula"] == "true"


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()])
@pytest.mark.parametrize("before", [None, "# by hand\nconfig: {nexus-registry:heap_mb: 4096}\n"])
def test_failure_leaves_stack_and_file_as_before(
    folder: Path, before: str | None, error: BaseException | None
) -> None:
    file = folder / "Pulumi.prod.yaml"
    if before is not None:
        file.write_text(before)
    cli = Cli("private_key", error)
    with pytest.raises(KeyboardInterrupt if error else CommandError, match=None if error else r"failed: no\.$"):
        init.run(flags("--no-input"), execute=cli, ask=never, ask_secret=never)
    assert cli.calls[-1] == ["pulumi", "stack", "rm", "--yes", "--preserve-config", "--stack", "prod"]
    assert (file.read_text() if file.exists() else None) == before


def test_stack_that_exists_is_not_removed(folder: Path) -> None:
    cli = Cli(fails="prod")
    with pytest.raises(CommandError, match=r"^pulumi stack init failed: no\.$"):
        init.run(flags("--no-input"), execute=cli, ask=never, ask_secret=never)
    assert len(cli.calls) == 1


def existing(folder: Path, stack: str = "prod", **changes: Any) -> None:
    """Writes the stack's file of this repository with these changes; None removes a key."""
    content = yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text())
    for key, value in changes.items():
        content["config"][f"nexus-registry:{key}"] = value
    content["config"] = {key: value for key, value in content["config"].items() if value is not None}
    (folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(content))


def written(cli: Cli) -> dict[str, str]:
    return {call[-1]: cli.stdin[call[-1]] for call in cli.calls if call[:3] == ["pulumi", "config", "set"]}


def removed(cli: Cli) -> set[str]:
    return {key for call in cli.calls if call[:3] == ["pulumi", "config", "rm-all"] for key in call[5:]}


def test_values_of_existing_file_are_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What contradicts the answers is removed, and every user has a password."""
    existing(folder, "staging", pushers=["ci", "bob", "eve"], chain="former", hostname="nexus.example.com")
    cli = Cli()
    given = flags("--no-input", stack="team/staging", pushers="", ssh_host="10.0.0.1")
    assert init.run(given, execute=cli, ask=never, ask_secret=never) == 0
    values = written(cli)
    assert removed(cli) == {"certificate_path", "private_key_path", "pushers", "chain"}
    assert [values[f"pushers[{number}]"] for number in range(3)] == ["ci", "bob", "eve"]
    assert {key for key in values if key.startswith("user_passwords")} == {
        f'user_passwords["{user}"]' for user in ("ci", "bob", "eve", "kubelet")
    }
    assert not {"ssh_user", "ssh_port"} & {*values}, "no flag gives another than the file's"
    assert "docker login -u ci nexus.example.com\n" in capsys.readouterr().out, "registry_https_port is 443"


def test_passwords_of_existing_file_are_kept_and_encrypted(folder: Path) -> None:
    existing(folder, admin_password="admin-4711", user_passwords={"ci": "ci-password-4711"})
    cli = Cli()
    init.run(flags("--no-input"), execute=cli, ask=never, ask_secret=never)
    assert (written(cli)["admin_password"], written(cli)['user_passwords["ci"]']) == (
        "admin-4711",
        "ci-password-4711",
    )
    assert "user_passwords" in removed(cli)
    assert all("--secret" in call for call in cli.calls if call[-1] == 'user_passwords["ci"]')


def test_numbers_of_existing_file_become_text(folder: Path) -> None:
    """YAML reads a name or a password of digits as a number."""
    existing(folder, pushers=["ci", 7], user_passwords={"ci": 4711, 7: True})
    cli = Cli()
    init.run(flags("--no-input", pushers=""), execute=cli, ask=never, ask_secret=never)
    names = ("pushers[1]", 'user_passwords["ci"]', 'user_passwords["7"]')
    assert [written(cli)[one] for one in names] == ["7", "4711", "true"]


def test_password_of_existing_user_is_left_to_person(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the server knows it, so it can't be generated."""
    existing(folder, existing_users=["ldap-ci", "o'neil"])
    cli = Cli()
    init.run(flags("--no-input"), execute=cli, ask=never, ask_secret=never)
    assert not [key for key in written(cli) if "ldap-ci" in key]
    command = "pulumi config set --stack prod --secret --path 'user_passwords[\"ldap-ci\"]'"
    shown = capsys.readouterr().out
    assert f"{command}\n" in shown
    printed = next(line for line in shown.splitlines() if "neil" in line)
    assert shlex.split(printed)[-1] == 'user_passwords["o\'neil"]'


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"heap_mb": "much", "data_dir": "/"}, ["heap_mb: ", "data_dir: "]),
        ({"keystore_format": "jks", "keystore_password": "a"}, ["keystore_password: "]),
        ({"pullers": ["ci"]}, ["pullers: 'ci' is a pusher too"]),
        ({"pullers": [7]}, ["pullers: must be a list of strings."]),
        (
            {"archive_password": {"secure": "v1:a"}, "user_passwords": {"ci": {"secure": "v1:b"}}},
            ["Pulumi.prod.yaml: archive_password and user_passwords are encrypted"],
        ),
    ],
)
def test_wrong_value_of_existing_file_is_refused(folder: Path, changes: dict[str, Any], said: list[str]) -> None:
    existing(folder, **changes)
    cli = Cli()
    with pytest.raises(CommandError) as refused:
        init.run(flags("--no-input"), execute=cli, ask=never, ask_secret=never)
    assert [one for one in said if one not in str(refused.value)] == []
    assert cli.calls == []


@pytest.mark.parametrize("content", ["a: [", "config: text\n", "- a list\n", b"\xff"])
def test_file_that_is_no_configuration_is_refused(folder: Path, content: str | bytes) -> None:
    (folder / "Pulumi.prod.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CommandError, match=r"^Pulumi\.prod\.yaml: "):
        init.run(flags("--no-input"), execute=(cli := Cli()), ask=never, ask_secret=never)
    assert cli.calls == []


def test_keys_without_project_and_of_other_projects(folder: Path) -> None:
    """The CLI reads a key without a project as one of this project."""
    (folder / "Pulumi.prod.yaml").write_text(
        "config:\n  pullers: [kubelet]\n  repair: 2026-01-01\n  aws:region: {secure: v1}\n  url:\n"
    )
    cli = Cli()
    assert init.run(flags("--no-input"), execute=cli, ask=never, ask_secret=never) == 0
    assert 'user_passwords["kubelet"]' in written(cli)


@pytest.mark.parametrize(
    ("changes", "server"),
    [
        ({}, "nexus.example.com:5000"),
        ({"login_server": "registry.example.org"}, "registry.example.org"),
        ({"registry_https_port": 0, "registry_http_port": 5001}, "nexus.example.com:5001"),
    ],
)
def test_login_server_is_that_of_configuration(
    folder: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], server: str
) -> None:
    existing(folder, **changes)
    init.run(flags("--no-input"), execute=Cli(), ask=never, ask_secret=never)
    assert f"docker login -u ci {server}\n" in capsys.readouterr().out


def test_scan_uses_port_of_existing_file(folder: Path) -> None:
    existing(folder, ssh_port=2222)
    cli = Cli()
    init.run(flags(ssh_host_key=""), execute=cli, ask=lambda _: "y", ask_secret=lambda _: "")
    assert cli.calls[0][:3] == ["ssh-keyscan", "-p", "2222"]


def test_other_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cli = Cli()
    with pytest.raises(CommandError, match=r"Pulumi\.yaml"):
        init.run(flags("--no-input"), execute=cli)
    assert cli.calls == []
