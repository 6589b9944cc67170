"""``remote.Command`` on a real SSH server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .conftest import PASSWORD
from .test_lifecycle import NONE

if TYPE_CHECKING:
    from .conftest import TinyStack
    from .sshd import Sshd


def command(sshd: Sshd, /, connection: Any = None, **inputs: Any) -> dict[str, Any]:
    """An entry of the program's list."""
    return {"name": "r", "inputs": {"connection": sshd.connection | (connection or {}), **inputs}}


def test_create_update_delete(lab: TinyStack, sshd: Sshd) -> None:
    log = lab.folder / "log"
    scripts = {
        verb: f"cat >>{log}; echo {verb} >>{log}; echo {verb}d; echo oh >&2"
        for verb in ("create", "update", "delete")
    }
    lab.commands(command(sshd, stdin="one\n", **scripts))
    lines: list[str] = []
    assert lab.stack.up(on_line=lines.append).changes == NONE | {"create": 2}
    assert any("created" in line for line in lines)
    assert log.read_text() == "one\ncreate\n"
    outputs = lab.resources()["r"]["outputs"]
    assert (outputs["stdout"], outputs["stderr"]) == ("created", "oh")
    assert lab.stack.outputs()["r"] == "created"
    assert lab.stack.up(expect_no_changes=True).ok
    assert lab.stack.refresh(expect_no_changes=True).ok

    lab.commands(command(sshd, stdin="two\n", **scripts))
    assert lab.stack.preview().changes == NONE | {"update": 1, "same": 1}
    assert lab.stack.up().changes == NONE | {"update": 1, "same": 1}
    assert log.read_text() == "one\ncreate\ntwo\nupdate\n"

    (lab.program / "__main__.py").unlink()  # the delete script is in the state
    lab.things()
    assert lab.stack.destroy().changes == NONE | {"delete": 2}
    assert log.read_text() == "one\ncreate\ntwo\nupdate\ntwo\ndelete\n"


def test_missing_scripts_run_nothing(lab: TinyStack, sshd: Sshd) -> None:
    lab.commands(command(sshd, create="echo made"))
    assert lab.stack.up().ok
    lab.commands(command(sshd, create="echo made again"))
    assert lab.stack.up().changes == NONE | {"update": 1, "same": 1}  # create stands in for update
    assert lab.stack.outputs()["r"] == "made again"
    lab.commands(command(sshd, delete="true"))
    assert lab.stack.up().ok
    assert lab.stack.outputs()["r"] == "made again"
    lab.commands()
    assert lab.stack.up().changes == NONE | {"delete": 1, "same": 1}


def test_failing_script_is_reported(lab: TinyStack, sshd: Sshd) -> None:
    lab.commands(command(sshd, create="echo out; sleep 1; echo because >&2; exit 3"))
    failed = lab.stack.up()
    assert (failed.ok, failed.error) == (False, "because")
    assert 'Process exited with status 3: running "echo out; sleep 1; echo because >&2; exit 3":' in failed.stdout
    assert "r" not in lab.resources()


def test_secrets_are_passed_by_standard_input(lab: TinyStack, sshd: Sshd) -> None:
    log = lab.folder / "log"
    lab.stack.set_config("commands", [command(sshd, stdin="$password", create=f"cat >{log}")], secret=True)
    assert lab.stack.up().ok
    assert log.read_text() == PASSWORD
    state = lab.stack.state_file.read_text()
    assert PASSWORD not in state
    assert sshd.private_key.splitlines()[2] not in state
    assert "PRIVATE KEY" not in state


def test_environment_is_passed_to_script(lab: TinyStack, sshd: Sshd) -> None:
    lab.commands(command(sshd, environment={"GREETING": "it's me; $HOME"}, create='echo "$GREETING"'))
    assert lab.stack.up().ok
    assert lab.stack.outputs()["r"] == "it's me; $HOME"
    lab.commands(command(sshd, environment={"UNHEARD": "x"}, create="true"))
    assert "could not set environment variable" in lab.stack.up().stdout


def test_host_key_is_checked(lab: TinyStack, sshd: Sshd) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJwdyEb3U0hBGfHHBCNJOKuZ9jHhLRKQh5dYb3lT0Qxv"
    lab.commands(command(sshd, {"host_key": other, "dial_error_limit": 1}, create="true"))
    assert "after 1 failed attempts" in lab.stack.up().stdout
    lab.commands(command(sshd, {"host_key": None}, create="echo unchecked"))
    assert lab.stack.up().ok


def test_unreachable_host_is_reported(lab: TinyStack, sshd: Sshd) -> None:
    lab.commands(command(sshd, {"port": 1, "dial_error_limit": 2}, create="true"))
    failed = lab.stack.up()
    assert failed.error.startswith("after 2 failed attempts: ")
    assert "refused" in failed.error
