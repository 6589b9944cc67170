"""`nexus-registry doctor`: what it reads in a stack's state, what it sends, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nexus_registry.cli import doctor, init, ssh
from nexus_registry.cli.command import Progress
from nexus_registry.cli.main import main
from nexus_registry.cli.markdown import LIMITS
from nexus_registry.cli.ssh import NoConnection
from nexus_registry.cli.state import Unreadable, steps_in
from nexus_registry.components.host import steps

from sandbox.paths import PROJECT
from sandbox.values import SECRET, SIGNATURE
from tests.lifecycle.sshd import Sshd, private_sshd
from tests.unit.fake import Response, serve
from tests.unit.steps_shell import parse_everywhere, shellcheck

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMINED = "nexus-registry examined: service\n"
CONNECTION = {"host": "registry.example.com", "port": 22.0, "user": "admin", "hostKey": "ssh-ed25519 AAAA"}


def resource(
    step: str, *, sudo: bool = False, secrets: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """A host step as a state has it."""
    line = steps.command("create", {"unit": "nexus", "data_dir": "/srv/it's"}, sudo=sudo)
    stdin = hidden(steps.stdin(step, secrets, sudo=sudo))
    return {
        "urn": f"urn:pulumi:dev::p::command:remote:Command::nexus-{step}",
        "type": "command:remote:Command",
        "inputs": {"connection": hidden(CONNECTION), "create": line, "stdin": stdin},
        **more,
    }


def hidden(value: Any) -> dict[str, Any]:
    return {SIGNATURE: SECRET, "plaintext": json.dumps(value)}


def export(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": list(resources)}}


@pytest.mark.parametrize("sudo", [False, True])
@pytest.mark.parametrize("kind", steps.STEPS)
def test_steps_are_recognised_with_their_flags(kind: str, sudo: bool) -> None:
    (step,) = steps_in(export(resource(kind, sudo=sudo)))
    asked = steps.command("create", {"unit": "nexus", "data_dir": "/srv/it's"}, sudo=sudo)
    assert (step.sent.step, step.name, step.host) == (kind, f"nexus-{kind}", "registry.example.com")
    shown = 'for word; do printf "%s\\n" "$word"; done'
    said = [
        subprocess.run(
            ["sh", "-c", line.replace("sudo -n", "").replace("exec  sh", "exec sh")],
            input=shown,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split("\n")
        for line in (asked, step.sent.line("doctor"))
    ]
    assert said[1] == ["doctor", *said[0][1:]]
    assert said[0][0] == "create"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30))
def test_secret_reaches_host_unchanged(secret: str) -> None:
    given_ = {"KEYSTORE_PASSWORD": secret, "KEYSTORE_BASE64": "UEsx"}
    (step,) = steps_in(export(resource("keystore", secrets=given_)))
    text = f'{step.sent.secrets}printf "%s" "$KEYSTORE_PASSWORD$KEYSTORE_BASE64"'
    done = subprocess.run(["sh"], input=text.encode(), capture_output=True, check=True)
    assert done.stdout == f"{secret}UEsx".encode()
    assert "UEsx" not in repr(step)


def test_other_commands_and_pending_deletes_are_ignored() -> None:
    own = {"type": "command:remote:Command", "urn": "a::b", "inputs": {"create": "uptime", "connection": {}}}
    held = steps_in(
        export(own, {"type": "x:y:Z", "urn": "a::c"}, resource("port", delete=True), resource("account"))
    )
    assert [step.sent.step for step in held] == ["account"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ([], "this is not an exported stack"),
        ({"resources": []}, "there is no host step of nexus-registry"),
        (
            export({**resource("account"), "inputs": {"stdin": {SIGNATURE: SECRET, "ciphertext": "v1:"}}}),
            "encrypted",
        ),
    ],
)
def test_unusable_state_is_refused_with_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], state: Any, said: str
) -> None:
    with pytest.raises(Unreadable, match=said):
        steps_in(state)
    file = tmp_path / "state.json"
    file.write_text(json.dumps(state))
    assert main(["doctor", "--host", "--state", str(file)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["doctor", "--host", "--stack", "a", "--state", "b"]])
def test_wrong_command_line_exits_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("status", "out", "err", "exits", "said"),
    [
        (0, EXAMINED, "", 0, "nothing found: what 1 steps did on registry.example.com is as they left it\n"),
        (
            0,
            f"from .bashrc\nnexus-registry finding: nexus.service is inactive\n{EXAMINED}",
            "",
            1,
            "registry.example.com: nexus.service is inactive. Set nexus-registry:repair to a new value and run"
            " pulumi up.\n",
        ),
        (1, "", "a step is running\n", 2, "can't tell: registry.example.com: nexus-service: a step is running.\n"),
        (
            255,
            "",
            "Host key verification failed.\n",
            2,
            "can't tell: registry.example.com: Host key verification failed. ssh_host_key is another key than the"
            " host shows. Find out why; if the host was installed again, set its new key and run pulumi up.\n",
        ),
        (
            0,
            "fish: quotes are not balanced\n",
            "",
            2,
            "can't tell: registry.example.com: nexus-service: the login shell did not run what was sent.\n",
        ),
    ],
)
def test_doctor_output_becomes_findings_and_status(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
    out: str,
    err: str,
    exits: int,
    said: str,
) -> None:
    monkeypatch.setattr(ssh, "run", lambda *_: subprocess.CompletedProcess([], status, out, err))
    file = tmp_path / "state.json"
    file.write_text(json.dumps(export(resource("service"))))
    assert main(["doctor", "--host", "--state", str(file)]) == exits
    shown = capsys.readouterr()
    assert shown.out + shown.err == said


class Screen:
    """A stream that keeps what is written."""

    def __init__(self, *, tty: bool = True) -> None:
        self.text, self._tty = "", tty

    def isatty(self) -> bool:
        return self._tty

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        """Nothing is held back."""


def test_progress_is_shown_once_its_time_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for one item that takes long, without a further call."""
    monkeypatch.delenv("CI", raising=False)
    screen: Any = Screen()
    with Progress(screen, "reading", quiet=0.05) as progress:
        progress.show("role")
        limit = time.monotonic() + 60
        while not screen.text and time.monotonic() < limit:
            time.sleep(0.01)
        progress.show("user")
    assert screen.text == "".join(f"\r\033[K{text}" for text in ("reading role …", "reading user …", ""))


@pytest.mark.parametrize(("tty", "ci", "quiet"), [(False, "", 0.0), (True, "true", 0.0), (True, "", 3600.0)])
def test_progress_is_not_shown(monkeypatch: pytest.MonkeyPatch, tty: bool, ci: str, quiet: float) -> None:
    monkeypatch.setenv("CI", ci)
    screen: Any = Screen(tty=tty)
    with Progress(screen, "reading", quiet=quiet) as progress:
        progress.show("role")
        time.sleep(0.05)
        progress.show("user")
    assert screen.text == ""


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (["doctor", "{url}"], "{url}"),
        (["export", "--only", "Role", "--url", "{url}", "--output", "{folder}"], "role"),
    ],
)
def test_command_shows_what_it_reads(
    line: list[str], shown: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[str] = []
    monkeypatch.setattr(Progress, "show", lambda _, what: said.append(what))
    monkeypatch.setenv("NEXUS_PASSWORD", "pw")
    with serve(lambda _: Response(200, [])) as fake:
        main([one.format(url=fake.url, folder=tmp_path / "new") for one in line])
        assert shown.format(url=fake.url) in said


def test_doctor_names_step_that_it_examines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "run", lambda *_: subprocess.CompletedProcess([], 0, EXAMINED, ""))
    shown: list[str] = []
    doctor.examine(steps_in(export(resource("service"))), shown.append)
    assert shown == ["registry.example.com: nexus-service"]


def test_doctor_tries_each_address_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hosts behind one address differ in the port."""
    tried: list[int] = []

    def run(connection: Any, *_: str) -> subprocess.CompletedProcess[str]:
        tried.append(connection["port"])
        if connection["port"] == 2201:
            raise NoConnection("ssh.host: it is down")
        return subprocess.CompletedProcess([], 0, EXAMINED, "")

    monkeypatch.setattr(ssh, "run", run)
    (sent,) = steps_in(export(resource("service")))
    hosts = [replace(sent, connection={**CONNECTION, "port": port}) for port in (2201, 2201, 2202)]
    assert doctor.examine(hosts).unknown == ["registry.example.com: ssh.host: it is down"]
    assert tried == [2201, 2202]


def test_help_of_summary_names_limits(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["summary", "--help"])
    said = capsys.readouterr().out
    assert [limit for limit in LIMITS.values() if f"{limit:,}" not in said] == []
    assert "Azure DevOps" in " ".join(said.split())


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with private_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


def test_ssh_uses_key_of_state_and_verifies_host(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    key.write_text(sshd.private_key)
    key.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "open se$ame", "-f", key], check=True)
    empty = tmp_path / '%d %h it\'s "empty" $HOME'
    monkeypatch.setenv("TMPDIR", str(empty))
    monkeypatch.setattr("tempfile.tempdir", None)
    empty.mkdir()
    address = {"host": "127.0.0.1", "port": float(sshd.port), "user": sshd.user, "hostKey": sshd.host_key}
    plain, locked = {"privateKey": sshd.private_key}, {"privateKey": key.read_text()}
    answers = [
        ssh.run({**address, **more}, "cat", "from here")
        for more in (
            {"privateKey": "\r\n" + sshd.private_key.replace("\n", "\r\n")},  # Pulumi's client takes it as well
            {**locked, "privateKeyPassword": "open se$ame"},
            {**locked, "privateKeyPassword": "another"},
            {**plain, "hostKey": ""},
            {**plain, "hostKey": sshd.host_key.replace("AAAAC3NzaC1lZDI1NTE5AAAAI", "AAAAC3NzaC1lZDI1NTE5AAAAJ")},
        )
    ]
    assert [answer.returncode for answer in answers] == [0, 0, 255, 255, 255]
    assert [answer.stdout for answer in answers] == ["from here"] * 2 + [""] * 3
    assert "Permission denied" in answers[2].stderr
    assert all("Host key verification failed" in answer.stderr for answer in answers[3:])
    assert list(empty.iterdir()) == []
    other = ssh.run({**address, **plain}, "printf 'caf\\351 \\303\\251'; printf '\\377' >&2", "")
    assert (other.stdout, other.stderr) == ("caf\ufffd é", "\ufffd")


@pytest.mark.parametrize(
    ("more", "said"), [({"password": "pw"}, "ssh.password"), ({"proxy": {"host": "p"}}, "ssh.proxy")]
)
def test_unsupported_ssh_option_is_reported(more: dict[str, Any], said: str) -> None:
    with pytest.raises(NoConnection, match=said):
        ssh.run({**CONNECTION, **more}, "true", "")


def run_doctor(places: str) -> subprocess.CompletedProcess[str]:
    """It ends at the first flag that it misses."""
    script = doctor.stdin(steps_in(export(resource("service")))[0].sent)
    script = script.replace("\ndoctor service ", f"\n{places}\ndoctor service ")
    line = ["sh", "-s", "--", "update", "--unit", "nexus"]
    return subprocess.run(line, input=script, capture_output=True, text=True, check=False)


def test_doctor_leaves_nothing_where_steps_do_not_remove_it(tmp_path: Path) -> None:
    (tmp_path / "run/doctor-0").mkdir(parents=True)  # of one that was killed
    run_doctor(f"LOCK_FILE={tmp_path}/lock RUN_DIR={tmp_path}/run; at_exit() {{ :; }}")
    (own,) = (tmp_path / "run").iterdir()
    assert own.name.startswith("doctor-")
    assert own.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_doctor_names_full_run_directory(tmp_path: Path) -> None:
    done = run_doctor(f"LOCK_FILE={tmp_path}/lock RUN_DIR={tmp_path}/missing/run")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"host: {tmp_path}/missing/run can't be created")


def test_every_shell_parses_doctor() -> None:
    script = doctor.stdin(steps_in(export(resource("service")))[0].sent)
    parse_everywhere(script)
    assert shellcheck(script) == ""


def test_end_of_questions_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error, status, said in (
        (KeyboardInterrupt, 130, ""),
        (EOFError, 2, "--no-input: standard input has ended"),
    ):
        monkeypatch.setattr(init, "run", lambda _, error=error: (_ for _ in ()).throw(error()))
        try:
            assert main(["init"]) == status
        except KeyboardInterrupt:
            pytest.fail("it would be a traceback")
        assert capsys.readouterr().err.startswith(said)


SUMMARY = [
    *(sys.executable, "-c", "import sys; from nexus_registry.cli.main import main; sys.exit(main(sys.argv[1:]))"),
    *("summary", str(PROJECT / "tests/data/previews/update.json")),
]


def test_output_in_other_encoding_is_written() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(SUMMARY, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "`2703` \\u2192 `3000`" in done.stdout


def test_reader_of_output_that_ended_is_no_traceback() -> None:
    """Such as ``head``."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(SUMMARY, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (2, "")
