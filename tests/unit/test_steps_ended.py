"""A step that a signal ends: its files go, the program that it ran ends, and the next step gets the lock."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from nexus_registry.components.host import steps

from tests.unit.steps_shell import run

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGINT)
LIMIT = 120
"""Seconds within which each of these comes about, on any machine."""


def started(shell: list[str], folder: Path, body: str) -> subprocess.Popen[bytes]:
    """A step of which only the body is run, in a folder of its own, as soon as the body has written `ready`."""
    script = f"{steps.script('archive')}\nunit=nexus RUN_DIR={folder}/run LOCK_FILE={folder}/lock\n{body}\n"
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        [*shell, "-s"], stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True,
        preexec_fn=heed_signals,
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(script.encode())
    process.stdin.close()
    until(lambda: (folder / "ready").exists())
    return process


def heed_signals() -> None:
    """A shell can't trap what whoever ran the tests (nohup) had ignored."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)


def until(happened: object) -> None:
    assert callable(happened)
    deadline = time.monotonic() + LIMIT
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def program(folder: Path) -> int:
    """The process id of the program below the step, which runs below another process."""
    return int((folder / "ready").read_text())


def gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(") ")[2].startswith("Z")
    except FileNotFoundError:
        return True


def long_step(folder: Path, shell: list[str]) -> str:
    child = f"sleep 999 & echo $! >{folder}/part; mv {folder}/part {folder}/ready; wait"
    escaped = child.replace("$", chr(92) + "$")
    return f'take_lock archive; run_with_progress "unpacking" 999 {" ".join(shell)} -c "{escaped}"'


@pytest.mark.parametrize("number", ENDING)
def test_signal_ends_step_with_files_and_program(shell: list[str], tmp_path: Path, number: signal.Signals) -> None:
    step = started(shell, tmp_path, long_step(tmp_path, shell))
    assert [path.name.split(".")[0] for path in (tmp_path / "run").iterdir()] == ["archive"]
    step.send_signal(number)
    assert step.wait(LIMIT) == 128 + number
    until(lambda: gone(program(tmp_path)))
    assert list((tmp_path / "run").iterdir()) == []
    said = run(shell, f"unit=nexus RUN_DIR={tmp_path}/run LOCK_FILE={tmp_path}/lock; take_lock archive", "archive")
    assert said == ""


def test_next_step_ends_program_of_killed_step(shell: list[str], tmp_path: Path) -> None:
    step = started(shell, tmp_path, long_step(tmp_path, shell))
    until(lambda: "program " in (tmp_path / "lock").read_text())
    step.kill()
    step.wait(LIMIT)
    took = f"unit=nexus RUN_DIR={tmp_path}/run LOCK_FILE={tmp_path}/lock arg_lock_timeout=99; take_lock account"
    assert "another step is running" not in run(shell, took, "account")
    assert gone(program(tmp_path))


def test_program_of_running_step_is_left_alone(shell: list[str], tmp_path: Path) -> None:
    """The step writes the lock's file while the next one reads it."""
    (tmp_path / "lock").touch()
    program = subprocess.Popen(["sleep", "999"])
    step = f'lock_step="step archive of unit nexus, since 00:00:00, pid $$" progress_pid={program.pid}\n'
    writes = f"({step}while :; do note_program; done) &\nwriter=$!\n"
    begun = "until [ -s $LOCK_FILE ]; do sleep 0.01; done\n"
    reads = f"{begun}n=0; while [ $n -lt 500 ]; do end_leftover; n=$((n + 1)); done; kill $writer"
    try:
        run(shell, f"unit=nexus RUN_DIR={tmp_path}/run LOCK_FILE={tmp_path}/lock\n{writes}{reads}", "account")
        assert program.poll() is None
    finally:
        program.kill()
        program.wait()


def test_package_manager_outlives_step_and_is_named(shell: list[str], tmp_path: Path) -> None:
    """A package manager that is ended leaves half-installed packages."""
    step = started(shell, tmp_path, f"progress_if_cut=stays; {long_step(tmp_path, shell)}")
    until(lambda: "program " in (tmp_path / "lock").read_text())
    step.terminate()
    step.wait(LIMIT)
    took = f"unit=nexus RUN_DIR={tmp_path}/run LOCK_FILE={tmp_path}/lock arg_lock_timeout=0; take_lock account"
    said = run(shell, took, "account")
    assert "which was killed and left " in said
    assert not gone(program(tmp_path))
    os.kill(program(tmp_path), signal.SIGTERM)


def test_file_that_was_being_written_is_removed(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    writing = f"(sleep 0.2; : >{tmp_path}/ready; sleep 1; echo x) | put_file {tmp_path}/etc/file root:root 0600"
    step = started(shell, tmp_path, f"at_exit :; {writing}")
    os.killpg(step.pid, signal.SIGTERM)
    step.wait(LIMIT)
    until(lambda: list((tmp_path / "etc").iterdir()) == [])


def test_file_is_on_disk_before_it_gets_its_name(shell: list[str], tmp_path: Path) -> None:
    """A rename reaches the disk before the content on XFS: a power loss left an empty file."""
    sync = f'dd() {{ [ -e {tmp_path}/file ] || cat "${{2#of=}}"; }}\n'
    owner = f"{os.getuid()}:{os.getgid()}"
    assert run(shell, f"{sync}echo new | put_file {tmp_path}/file {owner} 0600") == "new\n"
    assert (tmp_path / "file").read_text() == "new\n"


def test_remains_of_killed_runs_are_removed(shell: list[str], tmp_path: Path) -> None:
    """SIGKILL runs no trap. A temporary file may hold a secret, and one among the facts keeps their folder."""
    folders = ("facts/nexus", "facts/other", "units", "data", "data/etc", "data/etc/ssl", "data/etc/jetty")
    left = [f"{folder}/.nexus-registry.Ab12xY" for folder in folders]
    killed = ["run/service.Ab12xY/keystore", "run/doctor-0/keystore"]
    kept = ["data/etc/nexus.properties", "facts/other/account.user", f"run/doctor-{os.getpid()}/keystore"]
    for name in (*left, *killed, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "data/etc/.nexus-registry.folder").mkdir()
    places = f"RUN_DIR={tmp_path}/run LOCK_FILE={tmp_path}/lock "
    places += f"FACTS_ROOT={tmp_path}/facts UNIT_DIR={tmp_path}/units"
    for more in ("", f"arg_data_dir={tmp_path}/data"):  # the archive step has none
        assert run(shell, f"unit=nexus {places} {more}; take_lock account", "account") == ""
    (tmp_path / "lock").unlink()
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == {*kept}
