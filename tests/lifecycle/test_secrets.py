"""Secrets: never in the clear where they rest, nor where they are shown."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

from sandbox.stack import open_stack
from sandbox.values import is_secret, plain

from .conftest import PASSPHRASE, PASSWORD, thing

if TYPE_CHECKING:
    from .conftest import TinyStack


def marked(props: dict[str, Any]) -> list[str]:
    """The keys of the secrets."""
    return sorted(key for key, value in props.items() if is_secret(value))


def test_secrets_are_marked_by_key(lab: TinyStack) -> None:
    lab.things(
        thing("a", color="$password", nested={"deep": "$password", "flat": "x"}, tags=["x", "$password"]),
        thing("b", size=1, options={"additional_secret_outputs": ["stamp"]}),
        thing("c", color="$a.color", size="$b.stamp"),
    )
    result = lab.stack.up()
    assert result.ok
    assert PASSWORD not in result.stdout
    found = lab.resources()
    assert marked(found["a"]["inputs"]) == marked(found["a"]["outputs"]) == ["__provider", "color", "tags"]
    assert marked(found["a"]["outputs"]["nested"]) == ["deep"]
    assert plain(found["a"]["outputs"])["nested"] == {"deep": PASSWORD, "flat": "x"}
    assert marked(found["b"]["outputs"]) == ["__provider", "stamp"]
    assert marked(found["c"]["inputs"]) == ["__provider", "color", "size"]
    assert lab.stack.outputs()["b"] == "[secret]"
    calls = [call[2] for call in lab.calls("create") if call[1] == "a"]
    assert [call["color"] for call in calls] == [PASSWORD]

    text = "".join(path.read_text(errors="replace") for path in (lab.folder / "work").rglob("*") if path.is_file())
    assert PASSWORD not in text
    assert PASSPHRASE not in text
    if lab.engine == "sandbox":
        assert stat.S_IMODE(lab.stack.state_file.stat().st_mode) == 0o600
    assert lab.stack.up().changes["same"] == 4


def test_secret_in_error_is_masked(lab: TinyStack) -> None:
    lab.things(thing("a"))
    lab.edit(failures={"create a": f"not {PASSWORD}"})
    failed = lab.stack.up()
    assert failed.error == "RuntimeError: not [secret]"
    assert PASSWORD not in failed.stdout


def test_wrong_passphrase_is_refused(lab: TinyStack) -> None:
    lab.things(thing("a"))
    assert lab.stack.up().ok
    other = open_stack(lab.engine, program=lab.program, name="dev", work=lab.folder / "work", passphrase="wrong")
    failed = other.up()
    assert "incorrect passphrase" in failed.error


def test_secret_object_is_encrypted(lab: TinyStack) -> None:
    lab.stack.set_config("things", [thing("a", color="red")], secret=True)
    assert lab.stack.up().ok
    assert "red" not in (lab.folder / "work" / "config" / "Pulumi.dev.yaml").read_text()
    assert lab.resources()["a"]["outputs"]["color"] == "red"
