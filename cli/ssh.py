"""Runs a command on a host with the OpenSSH client, with a connection as a stack keeps it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LIMIT = 180.0


class NoConnection(Exception):
    """The host can't be reached. The text names the argument, the reason and the remedy."""


def run(connection: Mapping[str, Any], command: str, stdin: str) -> subprocess.CompletedProcess[str]:
    """Run a command on the host, for three minutes at most; status 255 is the client's own.

    The host's identity is always checked: against ``hostKey`` or, without one, this user's known hosts. The
    private key, as it is in the state, lies in a file for its owner only, until it has signed in.
    """
    given = {key: value for key, value in connection.items() if value not in (None, "")}
    for key, why in (("password", "sign in with a password"), ("proxy", "go through a proxy")):
        if key in given:
            raise NoConnection(
                f"ssh.{key}: this command can't {why}. Use a private key, from a machine that reaches it"
            )
    with tempfile.TemporaryDirectory(prefix="nexus-registry-") as folder:
        client, env = _client(given, Path(folder))
        try:
            return subprocess.run(
                [*client, command],
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
                timeout=_LIMIT,
                env=os.environ | env,
                cwd=folder,
            )
        except subprocess.TimeoutExpired:
            raise NoConnection(
                f"ssh.host: {given['host']} did not complete its response within {_LIMIT:.0f} s. Run again"
            ) from None
        except FileNotFoundError:
            raise NoConnection("ssh: the OpenSSH client is missing on this machine. Install it") from None


def _client(given: Mapping[str, Any], folder: Path) -> tuple[list[str], dict[str, str]]:
    """The command line and what the environment needs, with their files in ``folder``, where the client runs: it
    would read blanks, quotes and ``%`` in a path of theirs as something else."""
    env = {"SSH_AUTH_SOCK": str(Path(given["agentSocketPath"]).absolute())} if "agentSocketPath" in given else {}
    options: dict[str, object] = {"StrictHostKeyChecking": "yes", "PreferredAuthentications": "publickey"}
    options |= {"LogLevel": "ERROR", "ConnectTimeout": 15, "ServerAliveInterval": 15, "ServerAliveCountMax": 3}
    options["BatchMode"] = "no" if "privateKeyPassword" in given else "yes"
    if host_key := given.get("hostKey"):
        _write(folder / "hosts", f"host {host_key}\n")
        kind = host_key.partition(" ")[0]
        options |= {"UserKnownHostsFile": "hosts", "GlobalKnownHostsFile": "/dev/null"}
        options |= {
            "HostKeyAlias": "host",
            "HostKeyAlgorithms": kind.replace("ssh-rsa", "rsa-sha2-512,rsa-sha2-256"),
        }
    if "privateKey" in given:
        key, answer = folder / "key", folder / "answer"
        # OpenSSH refuses a key with empty lines before it, or with the line ends of Windows.
        _write(key, "\n".join(given["privateKey"].strip().splitlines()) + "\n")
        options |= {"IdentityFile": "key", "IdentitiesOnly": "yes", "PermitLocalCommand": "yes"}
        options["LocalCommand"] = "rm -f key answer"
        if "privateKeyPassword" in given:  # the client reads it from a program, never from the command line
            _write(answer, given["privateKeyPassword"] + "\n")
            _write(folder / "ask", "#!/bin/sh\ncat answer\n", mode=0o700)
            env |= {"SSH_ASKPASS": "./ask", "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":"}
    login = [f"-p{int(given.get('port', 22))}", f"-l{given.get('user', 'root')}", "--", str(given["host"])]
    return ["ssh", "-F/dev/null", *(f"-o{name}={value}" for name, value in options.items()), *login], env


def _write(path: Path, content: str, mode: int = 0o600) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(content)
