"""`nexus-registry doctor` reads the state that an engine keeps, by itself or through a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from nexus_registry.components.host import sent, steps

from sandbox.stack import PulumiStack

from .test_remote import command

if TYPE_CHECKING:
    from .conftest import TinyStack
    from .sshd import Sshd

STEP = sent.record("account", len("sh -s -- "), 0) + 'step() { echo "$1"; }\nstep "$@" </dev/null\n'
REMEDY = ". Set nexus-registry:repair to a new value and run pulumi up.\n"


def test_doctor_examines_step_over_its_connection(lab: TinyStack, sshd: Sshd) -> None:
    flags = {"unit": "doctored", "user": "nobody-here", "group": "nobody-here", "data_dir": "/srv/not here"}
    lab.commands(command(sshd, create=steps.command("create", flags), stdin=STEP))
    up = lab.stack.up()
    assert up.ok, up
    doctor, env, given = [sys.executable, "-m", "nexus_registry.cli", "doctor", "--host"], dict(os.environ), ""
    if isinstance(lab.stack, PulumiStack):
        doctor, env = [*doctor, "--stack", "dev"], lab.stack._environment(None)
    else:
        doctor, given = [*doctor, "--state", "-"], json.dumps(lab.stack.export())
    done = subprocess.run(
        doctor, input=given, cwd=lab.stack.config_file.parent, env=env, capture_output=True, text=True, check=False
    )
    missing = ("the group nobody-here", "the user nobody-here", "the data directory /srv/not here")
    assert done.stdout == "".join(f"127.0.0.1: {what} is missing{REMEDY}" for what in missing), done.stderr
    assert done.returncode == 1
