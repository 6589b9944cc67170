"""The administrator's password on a real host with a played Nexus: a first start that fails, a change by hand."""

from __future__ import annotations

import threading

import pytest

from sandbox import host as hosts
from tests.host.steps import Store

from .test_host_histories import STEPS, VERSIONS, Program

pytestmark = pytest.mark.xdist_group("host-histories")


@pytest.fixture
def bare() -> Program:
    """On a host on which nothing of a former test is left."""
    made = Program(hosts.up("histories"), Store.make("keystore-1"), "", admin_password="a:d%m 'i\"n€ ")
    made.version = VERSIONS[0]
    made.clear()
    return made


@pytest.fixture
def program(bare: Program) -> Program:
    """It runs."""
    assert bare.up("create") == ""
    return bare


def test_failed_first_start_locks_nobody_out(bare: Program) -> None:
    bare.turn_to(bare.version)
    for step in STEPS[:-1]:
        bare.run(step)
    kill = "kill -9 $(systemctl show --value -p MainPID nexus)"
    seen = f"test -s {bare.data_dir}/db/nexus.mv.db"
    watch = f"for i in $(seq 3000); do if {seen}; then {kill}; exit; fi; sleep 0.02; done"
    killer = threading.Thread(target=lambda: bare.host.ssh(watch, check=False))
    killer.start()
    failed = bare.run("service", check=False)
    killer.join()
    assert failed.returncode == 1, failed.stdout
    assert bare.host.exists(f"{bare.data_dir}/admin.password")
    bare.run("service")
    assert bare.curl("kept").endswith(" 200")
    assert not bare.host.exists(f"{bare.data_dir}/admin.password")


def test_password_is_in_no_environment(program: Program) -> None:
    assert program.curl("kept").endswith(" 200")
    environment = program.host.ssh(f"tr '\\0' '\\n' </proc/{program.property('MainPID')}/environ").stdout
    assert program.admin_password not in environment
    assert "NEXUS_SECURITY_INITIAL_PASSWORD=" in environment
    assert program.property("LimitCORE") == "0"


def test_restart_keeps_password_changed_by_hand(program: Program) -> None:
    by_hand = "by hand: é"
    path = "service/rest/v1/security/users/admin/change-password"
    assert program.curl(path, "-X", "PUT", "-d", by_hand).endswith(" 204")
    assert "restarting" in program.run("service", "update", heap_mb=900).stdout
    assert program.curl("kept", password=by_hand).endswith(" 200")
