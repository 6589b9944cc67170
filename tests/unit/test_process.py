"""What runs below a process is found, also while it comes and goes."""

from __future__ import annotations

import os
import subprocess
import threading

from sandbox.process import Process


def test_a_child_that_another_thread_began_is_found() -> None:
    begun: list[subprocess.Popen[bytes]] = []
    thread = threading.Thread(target=lambda: begun.append(subprocess.Popen(["sleep", "60"])))
    thread.start()
    thread.join()
    try:
        assert begun[0].pid in [one.pid for one in Process.below(os.getpid())]
    finally:
        begun[0].kill()
        begun[0].wait()


def test_a_process_that_is_gone_has_nothing_below_it() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert Process.below(gone.pid) == []
