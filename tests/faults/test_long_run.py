"""Fifty ``up``s in a row with small changes: memory, files and state do not grow."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.faults.report import record

from ..contract.consumer import consumer_stack
from ..peak import Peak
from .faulty_server import FaultyServer

RUNS = 50


@pytest.mark.full_faults
def test_fifty_ups_leak_no_memory_files_or_state(faulty: FaultyServer, tmp_path: Path) -> None:
    stack = consumer_stack(faulty.nexus, tmp_path)
    sizes, peaks = [], []
    with faulty.api.licensed():
        try:
            assert (made := stack.up()).ok, made.error
            for number in range(1, RUNS + 1):
                stack.set_config("ci_password", f"changed-{number}", secret=True)
                with Peak(stack) as peak:
                    result = stack.up()
                assert result.ok, result.error
                assert result.changes["update"] == 2  # the user and the proof
                sizes.append(stack.state_file.stat().st_size)
                peaks.append(peak)
        finally:
            stack.destroy()
    early, late = slice(0, 5), slice(-5, None)
    assert max(sizes[late]) <= max(sizes[early]) * 1.02
    assert max(one.files for one in peaks[late]) <= max(one.files for one in peaks[early]) + 2
    most = max(one.memory_kb for one in peaks) // 1024
    assert 0 < most < 150
    assert max(one.memory_kb for one in peaks[late]) <= max(one.memory_kb for one in peaks[early]) * 1.1
    record(
        lane="engine",
        subject=f"{RUNS} ups in a row, a password changed in each",
        operation="long run",
        fault=f"{type(stack).__name__.removesuffix('Stack').lower()} engine",
        first=f"provider {most} MB, {max(one.files for one in peaks)} files at most; state {sizes[0]} bytes",
        second=f"{peaks[-1].memory_kb // 1024} MB, {peaks[-1].files} files, {sizes[-1]} bytes in the last",
    )
