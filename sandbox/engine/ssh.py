"""``command:remote:Command`` over the ``ssh`` client, with what the plugin does and says."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from .dynamic import Diff
from .state import Resource
from .values import UNKNOWN, EngineError, Props, plain, same

INPUTS = {"connection", "create", "update", "delete", "stdin", "logging", "addPreviousOutputInEnv", "environment"}
CONNECTION = {"host": "", "user": "root", "port": 22, "privateKey": "", "hostKey": ""}
CONNECTION |= {"dialErrorLimit": 10, "perDialTimeout": 15}


class RemoteCommand:
    """Runs create, update and delete on a host; any input changed is an update."""

    def __init__(self, progress: Callable[[str, str], None]) -> None:
        self._progress = progress

    def check(self, olds: Props, news: Props) -> tuple[Props, list[tuple[str, str]]]:  # noqa: ARG002
        connection = plain(news.get("connection"))
        known = connection if isinstance(connection, dict) else {"privateKey": ""}
        missing = sorted(news.keys() - INPUTS) + sorted(
            f"connection.{key}" for key in known.keys() - CONNECTION.keys()
        )
        failures = [(key.partition(".")[0], f"the sandbox engine doesn't have {key}") for key in missing]
        if "privateKey" not in known:
            failures.append(("connection", "the sandbox engine signs in with privateKey only"))
        return news, failures

    def diff(self, old: Resource, news: Props) -> Diff:
        return Diff(not same(old.inputs, news))

    def preview(self, goal: Resource) -> Props:
        return goal.inputs | {"stdout": UNKNOWN, "stderr": UNKNOWN}

    def create(self, goal: Resource) -> tuple[str, Props]:
        return goal.name + secrets.token_hex(4), self._run(goal, goal.inputs, "create", {})

    def update(self, old: Resource, goal: Resource) -> Props:
        return self._run(goal, goal.inputs, "update" if "update" in goal.inputs else "create", old.outputs)

    def read(self, old: Resource) -> tuple[str, Props, Props]:
        return old.id, old.outputs, old.inputs

    def delete(self, old: Resource) -> None:
        self._run(old, {key: value for key, value in old.outputs.items() if key in INPUTS}, "delete", old.outputs)

    def _run(self, resource: Resource, inputs: Props, verb: str, before: Props) -> Props:
        """Run one of the scripts; the outputs are the inputs and what it printed (or what was, without a script)."""
        props, printed = plain(inputs), {key: plain(before.get(key, "")) for key in ("stdout", "stderr")}
        if verb not in props:
            return inputs | printed
        connection = CONNECTION | props["connection"]
        environment = dict(props.get("environment", {}))
        if (
            environment
            and self._ssh(resource.name, connection, f"printenv {' '.join(environment)}", environment)[0]
        ):
            raise EngineError(f"could not set environment variables: the host refuses {' or '.join(environment)}")
        if props.get("addPreviousOutputInEnv", True):
            environment |= {f"PULUMI_COMMAND_{key.upper()}": text for key, text in printed.items() if text}
        shown = {"NONE": (), "STDOUT": ("stdout",), "STDERR": ("stderr",)}.get(
            props.get("logging", ""), tuple(printed)
        )
        stdin = props.get("stdin", "")
        status, texts = self._ssh(resource.name, connection, props[verb], environment, stdin, shown)
        if status:
            command = json.dumps(props[verb], ensure_ascii=False)
            raise EngineError(f"Process exited with status {status}: running {command}:\n{''.join(texts['both'])}")
        return inputs | {key: "".join(texts[key]).removesuffix("\n") for key in printed}

    def _ssh(
        self,
        name: str,
        connection: Props,
        command: str,
        environment: dict[str, str],
        stdin: str = "",
        shown: tuple[str, ...] = (),
    ) -> tuple[int, dict[str, list[str]]]:
        """Dial as often as the connection allows, and run one command."""
        limit, tries = connection["dialErrorLimit"], 0
        while True:
            with tempfile.TemporaryDirectory(prefix="sandbox-ssh-") as folder:
                argv = [*_client(connection, Path(folder), environment), command]
                texts: dict[str, list[str]] = {"stdout": [], "stderr": [], "both": []}

                def listen(key: str, pipe: IO[bytes], texts: dict[str, list[str]] = texts) -> None:
                    for line in pipe:
                        text = line.decode(errors="replace")
                        texts[key].append(text)
                        texts["both"].append(text)
                        if key in shown:
                            self._progress(name, text)

                pipe, env = subprocess.PIPE, os.environ | environment
                with (
                    subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, env=env) as process,
                    ThreadPoolExecutor(2) as ears,
                    contextlib.suppress(BrokenPipeError),
                ):
                    ears.submit(listen, "stdout", process.stdout)
                    ears.submit(listen, "stderr", process.stderr)
                    if process.stdin:
                        process.stdin.write(stdin.encode())
                        process.stdin.close()
                if process.returncode != 255 or not Path(folder, "key").exists():
                    return process.returncode, texts
            tries += 1
            if -1 < limit < tries:
                raise EngineError(f"after {tries - 1} failed attempts: {''.join(texts['stderr']).strip()}")
            self._progress(name, f"Dial {tries}/{'inf' if limit < 0 else limit} failed: retrying")
            time.sleep(min(0.1 * 1.5 ** (tries - 1), 5))


def _client(connection: Props, folder: Path, environment: dict[str, str]) -> list[str]:
    """The command line. The key's file goes as soon as it has signed in, which also tells that it has."""
    key, hosts, host_key = folder / "key", folder / "hosts", connection["hostKey"]
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(connection["privateKey"].rstrip("\n") + "\n")
    hosts.write_text(f"host {host_key}\n" if host_key else "")
    options = {"UserKnownHostsFile": hosts, "GlobalKnownHostsFile": "/dev/null", "HostKeyAlias": "host"}
    options |= {"StrictHostKeyChecking": "yes" if host_key else "no", "BatchMode": "yes", "IdentitiesOnly": "yes"}
    options |= {"PermitLocalCommand": "yes", "LocalCommand": f"rm -f {key}", "LogLevel": "ERROR"}
    if host_key:
        kind = host_key.split()[0]
        options["HostKeyAlgorithms"] = "rsa-sha2-512,rsa-sha2-256" if kind == "ssh-rsa" else kind
    if connection["perDialTimeout"]:
        options["ConnectTimeout"] = int(connection["perDialTimeout"])
    if environment:
        options["SendEnv"] = " ".join(environment)
    login = [f"-p{int(connection['port'])}", f"-l{connection['user']}", "--", connection["host"]]
    return ["ssh", "-F/dev/null", f"-i{key}", *(f"-o{name}={value}" for name, value in options.items()), *login]
