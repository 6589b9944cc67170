"""How the service step waits for a start, and what it shows of one that fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.steps_shell import parsed, run


def test_failed_start_shows_no_file_that_log_leads_to(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("2026-01-01 INFO of root alone\n")
    (tmp_path / "nexus.log").symlink_to("secret")
    stubs = "journalctl() { :; }\nremove_facts() { :; }\n"
    secrets = {"ADMIN_PASSWORD": "#", "KEYSTORE_PASSWORD": "#"}
    body = (
        f"unit=nexus nexus_log={tmp_path}/nexus.log log_before=0 log_inode=\nlast_activity; fail_start 'It ended'"
    )
    said = run(shell, stubs + body, secrets=secrets)
    assert "of root alone" not in said
    assert f"{tmp_path}/nexus.log is a symbolic link" in said


@pytest.mark.parametrize(
    ("unit", "cgroup", "own"),
    [
        ("nexus", "nexus.service", True),
        ("nexus", "my-nexus.service", False),
        ("_nexus", "__nexus.service", True),
        ("memory", "_memory.service", True),
        ("nexus former_units=second", "second.service", True),
        ("nexus former_units=second", "nexus.service", True),
        ("nexus former_units=second", "third.service", False),
    ],
)
def test_process_of_unit_is_known_by_its_control_group(
    shell: list[str], tmp_path: Path, unit: str, cgroup: str, own: bool
) -> None:
    """systemd puts `_` before a name that begins with it, or is that of a controller."""
    (tmp_path / "cgroup").write_text(f"0::/system.slice/{cgroup}\n")
    body = f"unit={unit}; if is_of_unit {tmp_path}/cgroup; then echo own; fi"
    assert run(shell, body) == ("own\n" if own else "")


@pytest.mark.parametrize(
    ("cgroups", "own"), [(["nexus", "other"], True), (["other"], False), ([], True), (["-"], True)]
)
def test_server_is_up_only_when_its_unit_listens(shell: list[str], cgroups: list[str], own: bool) -> None:
    lines = "".join(f"echo '127.0.0.1 java {name}'; " for name in cgroups)
    stubs = f"listeners() {{ {lines}:; }}\ngrep() {{ case $* in */other/cgroup*) return 1 ;; esac; }}\n"
    body = f"{stubs}if owns_http_port; then echo own; else echo other; fi"
    assert run(shell, parsed("", body)) == ("own\n" if own else "other\n")


@pytest.mark.parametrize(
    ("has", "expected"),
    [
        ("C POSIX C.utf8 de_DE.utf8", "C.UTF-8"),
        ("C POSIX de_DE.utf8 en_US.utf8", "en_US.UTF-8"),
        ("C POSIX", "C.UTF-8"),
    ],
)
def test_unit_names_utf8_locale_that_host_has(shell: list[str], has: str, expected: str) -> None:
    assert run(shell, f"locale() {{ printf '%s\\n' {has}; }}\nutf8_locale") == expected


def test_start_that_takes_too_long_names_start_timeout(shell: list[str], tmp_path: Path) -> None:
    stubs = "is_ready() { last_code=000; return 1; }\nstart_failed() { return 1; }\njournalctl() { :; }\n"
    stubs += "unit_property() { :; }\nsystemctl() { echo MainPID=; }\nremove_facts() { :; }\nredact() { :; }\n"
    body = f"{stubs}nexus_log={tmp_path}/none log_before=0 start_began=$(uptime_seconds)\nawait_ready"
    said = run(shell, parsed("--start-timeout 1", body)).splitlines()[-1]
    assert said.startswith("start_timeout: Nexus does not answer after 1 s (no answer yet). Raise the limit")


def test_clock_jump_ends_no_wait(shell: list[str], tmp_path: Path) -> None:
    clock = f"date() {{ echo x >>{tmp_path}/asked; echo $(($(wc -l <{tmp_path}/asked) * 100000)); }}\n"
    shown = f"served_fingerprint() {{ echo x >>{tmp_path}/shown; wc -l <{tmp_path}/shown | tr -d ' '; }}\n"
    body = f"{clock}{shown}sleep() {{ :; }}\nfingerprint=3\nif await_certificate 60; then echo shown; fi"
    assert run(shell, parsed("", body)) == "shown\n"
