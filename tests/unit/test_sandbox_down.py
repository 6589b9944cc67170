"""``python -m sandbox down`` leaves what another running process uses."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandbox import __main__ as command
from sandbox import host
from sandbox.process import Process


def test_down_leaves_hosts_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped: list[str] = []
    client = type("Client", (), {"stop": lambda _: stopped.append("client")})
    for module, name, value in (
        (host, "_HOSTS", tmp_path / "hosts"),
        (command, "WORK", tmp_path),
        (command, "DockerClient", client),
    ):
        monkeypatch.setattr(module, name, value)
    for name in ("used", "unused", "own", "half-made"):
        (tmp_path / f"hosts/{name}").mkdir(parents=True)
        (tmp_path / f"hosts/{name}.lock").touch()
        (tmp_path / f"dev/{name}-pulumi").mkdir(parents=True)
    host._write_users("own", {Process.current()})
    with subprocess.Popen(["sleep", "600"]) as session:
        running = next(one for one in Process.below(Process.current().pid) if one.pid == session.pid)
        host._write_users("used", {running, Process(running.pid, running.started - 1)})
        host._write_users("unused", {Process(running.pid, running.started - 1)})
        assert command.main(["down"]) == 0
        session.kill()
    said = capsys.readouterr().out
    assert said == f"host used and its stacks stay: in use by process {running.pid} (sleep 600)\n"
    assert sorted(path.name for path in tmp_path.glob("*/*")) == ["used", "used-pulumi", "used.lock", "used.users"]
    assert stopped == ["client"]
    assert command.main(["down"]) == 0
    assert list(tmp_path.iterdir()) == []
