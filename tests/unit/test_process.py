"""The descendants of a process are found, also while they start and end."""

from __future__ import annotations

import os
import subprocess
import threading

from sandbox.process import Process


def test_child_of_other_thread_is_found() -> None:
    begun: list[subprocess.Popen[bytes]] = []
    thread = threading.Thread(target=lambda: begun.append(subprocess.Popen(["sleep", "60"])))
    thread.start()
    thread.join()
    try:
        assert begun[0].pid in [one.pid for one in Process.below(os.getpid())]
    finally:
        begun[0].kill()
        begun[0].wait()


def test_ended_process_has_no_children() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert Process.below(gone.pid) == []


def test_process_id_reused_by_thread_counts_as_ended() -> None:
    """The kernel gives ids of processes that ended to threads, and those have no handle."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert thread.native_id
        Process(thread.native_id, started=1).end(timeout=0)
        assert Process(thread.native_id, started=1).wait(0)
    finally:
        done.set()
        thread.join()
