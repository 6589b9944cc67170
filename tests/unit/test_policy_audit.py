"""``nexus-registry audit``: the rules over an exported state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nexus_registry.cli.main import main
from nexus_registry.policy import Resource

from .policy_resources import CI, PULL, resource, role

CANARY = "cAnArY-4711"


def state(folder: Path, *resources: Resource) -> str:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": f'"{CANARY}"'}
    entries = [
        {
            "urn": one.urn,
            "type": one.type,
            "custom": True,
            "id": "it",
            "inputs": {**one.properties, "password": secret},
            "outputs": {**one.properties, "password": secret},
        }
        for one in resources
    ]
    file = folder / "state.json"
    file.write_text(json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": entries}}))
    return str(file)


def test_audit_reports_by_level(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = state(tmp_path, resource("User", user_id="eve", roles=["nx-admin"]), CI)
    config = tmp_path / "config.json"
    config.write_text('{"no-other-administrator": "advisory", "no-wildcard-privilege": "disabled"}')
    assert main(["audit", "--file", file]) == 1
    assert "mandatory: it: eve is an administrator" in capsys.readouterr().out
    assert main(["audit", "--file", file, "--config", str(config), "--json"]) == 0
    out = capsys.readouterr().out
    assert [(one["rule"], one["level"]) for one in json.loads(out)] == [("no-other-administrator", "advisory")]
    assert CANARY not in out


@pytest.mark.parametrize(("form", "found"), [("plaintext", False), ("ciphertext", True)])
def test_servers_are_told_apart_where_secrets_are_in_the_clear(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, found: bool
) -> None:
    """`NexusServer.connection` is a secret as a whole. Encrypted, it may be that of either server."""

    def on(server: str, one: Resource) -> Resource:
        connection = json.dumps({"url": f"https://{server}", "password": CANARY})
        secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", form: connection}
        return Resource(one.urn, one.type, {**one.properties, "connection": secret})

    stack = [on("a", role("nx-all")), on("b", role(PULL)), on("b", CI)]
    assert main(["audit", "--file", state(tmp_path, *stack)]) == int(found)
    assert CANARY not in capsys.readouterr().out


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("content", "config", "said"),
    [
        ("[]", "{}", "--file: this is not an exported stack"),
        ("{", "{}", "--file: this is not an exported stack"),
        ('{"deployment": {"resources": [1]}}', "{}", "--file: this is not an exported stack"),
        ('{"deployment": {"resources": 5}}', "{}", "--file: this is not an exported stack"),
        (
            '{"deployment": {"resources": [{"urn": "a", "type": "b", "inputs": 5}]}}',
            "{}",
            "--file: this is not an exported stack",
        ),
        ('{"deployment": {"manifest": {}}}', '{"x": 1}', "--config: x: there is no such rule"),
        ('{"deployment": {"manifest": {}}}', "{", "--config: "),
        pytest.param('{"deployment": {"manifest": {}}}', DEEP, "--config: is nested too deeply", id="deep"),
        pytest.param(DEEP, "{}", "--file: this is not an exported stack", id="deep state"),
    ],
)
def test_audit_refuses_unreadable_input(
    content: str, config: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state.json").write_text(content)
    (tmp_path / "config.json").write_text(config)
    assert main(["audit", "--file", str(tmp_path / "state.json"), "--config", str(tmp_path / "config.json")]) == 2
    assert said in capsys.readouterr().err


def test_audit_of_empty_stack_finds_nothing(tmp_path: Path) -> None:
    assert main(["audit", "--file", state(tmp_path)]) == 0
