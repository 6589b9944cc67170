"""``nexus-registry init``: writes the configuration of a new stack, from flags or by questions."""

from __future__ import annotations

import argparse
import asyncio
import base64
import getpass
import hashlib
import json
import os
import re
import secrets
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from string import whitespace
from typing import Any

import pulumi
import yaml

from ..components.registry import address
from ..components.settings import SECRETS, Settings, load, password_path
from ..providers.compat import licence_reason
from .command import DONE, CommandError
from .stack_file import StackFile, as_text

HELP = "write the configuration of a new stack"
DESCRIPTION = (
    "Write the configuration of a new stack: ask for what no flag gives, fetch and show the host key, generate "
    "the passwords, and validate everything first. Values in a Pulumi.STACK.yaml that exists are kept where no "
    "answer replaces them. Run it in the project folder. Exit status: 0 written, 2 refused."
)
PROJECT = "nexus-registry"
_BEST_FIRST = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")
_SCAN_LIMIT = 30.0
_REPLACED = ("certificate_path", "private_key_path", "chain")
"""Keys that init never leaves as the file has them: they belong to the certificate, which it asks for."""
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


@dataclass(frozen=True)
class Question:
    """One question to a person, and the flag that answers it."""

    name: str
    text: str
    default: str = ""

    @property
    def flag(self) -> str:
        return f"--{self.name.replace('_', '-')}"


QUESTIONS = (
    Question("stack", "Name of the stack, one for each environment", "prod"),
    Question("ssh_host", "Address of the host"),
    Question("ssh_private_key", "File with the private key of the SSH user", "~/.ssh/id_ed25519"),
    Question("version", "Version of Nexus with its build, such as 3.76.1-01"),
    Question("archive_sha256", "SHA-256 of the archive of that version, from the vendor"),
    Question("certificate", "File with the certificate of the host's name in PEM, with its intermediates"),
    Question("private_key", "File with the private key of the certificate in PEM"),
    Question("pushers", "Users who may push and pull, separated by commas", "ci"),
)
"""Two more may follow: whether the host key is the right one, and the passphrase of the secrets."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags, one for each question."""
    for question in QUESTIONS:
        default = f" (default: {question.default})" if question.default else ""
        parser.add_argument(question.flag, metavar="VALUE", help=question.text + default)
    parser.add_argument(
        "--ssh-host-key", metavar="KEY", help="public key of the host, such as 'ssh-ed25519 AAAA…'"
    )
    parser.add_argument(
        "--ssh-user", metavar="USER", help="root, or a user with sudo without a password (default: root)"
    )
    parser.add_argument("--ssh-port", metavar="PORT", help="port of the SSH server (default: 22)")
    parser.add_argument(
        "--accept-eula", action="store_true", help="accept the licence of the Community Edition (3.77 and newer)"
    )
    parser.add_argument("--no-input", action="store_true", help="ask nothing: use flags and defaults")


def run(
    options: argparse.Namespace,
    *,
    execute: Run = subprocess.run,
    ask: Callable[[str], str] = input,
    ask_secret: Callable[[str], str] = getpass.getpass,
) -> int:
    """Write the configuration of a new stack, and return the exit status.

    Args:
        options: the flags.
        execute: runs ``pulumi`` and ``ssh-keyscan``.
        ask: shows a text and returns what the person types.
        ask_secret: the same, without showing what is typed.

    Raises:
        CommandError: an answer is refused; nothing was written.
    """
    _require_project()
    stack = _answer(QUESTIONS[0], options, ask)
    file = StackFile(stack, PROJECT)
    _require_readable(file, stack)
    answers = _answers(options, ask, file)
    port = options.ssh_port or file.text("ssh_port") or "22"
    given = options.ssh_host_key
    host_key = _host_key(given) if given else _confirmed_host_key(answers["ssh_host"], port, options, execute, ask)
    values = configuration(answers, host_key, options, file)
    removed = [key for key in file.values if key in _REPLACED or isinstance(values.get(key), (list, dict))]
    result = {**{key: value for key, value in file.values.items() if key not in removed}, **values}
    unknown = [user for user in file.names("existing_users") if user not in result["user_passwords"]]
    result["user_passwords"] = result["user_passwords"] | dict.fromkeys(unknown, "unknown")
    settings = validate(result)
    environment = _environment(options, ask_secret)
    _write(stack, file, values, removed, partial(execute, env=environment))
    hostname = settings.server.hostname or result["ssh_host"]
    server, _ = address(replace(settings.registry, hostname=hostname))
    set_passwords = (
        f"  pulumi config set --stack {stack} --secret --path {password_path(user)}\n" for user in unknown
    )
    sys.stdout.write(
        f"The stack {stack} is configured. Passwords were generated; "
        "`pulumi config get admin_password` shows the one of admin.\nNext:\n"
        f"{''.join(set_passwords)}  pulumi preview\n  pulumi up\n"
        f"  docker login -u {shlex.quote(values['pushers'][0])} {server}\n"
    )
    return DONE


def configuration(
    answers: Mapping[str, str], host_key: str, given: argparse.Namespace, file: StackFile
) -> dict[str, Any]:
    """The values to set, by key; generates the passwords that the file does not have."""
    bundle = _PEM.findall(_read("certificate", answers))
    if not bundle:
        raise CommandError(
            f"--certificate: {answers['certificate']} contains no certificate in PEM. Give another file."
        )
    users = _names(answers["pushers"])
    listed = file.values.get("user_passwords")
    known = (
        {str(user): as_text(one) for user, one in listed.items() if one and not isinstance(one, list)}
        if isinstance(listed, dict)
        else {}
    )
    generated = {user: secrets.token_urlsafe(24) for user in (*users, *file.names("pullers"))}
    values: dict[str, Any] = {
        **{name: answers[name] for name in ("ssh_host", "version", "archive_sha256")},
        "ssh_user": given.ssh_user,
        "ssh_port": given.ssh_port,
        "ssh_private_key": _read("ssh_private_key", answers),
        "ssh_host_key": host_key,
        "certificate": bundle[0],
        "chain": "".join(bundle[1:]),
        "private_key": _read("private_key", answers),
        "keystore_password": file.text("keystore_password") or secrets.token_urlsafe(24),
        "admin_password": file.text("admin_password") or secrets.token_urlsafe(24),
        "pushers": users,
        "user_passwords": generated | known,
    }
    if given.accept_eula:
        values["accept_eula"] = "true"
    return {key: value for key, value in values.items() if value}


def validate(values: Mapping[str, Any]) -> Settings:
    """The settings with these values and the project's defaults; refuse what a preview would, all at once."""
    declared = yaml.safe_load(Path("Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    stated = {key: one["default"] for key, one in declared.items() if "default" in one}
    texts = {
        f"{PROJECT}:{key}": value if isinstance(value, str) else json.dumps(value, default=str)
        for key, value in {**stated, **values}.items()
    }
    pulumi.runtime.set_all_config(texts, [f"{PROJECT}:{key}" for key in SECRETS])

    async def read() -> Settings:  # the SDK makes its outputs in a running loop
        return load(pulumi.Config(PROJECT))

    try:
        return asyncio.run(read())
    except pulumi.RunError as error:
        raise CommandError(str(error)) from None


def host_keys(scanned: str) -> list[str]:
    """The keys that ``ssh-keyscan`` printed, without the host's name, the best first."""
    keys = [line.split(" ", 1)[1].strip() for line in scanned.splitlines() if " " in line and line[0] != "#"]
    return sorted((key for key in keys if key.split(" ")[0] in _BEST_FIRST), key=_rank)


def _rank(key: str) -> int:
    kind = key.split(" ")[0]
    return _BEST_FIRST.index(kind) if kind in _BEST_FIRST else len(_BEST_FIRST)


def _host_key(given: str) -> str:
    """The public key in a line of ssh-keyscan or of the host's file, without the host's name and a comment."""
    found = []
    # The name of a host may begin as the kind of a key does, so the next match may begin in this one.
    for kind, content in re.findall(r"(?<!\S)(?=((?:ssh|ecdsa|sk)-\S+)[ \t]+(\S+))", given):
        with suppress(ValueError):
            if base64.b64decode(content, validate=True)[4:].startswith(kind.encode()):
                found.append(f"{kind} {content}")
    if found:
        return min(found, key=_rank)
    raise CommandError("--ssh-host-key: is no public key. Give it in the form 'ssh-ed25519 AAAA…', from the host.")


def fingerprint(key: str) -> str:
    """A public key's fingerprint, as ``ssh-keygen -l`` prints it."""
    digest = hashlib.sha256(base64.b64decode(key.split(" ")[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _require_project() -> None:
    try:
        named = yaml.safe_load(Path("Pulumi.yaml").read_text(encoding="utf-8"))["name"]
    except (OSError, KeyError, TypeError, yaml.YAMLError):
        named = ""
    if named != PROJECT:
        raise CommandError(f"Pulumi.yaml: this folder is not the project {PROJECT}. Change to its folder first.")


def _require_readable(file: StackFile, stack: str) -> None:
    if keys := file.encrypted:
        verb = "is" if len(keys) == 1 else "are"
        raise CommandError(
            f"{file.path}: {' and '.join(', '.join(keys).rsplit(', ', 1))} {verb} encrypted, so that init can't "
            f"verify the configuration. Run `pulumi stack init {stack}` to use the file as it is, or remove them."
        )


def _answer(question: Question, given: argparse.Namespace, ask: Callable[[str], str], default: str = "") -> str:
    default = default or question.default
    answer: str = getattr(given, question.name) or ""
    if not answer and not given.no_input:
        answer = ask(f"{question.text}{f' [{default}]' if default else ''}: ").strip()
    return answer or default


def _answers(given: argparse.Namespace, ask: Callable[[str], str], file: StackFile) -> dict[str, str]:
    """The answers to all questions but the first; the file's pushers are the default of theirs."""
    defaults = {"pushers": ", ".join(file.names("pushers"))}
    answers = {}
    for one in QUESTIONS[1:]:
        answers[one.name] = _answer(one, given, ask, defaults.get(one.name, ""))
        if one.name == "version":
            _require_licence(answers["version"], given, file)
    missing = [
        f"{one.flag}: {one.text} is missing. Give it."
        for one in QUESTIONS[1:]
        if not answers[one.name].strip(f",{whitespace}")
    ]
    if missing:
        raise CommandError("\n".join(missing))
    return answers


def _require_licence(version: str, given: argparse.Namespace, file: StackFile) -> None:
    """Refuse a version whose licence is not accepted, before a person answers the rest."""
    if given.accept_eula or file.text("accept_eula") == "true":
        return
    with suppress(ValueError):  # what is no version is refused with the other answers
        if reason := licence_reason(version):
            raise CommandError(f"--accept-eula: Nexus {version} {reason} and run init again with --accept-eula.")


def _confirmed_host_key(
    host: str, port: str, given: argparse.Namespace, run: Run, ask: Callable[[str], str]
) -> str:
    if given.no_input:
        raise CommandError(
            "--ssh-host-key: the host's public key is missing. Give it, so that its identity is verified."
        )
    sys.stdout.write(f"Reading the host key of {host} …\n")
    try:
        done = run(
            ["ssh-keyscan", "-p", port, "-T", "10", "--", host],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SCAN_LIMIT,
        )
        found = host_keys(done.stdout)
    except (OSError, subprocess.TimeoutExpired):
        found = []
    if not found:
        raise CommandError(
            f"--ssh-host: {host} shows no host key at port {port}. Correct it, or give --ssh-host-key."
        )
    kind = found[0].split(" ")[0].removeprefix("ssh-").partition("-")[0]
    sys.stdout.write(
        f"  {found[0]}\n  {fingerprint(found[0])}\n"
        f"Compare it on the host's console: ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub\n"
    )
    if ask("Is it the same? [y/N]: ").strip().lower() not in ("y", "yes"):
        raise CommandError("--ssh-host-key: the key was not confirmed. Nothing was written.")
    return found[0]


def _environment(given: argparse.Namespace, ask_secret: Callable[[str], str]) -> dict[str, str]:
    """The environment of the CLI, with a passphrase: each of its calls reads a value from standard input."""
    environment = dict(os.environ)
    if not given.no_input and not environment.keys() & {
        "PULUMI_CONFIG_PASSPHRASE",
        "PULUMI_CONFIG_PASSPHRASE_FILE",
    }:
        passphrase = ask_secret("Passphrase that protects the secrets (empty: the backend has its own way): ")
        if passphrase:
            environment["PULUMI_CONFIG_PASSPHRASE"] = passphrase
    return environment


def _read(name: str, answers: Mapping[str, str]) -> str:
    try:
        return Path(answers[name]).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError, RuntimeError) as error:
        other = "it is no text" if isinstance(error, ValueError) else "there is no such user"
        why = error.strerror if isinstance(error, OSError) else other
        raise CommandError(
            f"--{name.replace('_', '-')}: {answers[name]}: {why}. Give the path of the file."
        ) from None


def _names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]


def _settings(values: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Each value as ``pulumi config set --path`` takes it: path, text, whether it is a secret."""
    for key, value in values.items():
        if isinstance(value, list):
            yield from ((f"{key}[{number}]", item, key in SECRETS) for number, item in enumerate(value))
        elif isinstance(value, dict):
            quoted = ((json.dumps(name, ensure_ascii=False), item) for name, item in value.items())
            yield from ((f"{key}[{name}]", item, key in SECRETS) for name, item in quoted)
        else:
            yield key, value, key in SECRETS


def _write(stack: str, file: StackFile, values: Mapping[str, Any], removed: Sequence[str], run: Run) -> None:
    """Create the stack, remove and set values; a secret goes by standard input.

    When something fails, the stack is removed and its file is as it was before.
    """
    _pulumi(run, "stack", "init", stack)
    try:
        if removed:
            _pulumi(run, "config", "rm-all", "--stack", stack, *removed)
            sys.stdout.writelines(f"  {key} (removed)\n" for key in removed if key not in values)
        for path, text, secret in _settings(values):
            # Without a type, Pulumi makes a number of 12345 and a boolean of true in a list.
            kind = ["--secret"] if secret else ["--type", "string"] if path.endswith("]") else ["--plaintext"]
            sys.stdout.write(f"  {path}\n")
            _pulumi(run, "config", "set", "--stack", stack, "--path", *kind, path, stdin=text)
    except BaseException:  # an interrupt, too
        try:
            _pulumi(run, "stack", "rm", "--yes", "--preserve-config", "--stack", stack)
        except CommandError as error:
            sys.stderr.write(f"{error}\n")
        file.restore()
        raise


def _pulumi(run: Run, *arguments: str, stdin: str = "") -> None:
    try:
        done = run(["pulumi", *arguments], input=stdin, capture_output=True, text=True, check=False)
    except OSError:
        raise CommandError("pulumi: the Pulumi CLI is missing. Install it, then run this command again.") from None
    if done.returncode:
        raise CommandError(f"pulumi {' '.join(arguments[:2])} failed: {done.stderr.strip()}")
