"""``command:remote:Command`` over the ``ssh`` client."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from .dynamic import Diff
from .report import Report
from .state import Resource
from .values import UNKNOWN, EngineError, Props, plain, same

INPUTS = {"connection", "create", "update", "delete", "stdin", "logging", "addPreviousOutputInEnv", "environment"}
CONNECTION = {"host": None, "user": "root", "port": 22, "privateKey": None, "hostKey": None} | {
    "dialErrorLimit": 10,
    "perDialTimeout": 15,
}
"""What of a connection is understood, and the defaults."""


class RemoteCommand:
    """Runs create, update and delete on a host; any other input changed is an update, as with the plugin."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def check(self, goal: Resource, olds: Props, news: Props) -> tuple[Props, list[tuple[str, str]]]:
        connection = plain(news.get("connection"))
        unknown = sorted(news.keys() - INPUTS)
        failures = [(key, "the sandbox engine doesn't have this input") for key in unknown]
        if isinstance(connection, dict):
            unknown = sorted(connection.keys() - CONNECTION.keys())
            failures += [("connection", f"the sandbox engine doesn't have its field {key}") for key in unknown]
            if "privateKey" not in connection:
                failures.append(("connection", "the sandbox engine signs in with privateKey only"))
        return news, failures

    def diff(self, old: Resource, news: Props) -> Diff:
        return Diff(not same(old.inputs, news))

    def preview(self, goal: Resource, old: Resource | None) -> Props:
        return goal.inputs | {"stdout": UNKNOWN, "stderr": UNKNOWN}

    def create(self, goal: Resource) -> tuple[str, Props]:
        return goal.name + secrets.token_hex(4), self._run(goal, goal.inputs, "create", {})

    def update(self, old: Resource, goal: Resource) -> Props:
        return self._run(goal, goal.inputs, "update" if "update" in goal.inputs else "create", old.outputs)

    def read(self, old: Resource) -> tuple[str, Props, Props | None]:
        return old.id, old.outputs, None

    def delete(self, old: Resource) -> None:
        self._run(old, old.outputs, "delete", old.outputs)

    def _run(self, resource: Resource, inputs: Props, verb: str, before: Props) -> Props:
        """Run one script; the outputs are the inputs and what it printed (before, if there is nothing to run)."""
        props, printed = plain(inputs), {key: before.get(key, "") for key in ("stdout", "stderr")}
        command = props.get(verb)
        if command is None:
            return inputs | printed
        connection = CONNECTION | props["connection"]
        environment = dict(props.get("environment") or {})
        if environment and self._ssh(resource, connection, f"printenv {' '.join(environment)}", environment)[0]:
            raise EngineError(f"could not set environment variables {sorted(environment)}: the host accepts them not")
        if props.get("addPreviousOutputInEnv", True):
            environment |= {f"PULUMI_COMMAND_{name.upper()}": plain(text) for name, text in printed.items() if text}
        wanted = {"NONE": (), "STDOUT": ("stdout",), "STDERR": ("stderr",)}.get(props.get("logging"), tuple(printed))
        status, out, err, both = self._ssh(resource, connection, command, environment, props.get("stdin"), wanted)
        if status:
            quoted = json.dumps(command, ensure_ascii=False)
            raise EngineError(f"Process exited with status {status}: running {quoted}:\n{both}")
        return inputs | {"stdout": out.removesuffix("\n"), "stderr": err.removesuffix("\n")}

    def _ssh(
        self,
        resource: Resource,
        connection: Props,
        command: str,
        environment: dict[str, str],
        stdin: str | None = None,
        wanted: tuple[str, ...] = (),
    ) -> tuple[int, str, str, str]:
        """Dial as often as the connection allows and run one command; status, output, errors, both interleaved."""
        limit, tries = connection["dialErrorLimit"], 0
        while True:
            with tempfile.TemporaryDirectory(prefix="sandbox-ssh-") as folder:
                argv = [*_client(connection, Path(folder), environment), command]
                texts: dict[str, list[str]] = {"stdout": [], "stderr": [], "both": []}
                process = subprocess.Popen(
                    argv,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=os.environ | environment,
                )

                def listen(name: str, pipe: IO[bytes], texts: dict[str, list[str]] = texts) -> None:
                    for line in pipe:
                        text = line.decode(errors="replace")
                        texts[name].append(text)
                        texts["both"].append(text)
                        if name in wanted:
                            self._report.progress(resource.name, text)

                assert process.stdin and process.stdout and process.stderr
                with ThreadPoolExecutor(2) as ears, contextlib.suppress(BrokenPipeError):
                    ears.submit(listen, "stdout", process.stdout)
                    ears.submit(listen, "stderr", process.stderr)
                    process.stdin.write((stdin or "").encode())
                    process.stdin.close()
                status = process.wait()
                out, err, both = ("".join(texts[name]) for name in ("stdout", "stderr", "both"))
                if status != 255 or not Path(folder, "key").exists():
                    return status, out, err, both
            tries += 1
            if -1 < limit < tries:
                raise EngineError(f"after {tries - 1} failed attempts: {err.strip()}")
            self._report.progress(resource.name, f"Dial {tries}/{'inf' if limit < 0 else limit} failed: retrying")
            time.sleep(min(0.1 * 1.5 ** (tries - 1), 5))


def _client(connection: Props, folder: Path, environment: dict[str, str]) -> list[str]:
    """The ``ssh`` command line. The key's file goes as soon as it has signed in, which also tells that it has."""
    key, hosts = folder / "key", folder / "hosts"
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(connection["privateKey"].rstrip("\n") + "\n")
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": str(int(connection["perDialTimeout"])),
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": "host",
        "IdentitiesOnly": "yes",
        "LocalCommand": f"rm -f {key}",
        "LogLevel": "ERROR",
        "PermitLocalCommand": "yes",
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": "/dev/null",
    }
    if connection["hostKey"]:
        hosts.write_text(f"host {connection['hostKey']}\n")
        kind = connection["hostKey"].split()[0]
        kinds = f"rsa-sha2-512,rsa-sha2-256,{kind}" if kind == "ssh-rsa" else kind
        options |= {"UserKnownHostsFile": str(hosts), "StrictHostKeyChecking": "yes", "HostKeyAlgorithms": kinds}
    if environment:
        options["SendEnv"] = " ".join(environment)
    flags = [f"-o{name}={value}" for name, value in options.items() if value != "0"]
    login = [f"-p{int(connection['port'])}", f"-l{connection['user']}", "--", connection["host"]]
    return ["ssh", "-F/dev/null", f"-i{key}", *flags, *login]
