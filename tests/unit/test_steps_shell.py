"""What the shared functions of the host steps do, each run by three shells."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nexus_registry.components.host import steps

from tests.unit.steps_shell import SHELLS, parsed, run


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("--hep-mb 5", "unknown flag --hep-mb"),
        ("oops", "unexpected argument 'oops'"),
        ("--address", "--address requires a value"),
        ("--unit ../x", "unit: '../x' may hold only letters, digits"),
        ("--heap-mb ''", "heap_mb: is required"),
    ],
)
def test_flags_are_refused_by_name(shell: list[str], extra: str, said: str) -> None:
    assert said in run(shell, parsed(extra))


def test_repeated_flags_are_kept_apart(shell: list[str]) -> None:
    body = parsed("--property 'a=b c' --property d=e", 'printf "%s" "$arg_property"')
    assert run(shell, body) == "a=b c\nd=e"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/usr/local", "belongs to the system"),
        ("/var/lib/nexus-registry", "is for the records of these steps"),
        ("/var/lib/nexus-registry/data", "is for the records of these steps"),
        ("/", "has an empty part"),
        ("relative", "is not an absolute path"),
        ("/srv/../etc/x", "has an empty part"),
        ("/srv/a b", "may hold only letters"),
        ("/srv/x/", "has an empty part"),
    ],
)
def test_dangerous_paths_are_refused(shell: list[str], path: str, said: str) -> None:
    assert said in run(shell, f"check_path data_dir '{path}'")
    assert run(shell, "check_path data_dir /srv/nexus-3.71_data+1; echo fine") == "fine\n"


def test_versions_compare_as_numbers(shell: list[str]) -> None:
    assert run(shell, "version_number 3.100.2-01") == "3100002"
    assert run(shell, "check_version latest").startswith("version: must be a full Nexus 3 version")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
@settings(max_examples=30, deadline=None)
def test_secrets_are_masked_in_output(secret: str) -> None:
    body = 'printf "%s\\n" "·${ADMIN_PASSWORD}·${ADMIN_PASSWORD}·" | redact'
    secrets = {"ADMIN_PASSWORD": secret, "KEYSTORE_PASSWORD": ""}
    assert run(SHELLS["dash"], body, secrets=secrets) == "·***·***·\n"


@pytest.mark.parametrize(
    ("mine", "other", "meet"),
    [
        ("127.0.0.1", "0.0.0.0", True),  # noqa: S104
        ("127.0.0.1", "*", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("::1", "[::1]", True),
        ("10.0.0.1", "[::]", True),
        ("127.0.0.1", "[::ffff:127.0.0.1]", True),
        ("127.0.0.1", "[::ffff:127.0.0.2]", False),
        ("127.0.0.1", "[::FFFF:0.0.0.0]", True),
        ("127.0.0.53", "127.0.0.53%lo", True),
        ("0:0:0:0:0:0:0:1", "[::1]", True),
        ("localhost", "127.0.0.1", True),
    ],
)
def test_only_listeners_on_same_address_conflict(shell: list[str], mine: str, other: str, meet: bool) -> None:
    body = f"if addresses_conflict '{other}' '{mine}'; then echo meet; fi"
    assert run(shell, body) == ("meet\n" if meet else "")


@pytest.mark.parametrize(("address", "said"), [("", "is in use"), ("--address 10.0.0.5", "can be used")])
def test_registry_port_is_checked_at_address_of_server(shell: list[str], address: str, said: str) -> None:
    body = f"""listeners() {{ echo 127.0.0.1 nginx -; }}
take_lock() {{ :; }}
provide_open_ports() {{ :; }}
step create --unit nexus --https-port 5000 {address}"""
    assert f"5000 {said}" in run(shell, body, "port")


@pytest.mark.parametrize(
    ("family", "major", "packages"),
    [
        ("debian", 17, "openjdk-17-jre-headless"),
        ("redhat", 17, "java-17-openjdk-headless java-17-amazon-corretto-headless"),
        ("redhat", 8, "java-1.8.0-openjdk-headless java-1.8.0-amazon-corretto"),
    ],
)
def test_each_system_has_its_own_names_for_java(shell: list[str], family: str, major: int, packages: str) -> None:
    assert run(shell, f"os_family={family}; java_packages {major}", "prepare") == packages


OS_RELEASE = {
    "centos": ("centos", "rhel fedora", "yum"),
    "rocky": ("rocky", "rhel centos fedora", "dnf"),
    "amzn": ("amzn", "fedora", "dnf"),
    "ubuntu": ("ubuntu", "debian", "apt-get"),
}


@pytest.mark.parametrize(("name", "like", "packager"), OS_RELEASE.values(), ids=OS_RELEASE)
def test_package_manager_follows_system(
    shell: list[str], tmp_path: Path, name: str, like: str, packager: str
) -> None:
    fake = tmp_path / packager
    fake.write_text(f'#!/bin/sh\necho {packager} "$@"\n')
    fake.chmod(0o755)
    release = f"os_release() {{ case $1 in ID) echo {name} ;; ID_LIKE) echo '{like}' ;; *) echo Fake ;; esac; }}\n"
    body = release + f"PATH={tmp_path}:/usr/bin:/bin\nfind_packager; echo $packager; refresh_packages() {{ :; }}"
    assert run(shell, body, "prepare") == f"{packager}\n"


def test_another_system_is_refused_by_name(shell: list[str]) -> None:
    body = "os_release() { case $1 in PRETTY_NAME) echo 'Alpine Linux v3.20' ;; *) echo alpine ;; esac; }; "
    body += "find_packager"
    assert "host: 'Alpine Linux v3.20' is not supported" in run(shell, body, "prepare")


def test_holder_of_package_lock_is_named(shell: list[str], tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    holder = "import fcntl,sys,time;f=open(sys.argv[1],'w');fcntl.lockf(f,2);print(flush=True);time.sleep(60)"
    with subprocess.Popen(["python3", "-c", holder, lock], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        assert run(shell, f"lock_owner {lock}", "prepare") == f"python3 (pid {process.pid})"
        process.kill()
    assert run(shell, f"lock_owner {lock}", "prepare") == ""


def test_wait_for_packager_ends_after_five_minutes_of_uptime(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "uptime").write_text("0\n")
    body = f"""cd {tmp_path}
uptime_seconds() {{ read -r now <uptime; echo $((now + 100)) >uptime; echo $now; }}
sleep() {{ :; }}
lock_owner() {{ echo 'dpkg (pid 7)'; }}
wait_for_packager x
"""
    *waits, said = run(shell, body, "prepare").splitlines()
    assert waits == ["waiting for another package manager: dpkg (pid 7)"] * 2
    assert said.startswith("host: dpkg (pid 7) has held the package manager's lock for 5 minutes")


def test_clock_jump_ends_no_program(shell: list[str], tmp_path: Path) -> None:
    jump = f"if [ -f {tmp_path}/jumped ]; then echo 9999999999; else : >{tmp_path}/jumped; echo 1; fi"
    body = f"temp_dir={tmp_path}; date() {{ {jump}; }}; run_with_progress 'sleeping' 600 sleep 0.5; uptime_seconds"
    assert run(shell, body).isdigit()


def test_flag_in_octal_digits_is_read(shell: list[str]) -> None:
    line = steps.command("create", {"property": ["a=C:\\x!'é\\"]})
    word = line.split()[-1]
    assert "--property:octal" in line
    assert run(shell, parsed(f"--property:octal {word}", 'printf "%s" "$arg_property"')) == "a=C:\\x!'é\\"
