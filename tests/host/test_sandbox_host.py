"""The sandbox host: what a user finds on it, and that nothing of it stays behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox import host as hosts
from sandbox.paths import PROJECT
from sandbox.shell import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.host import Host

pytestmark = pytest.mark.nightly


def test_host_runs_systemd_and_everything_on_it_started(host: Host) -> None:
    assert host.read("/proc/1/comm").strip() == "systemd"
    assert host.ssh("systemctl is-system-running").stdout.strip() == "running"
    assert host.ssh("hostname").stdout.strip() == "test"


def test_new_host_is_bare(fresh_host: Callable[[], Host]) -> None:
    made = fresh_host()
    for tool in ("curl", "wget", "java", "keytool", "openssl"):
        assert made.ssh(f"command -v {tool}", check=False).stdout == "", f"a bare host has {tool}"
    assert not made.exists("/etc/ssl/certs/ca-certificates.crt")


def test_only_deploy_has_sudo_without_password(host: Host) -> None:
    allowed = host.ssh("sudo -n id -u", user="deploy")
    assert (allowed.stdout.strip(), allowed.stderr) == ("0", "")
    with pytest.raises(CommandFailed, match="a password is required"):
        host.ssh("sudo -n id -u", user="limited")


def test_ssh_passes_input_and_status(host: Host) -> None:
    assert host.ssh("cat; exit 3", stdin="a 'quoted'\nline", check=False).stdout == "a 'quoted'\nline"
    with pytest.raises(CommandFailed, match="status 3"):
        host.ssh("exit 3")


def test_apt_cache_serves_next_host(fresh_host: Callable[[], Host]) -> None:
    first, package = fresh_host(), "netcat-openbsd"
    first.ssh(f"apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes {package}")
    assert first.ssh("command -v nc").stdout.strip() == "/usr/bin/nc"
    hosts.down(first.name)
    second = fresh_host()
    assert second.ssh(f"dpkg-query --show {package}", check=False).returncode != 0
    planned = second.ssh(f"apt-get -qq update && apt-get install --yes --no-download {package}").stdout
    assert f"Setting up {package}" in planned


def test_unit_gets_65536_files_and_hardened_sandbox(host: Host) -> None:
    # A machine that lets not even root raise its limit can't give a host more than it has.
    raise_limit = "ulimit -n 65536 2>/dev/null || ulimit -n $(ulimit -Hn); ulimit -n"
    files = subprocess.run(["bash", "-c", raise_limit], capture_output=True, text=True, check=True).stdout.strip()
    hardening = (
        "NoNewPrivileges=yes ProtectSystem=strict ProtectHome=yes PrivateTmp=yes PrivateDevices=yes "
        "PrivateUsers=yes ProtectKernelTunables=yes ProtectControlGroups=yes ProtectProc=invisible "
        "RestrictNamespaces=yes SystemCallFilter=@system-service LimitNOFILE=65536"
    )
    properties = " ".join(f"--property={setting}" for setting in hardening.split())
    script = "ulimit -n; touch /usr/here 2>/dev/null || echo read-only"
    shown = host.ssh(f"systemd-run --quiet --wait --pipe {properties} sh -c '{script}'")
    assert shown.stdout.split() == [files, "read-only"]


def test_program_may_write_through_to_disk(host: Host) -> None:
    write = "import os; os.write(os.open('/root/synced', os.O_WRONLY | os.O_CREAT | os.O_DSYNC), b'x')"
    host.ssh(f'python3 -c "{write}"; rm /root/synced')


def test_reboot_keeps_host_and_starts_units(fresh_host: Callable[[], Host]) -> None:
    made = fresh_host()
    unit = "[Service]\nType=oneshot\nExecStart=touch /run/started\n[Install]\nWantedBy=multi-user.target\n"
    made.ssh("cat >/etc/systemd/system/mark.service; systemctl enable mark; echo kept >/root/file", stdin=unit)
    before = made.read("/proc/sys/kernel/random/boot_id")
    again = made.reboot()
    assert again == made
    assert again.read("/proc/sys/kernel/random/boot_id") != before
    assert again.read("/root/file") == "kept\n"
    assert again.exists("/run/started")


def test_two_hosts_side_by_side_do_not_touch_each_other(fresh_host: Callable[[], Host]) -> None:
    one, two = fresh_host(), fresh_host()
    for made in (one, two):
        made.ssh("systemd-run --quiet --unit=work sleep 600")
    one.ssh("systemctl stop work")
    assert two.ssh("systemctl is-active work").stdout.strip() == "active"
    one.destroy()
    assert two.ssh("systemctl is-active work; systemctl is-system-running").stdout.split() == ["active", "running"]
    (two.folder / "known_hosts").write_text(f"[{two.address}]:{two.ssh_port} {one.host_key}\n")
    with pytest.raises(CommandFailed, match="Host key verification failed"):
        two.ssh("true", user="deploy")


def test_up_uses_existing_host(host: Host) -> None:
    leader = host.leader
    again = hosts.up("test")
    assert (again, again.leader) == (host, leader)


def test_up_recovers_from_killed_and_incomplete_host(fresh_host: Callable[[], Host]) -> None:
    made = fresh_host()
    made.ssh("echo kept >/root/file; sync")
    os.kill(int((made.folder / "process").read_text().split()[0]), signal.SIGKILL)
    assert hosts.up(made.name).read("/root/file") == "kept\n"

    shutil.copy(made.folder / "host.json", made.folder / "host.part")
    (made.folder / "host.json").unlink()
    again = hosts.up(made.name)
    assert again.ssh("systemctl is-system-running").stdout.strip() == "running"
    assert not again.exists("/root/file")


def test_host_with_taken_port_gets_another(fresh_host: Callable[[], Host]) -> None:
    made = fresh_host()
    made.stop()
    with socket.create_server((made.address, made.ssh_port)):
        again = hosts.up(made.name)
        assert again.ssh_port != made.ssh_port
        assert again.ssh("hostname").stdout.strip() == made.name


def test_down_leaves_no_process_mount_file_or_listener(fresh_host: Callable[[], Host]) -> None:
    made = fresh_host()
    made.ssh("systemd-run --quiet sleep 600")
    assert _traces(made), "the traces that this test looks for are not those of a host"
    hosts.down(made.name)
    deadline = time.monotonic() + 60
    while _traces(made) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _traces(made) == []
    assert hosts.find(made.name) is None


def test_command_line_creates_and_removes_host() -> None:
    name = f"cli-{os.getpid()}"

    def sandbox(*arguments: str) -> str:
        command = ["setsid", "--wait", "nohup", sys.executable, "-m", "sandbox", *arguments]
        done = subprocess.run(
            command, cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        login = re.search(r"ssh -i .*", sandbox("host", "up", "--name", name))
        assert login
        said = subprocess.run([*login[0].split(), "hostname"], capture_output=True, text=True, check=True)
        assert said.stdout.strip() == name
        assert f"{name}: on" in sandbox("host", "status")
    finally:
        sandbox("host", "down", "--name", name)
    assert name not in sandbox("host", "status")


def test_name_that_cannot_be_host_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"host name '\.\./x': use small letters"):
        hosts.up("../x")


def _traces(made: Host) -> list[str]:
    """What of a host is on this machine: processes, mounts, cgroups, files, a listener."""
    found = [
        f"process {path.parent.name}"
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if f"--directory={made.root}" in _read(path) and _read(path.parent / "stat").split()[2:3] != ["Z"]
    ]
    found += [f"process {pid}" for path in _groups(made) for pid in _read(path / "cgroup.procs").split()]
    found += [f"cgroup {path}" for path in _groups(made)]
    found += [
        f"mount {line}" for line in _read(Path("/proc/self/mountinfo")).splitlines() if str(made.root) in line
    ]
    found += [f"file {path}" for path in Path("/run/systemd/nspawn/propagate").glob(f"{made.name}-*")]
    if made.folder.exists():
        found.append(f"file {made.folder}")
    with socket.socket() as probe:
        if probe.connect_ex((made.address, made.ssh_port)) == 0:
            found.append(f"listener {made.ssh_port}")
    return found


def _groups(made: Host) -> list[Path]:
    return [path for path in Path("/sys/fs/cgroup").glob(f"**/nexus-sandbox/{made.name}-*") if path.is_dir()]


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
