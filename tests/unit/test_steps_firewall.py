"""Which ports stay open in firewalld when registries hand them on, run by three shells."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.steps_shell import run

# firewalld over one folder for the ports that are open now and one for those of later starts.
FIREWALL_CMD = """#!/bin/sh
at=now
for word; do
    case $word in
        --permanent) at=permanent ;;
        --query-port=*) [ -e "{base}/$at/${{word#*=}}" ] || exit 1 ;;
        --add-port=*) mkdir -p "{base}/$at/${{word#*=}}" ;;
        --remove-port=*) rm -rf "{base}/$at/${{word#*=}}" ;;
    esac
done
"""
STUBS = """
PATH={base}:$PATH FACTS_ROOT={base}/facts arg_open_firewall=yes
put_file() {{ cat >"$1"; }}
unit() {{ FACTS=$FACTS_ROOT/$1; }}
provide() {{ provide_open_ports "$@" >/dev/null; }}
unit nexus
"""


SWAPPED = "provide a 5000; provide b 5001; provide a 5001; provide b 5000"
BY_HAND = "firewall-cmd --add-port=5000/tcp; firewall-cmd --permanent --add-port=5000/tcp"
CASES = {
    "renamed": ("provide team 5000; provide team-a 5000; close_ports team ''", ["5000"]),
    "renamed, removed": ("provide a 5000; provide b 5000; close_ports a ''; close_ports b ''", []),
    "swapped": (SWAPPED, ["5000", "5001"]),
    "swapped, removed": (f"{SWAPPED}; close_ports a ''", ["5000"]),
    "two servers": ("unit one; provide a 5000; unit two; provide a 5000; unit one; close_ports a ''", ["5000"]),
    "by hand": (f"{BY_HAND}; provide a 5000; close_ports a ''", ["5000"]),
    "other port": ("provide a 5000; provide b 15000; close_ports a ''", ["15000"]),
    "former unit": ("provide a 5000; save_fact firewall.former '5000 5002'; close_ports former ''", ["5000"]),
}


@pytest.mark.parametrize(("does", "left"), CASES.values(), ids=CASES)
def test_port_stays_open_while_one_needs_it(shell: list[str], tmp_path: Path, does: str, left: list[str]) -> None:
    program = tmp_path / "firewall-cmd"
    program.write_text(FIREWALL_CMD.format(base=tmp_path))
    program.chmod(0o755)
    said = run(shell, STUBS.format(base=tmp_path) + does, "port")
    opened = sorted(path.parent.name for path in tmp_path.glob("now/*/tcp"))
    assert opened == left, said
