"""``command:remote:Command`` over the ``ssh`` client: what the command plugin is to the CLI, to our engine.

It does and says what the plugin does. Not here, and refused: triggers, passwords, key passwords, agents, proxies.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from .values import UNKNOWN, Props, UserError, plain, same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .engine.state import Resource

INPUTS = {"connection", "create", "update", "delete", "stdin", "logging", "addPreviousOutputInEnv", "environment"}
CONNECTION = {"user": "root", "port": 22, "hostKey": "", "dialErrorLimit": 10, "perDialTimeout": 15}
PRINTED = ("stdout", "stderr")
Said = list[tuple[str, str]]
"""Lines, each with the stream that it came on."""


class RemoteCommand:
    """Runs create, update and delete on a host, doing and saying what the plugin does; any change is an update."""

    def __init__(self, say: Callable[[str], str]) -> None:
        self._say = say

    def check(
        self, _goal: Resource, _olds: Props, news: Props, _seed: bytes
    ) -> tuple[Props, list[tuple[str, str]]]:
        """The inputs, and what is wrong with them."""
        connection = plain(news["connection"])
        fields = _given(connection).keys() if isinstance(connection, dict) else {"privateKey"}
        wrong = {*(news.keys() - INPUTS), *(fields - CONNECTION.keys() - {"host", "privateKey"})}
        wrong |= {"connection without privateKey"} - {f"connection without {key}" for key in fields}
        return news, [("", f"the sandbox engine doesn't have {key}") for key in sorted(wrong)]

    def diff(self, _urn: str, old: Resource, news: Props) -> tuple[bool, bool, bool]:
        """Changed, to be replaced, to be deleted first."""
        return not same(old.inputs, news), False, False

    def preview(self, goal: Resource) -> Props:
        """The outputs, as far as they can be known."""
        return goal.inputs | dict.fromkeys(PRINTED, UNKNOWN)

    def read(self, _: Resource) -> bool:
        """A command has no read."""
        return True

    def apply(self, kind: str, old: Resource, goal: Resource) -> None:
        """Run one of the scripts; the outputs are the inputs and what it printed (without a script, what was)."""
        before = {} if kind == "create" else old.outputs
        props, printed = plain(goal.inputs), {key: plain(before.get(key, "")) for key in PRINTED}
        verb = "create" if kind == "update" and "update" not in props else kind
        goal.id, goal.outputs = goal.id or goal.name + secrets.token_hex(4), goal.inputs | printed
        if verb not in props:
            return
        env = dict(props.get("environment", {}))
        if env and self._ssh(goal.name, props | {"logging": "NONE"}, f"printenv {' '.join(env)}", env, "")[0]:
            raise UserError(f"could not set environment variable {' or '.join(env)}: the host refuses it")
        if props.get("addPreviousOutputInEnv", True):
            env |= {f"PULUMI_COMMAND_{key.upper()}": text for key, text in printed.items() if text}
        status, said = self._ssh(goal.name, props, props[verb], env, props.get("stdin", ""))
        if status:
            command, text = json.dumps(props[verb], ensure_ascii=False), "".join(line for _, line in said)
            raise UserError(f"Process exited with status {status}: running {command}:\n{text}")
        for key in PRINTED:
            goal.outputs[key] = "".join(line for on, line in said if on == key).removesuffix("\n")

    def _ssh(self, name: str, props: Props, command: str, env: dict[str, str], stdin: str) -> tuple[int, Said]:
        """Dial as often as the connection allows and run one command; its status, and what it said."""
        connection = CONNECTION | _given(props["connection"])
        for tries in itertools.count():
            said: Said = []

            def listen(key: str, lines: Iterable[bytes], said: Said = said) -> None:
                for line in lines:
                    said.append((key, text := line.decode(errors="replace")))
                    if key.upper() in props.get("logging", "STDOUT_AND_STDERR"):
                        self._say(f"      {name} | {text}")

            with tempfile.TemporaryDirectory(prefix="sandbox-ssh-") as folder, ThreadPoolExecutor() as ears:
                argv, pipe = [*_client(connection, Path(folder), env), command], subprocess.PIPE
                ssh = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, env=os.environ | env)
                if ssh.stdin and ssh.stdout and ssh.stderr:
                    ears.submit(listen, "stdout", ssh.stdout)
                    ears.submit(listen, "stderr", ssh.stderr)
                    with contextlib.suppress(BrokenPipeError), ssh.stdin:
                        ssh.stdin.write(stdin.encode())
                if ssh.wait() != 255 or not Path(folder, "key").exists():
                    break
            if tries == connection["dialErrorLimit"]:
                raise UserError(f"after {tries} failed attempts: {said[-1][1] if said else ''}")
            time.sleep(min(0.1 * 1.5**tries, 5))
        return ssh.returncode, said


def _client(connection: Props, folder: Path, env: Iterable[str]) -> list[str]:
    """The command line. The key's file goes as soon as it has signed in, which also tells that it has."""
    key, hosts, host_key = folder / "key", folder / "hosts", connection["hostKey"]
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(connection["privateKey"].rstrip("\n") + "\n")
    hosts.write_text(f"host {host_key}\n" if host_key else "")
    options = {"UserKnownHostsFile": hosts, "GlobalKnownHostsFile": "/dev/null", "HostKeyAlias": "host"}
    options |= {"StrictHostKeyChecking": "yes" if host_key else "no", "BatchMode": "yes", "IdentitiesOnly": "yes"}
    options |= {"PermitLocalCommand": "yes", "LocalCommand": f"rm -f {key}", "LogLevel": "ERROR"}
    options |= {"ConnectTimeout": int(connection["perDialTimeout"]) or "none", "SendEnv": " ".join(env) or "-*"}
    if kind := host_key.partition(" ")[0]:
        options["HostKeyAlgorithms"] = "rsa-sha2-512,rsa-sha2-256" if kind == "ssh-rsa" else kind
    login = [f"-p{int(connection['port'])}", f"-l{connection['user']}", "--", connection["host"]]
    return ["ssh", "-F/dev/null", f"-i{key}", *(f"-o{name}={value}" for name, value in options.items()), *login]


def _given(props: Props) -> Props:
    return {key: value for key, value in props.items() if value is not None}
