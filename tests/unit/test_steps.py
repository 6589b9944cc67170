"""The pure part of the host steps: command lines, standard input, and scripts that every shell reads."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from nexus_registry.components.host import steps
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi_command import remote

from sandbox.packages import ensure
from tests.unit.steps_shell import parse_everywhere, shellcheck

LINES = st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r"))
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


def shell(command: str, stdin: str = "", shell: tuple[str, ...] = ("sh",)) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*shell, "-c", command], input=stdin.encode(), capture_output=True, check=True)


def test_command_line_names_verb_and_flags() -> None:
    line = steps.command("create", {"install_root": "/opt/nexus", "http_port": 8081.0, "purge_data": False})
    assert line == "sh -s -- create --install-root /opt/nexus --http-port 8081 --purge-data no"


def test_none_is_left_out_and_many_are_repeated() -> None:
    arguments: dict[str, steps.Value] = {"java_home": None, "port": [5000, 5001], "property": {"a.b": "c d"}}
    assert steps.command("delete", arguments) == "sh -s -- delete --port 5000 --port 5001 --property 'a.b=c d'"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("heap_mb", 1.5, "argument heap_mb: 1.5 is not a whole number"),
        ("data_dir", "/a\n/b", "argument data_dir: must be a single line"),
        ("Unit", "nexus", "argument 'Unit': must be a snake_case name"),
    ],
)
def test_invalid_flag_is_refused_by_name(name: str, value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        steps.command("create", {name: value})


def test_unknown_step_is_refused_with_list() -> None:
    with pytest.raises(ValueError, match=r"no host step 'sevice'\. The steps are prepare, account"):
        steps.stdin("sevice")


def test_secret_with_nul_is_refused_without_its_value() -> None:
    with pytest.raises(ValueError, match="secret ADMIN_PASSWORD: must contain no NUL") as refused:
        steps.stdin("service", {"ADMIN_PASSWORD": "hush\0hush"})
    assert "hush" not in str(refused.value)
    with pytest.raises(ValueError, match="must be the name of a shell variable in capitals"):
        steps.stdin("service", {"x; id": "y"})


def passed(words: bytes) -> list[str]:
    """The words that a step got, each with a NUL after it, with flags in octal digits as the step reads them."""
    got = words.decode("utf-8", "surrogateescape").split("\0")[:-1]
    for at, word in enumerate(got):
        if word.endswith(":octal"):
            digits = got[at + 1]
            got[at] = word.removesuffix(":octal")
            got[at + 1] = bytes(int(digits[i : i + 3], 8) for i in range(0, len(digits), 3)).decode()
    return got


@pytest.mark.parametrize("login", ["fish", "tcsh", "bash"])
def test_arguments_pass_every_login_shell(login: str) -> None:
    """fish reads a backslash in quotes and ends with 0 when they are not balanced; tcsh reads `!`."""
    ensure(login)
    values = ["ends with \\", 'it\'s "x"', "a\\'b", "wow!", "$HOME `id` %s", "é"]
    line = steps.command("create", {"value": values})
    got = subprocess.run([login, "-c", line], input=b'printf "%s\\0" "$@"', capture_output=True, check=True)
    assert passed(got.stdout) == ["create", *(word for value in values for word in ("--value", value))]


@given(st.lists(LINES, max_size=5))
@examples(deadline=None)
def test_step_receives_arguments_unchanged(values: list[str]) -> None:
    line = steps.command("create", {"value": values})
    got = passed(shell(line, stdin='printf "%s\\0" "$@"').stdout)
    assert got == ["create", *(word for value in values for word in ("--value", value))]


@given(TEXTS)
@examples(deadline=None)
def test_secrets_reach_step_unexported(secret: str) -> None:
    script = steps._assignment("SECRET", secret) + 'printf "%s" "$SECRET"; env'
    started = subprocess.run(
        ["sh", "-s"],
        input=script.encode(),
        capture_output=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "SECRET": "inherited"},
    )
    text, _, environment = started.stdout.partition(b"PATH=")
    assert text.startswith(secret.encode())
    assert b"SECRET=" not in text[len(secret.encode()) :] + environment


@pytest.fixture(scope="module")
def sudo(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with a sudo that only runs what it is given, for a user who is not root."""
    folder = tmp_path_factory.mktemp("bin")
    drains = '[ "$3" = -c ] && cat >/dev/null\n'  # as sudo does with a log of what it reads
    (folder / "id").write_text("#!/bin/sh\necho 1000\n")
    (folder / "sudo").write_text(f'#!/bin/sh\n{drains}shift\nexec "$@"\n')
    for program in ("id", "sudo"):
        (folder / program).chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


@given(value=LINES)
@examples(deadline=None)
def test_sudo_passes_arguments_on(sudo: str, value: str) -> None:
    line = steps.command("update", {"value": value}, sudo=True)
    got = shell(f"PATH={sudo}; export PATH; {line}", stdin='printf "%s\\0" "$@"')
    assert passed(got.stdout) == ["update", "--value", value]


def test_root_needs_no_sudo(tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    (tmp_path / "id").write_text("#!/bin/sh\necho 0\n")
    (tmp_path / "id").chmod(0o755)
    line = steps.command("update", {"value": "a b"}, sudo=True)
    got = shell(f"PATH={tmp_path}; export PATH; {line}", stdin='printf "%s\\0" "$@"')
    assert passed(got.stdout) == ["update", "--value", "a b"]


def test_delete_reads_nothing_from_checkout_but_its_files() -> None:
    text = steps.stdin("port")
    assert text.startswith("# nexus-registry step: ")
    assert text.endswith(steps.START)


@pytest.mark.parametrize("step", steps.STEPS)
def test_every_shell_reads_script(step: str) -> None:
    parse_everywhere(steps.stdin(step, {"ADMIN_PASSWORD": "x"}))
    assert shellcheck(steps.stdin(step)) == ""


class _Recorder(Mocks):
    def __init__(self) -> None:
        self.made: list[MockResourceArgs] = []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.made.append(args)
        return args.name, args.inputs

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise NotImplementedError(args.token)


async def _run(given: Callable[[], dict[str, Any]]) -> Any:
    recorder = _Recorder()
    pulumi.runtime.set_mocks(recorder, preview=False, monitor=MockMonitor(recorder))
    command = steps.host_step("keystore", "k", ssh=remote.ConnectionArgs(host="h"), **given())
    await command.urn.future()
    return recorder.made[-1].inputs, await command.stdin.is_secret(), await command.stdout.is_secret()


def test_step_passes_secrets_by_standard_input_only(sdk: asyncio.AbstractEventLoop) -> None:
    def given() -> dict[str, Any]:
        return {
            "arguments": {"unit": "nexus", "fingerprint": pulumi.Output.from_input("ab")},
            "secrets": {"KEYSTORE_PASSWORD": "canary", "KEYSTORE_BASE64": pulumi.Output.secret("YWJj")},
            "sudo": True,
        }

    inputs, _, shown_secret = sdk.run_until_complete(_run(given))
    text = pulumi.runtime.rpc.unwrap_rpc_secret(inputs["stdin"])
    assert pulumi.runtime.rpc.is_rpc_secret(inputs["stdin"])
    assert "KEYSTORE_PASSWORD='canary'\n" in text
    assert "KEYSTORE_BASE64='YWJj'\n" in text
    assert not shown_secret
    for verb in ("create", "update", "delete"):
        assert inputs[verb].endswith(f" {verb} --unit nexus --fingerprint ab")
        assert "canary" not in inputs[verb]
    assert "triggers" not in inputs
    assert inputs["addPreviousOutputInEnv"] is False


def test_step_without_secrets_hides_nothing(sdk: asyncio.AbstractEventLoop) -> None:
    inputs, secret, _ = sdk.run_until_complete(_run(lambda: {"arguments": {"unit": "nexus"}}))
    assert not secret
    assert inputs["stdin"] == steps.stdin("keystore")


@pytest.mark.parametrize(
    ("opened", "there", "held"),
    [
        ("db/nexus.mv.db", None, True),
        ("log/nexus.log", None, False),
        ("log/nexus.log", "etc/fabric/nexus-store.properties", True),
        ("log/nexus.log", "etc/nexus.properties", True),
    ],
    ids=["database open", "only a log open", "a database elsewhere", "one that nexus.properties names"],
)
def test_holds_database_detects_open_files(tmp_path: Path, opened: str, there: str | None, held: bool) -> None:
    for folder in ("db", "log", "etc/fabric"):
        (tmp_path / folder).mkdir(parents=True)
    if there:
        (tmp_path / there).write_text("nexus.datastore.nexus.jdbcUrl=jdbc:postgresql://db/nexus\n")
    script = f"{steps.script('service')}arg_data_dir={tmp_path}\nholds_database"
    with (tmp_path / opened).open("w"):
        assert (subprocess.run(["sh", "-c", script], check=False).returncode == 0) == held
