"""``nexus-registry export``: writes a program that declares what a server has, or shows what a stack lacks.

This module has the effects: it reads the server, and writes files. What becomes of the one into the other is in
:mod:`.inputs`, :mod:`.program`, :mod:`.project` and :mod:`.unmanaged`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nexus_registry.providers.address import has_login, is_address
from nexus_registry.providers.client import Connection, NexusClient

from .command import DONE, FAILED, FOUND, CommandError, Progress, State, read_authority
from .objects import Choice, Snapshot, read
from .program import program
from .project import files_of
from .unmanaged import unmanaged

HELP = "write a program that declares what a server has, or show what a stack does not manage"
DESCRIPTION = """\
Reads a server and writes a Pulumi program in Python that declares what it has. The first `pulumi up` of that
program adopts what exists and writes nothing to the server. With --diff, shows instead what the server has and
a stack does not manage. Reads only. NEXUS_USERNAME (default: admin) and NEXUS_PASSWORD are the login. Exit status:
0 done, or nothing unmanaged; 1 something unmanaged; 2 it could not be done, or not all could be read. A program
without what the account may not read is done; with --diff, that is 2.
"""
_STATE = State()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--url", required=True, help="address of the server with its context path")
    parser.add_argument(
        "--ca", metavar="FILE", help="authority that signed its certificate, where that is no public one"
    )
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--output", metavar="DIR", type=Path, help="folder of the program, new or empty")
    action.add_argument("--diff", action="store_true", help="show what --stack or --state does not manage")
    parser.add_argument("--json", action="store_true", help="print the result of --diff as JSON")
    _STATE.add_arguments(parser)
    parser.add_argument("--name", help="name of the Pulumi project; default: the name of the folder")
    for option, what in (("--only", "Read only these"), ("--exclude", "Leave these out")):
        parser.add_argument(
            option,
            action="append",
            default=[],
            metavar="PATTERN",
            help=f"{what}: a kind (Role), an object (Role:team-*) or a module (security); repeatable",
        )


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit status."""
    choice = Choice(options.only, options.exclude)
    _validate(options, choice)
    state = _STATE.read(options) if options.diff else None
    found = _read(options, choice)
    if options.diff:
        return _show(found, state, as_json=options.json)
    return _write(found, options.output, options.name or _project_name(options.output))


def _validate(options: argparse.Namespace, choice: Choice) -> None:
    if not is_address(options.url) or has_login(options.url):
        raise CommandError("--url: must be https://host:port, without a login. Give the address of the server.")
    if not os.environ.get("NEXUS_PASSWORD"):
        raise CommandError(
            "NEXUS_PASSWORD: is not set. Set it to the password of an administrator, and NEXUS_USERNAME."
        )
    if unknown := choice.unknown():
        raise CommandError(
            f"--only, --exclude: {', '.join(unknown)} matches no kind. Name one such as Role or security."
        )
    if options.name is not None and not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", options.name):
        raise CommandError("--name: must be 1 to 100 letters, digits, '-', '_' and '.'. Choose another name.")
    if options.output is not None:
        _validate_output(options.output)


def _validate_output(folder: Path) -> None:
    try:
        if folder.exists() and not folder.is_dir():
            raise CommandError(f"--output: {folder} is a file. Name a folder.")
        if folder.exists() and any(folder.iterdir()):
            raise CommandError(f"--output: {folder} is not empty. Name a new folder, or empty this one.")
    except OSError as error:
        raise _unwritable(error) from None


def _unwritable(error: OSError) -> CommandError:
    return CommandError(f"--output: {error.strerror}: {error.filename}. Name a folder that can be written.")


def _read(options: argparse.Namespace, choice: Choice) -> Snapshot:
    connection: Connection = {
        "url": options.url.rstrip("/"),
        "username": os.environ.get("NEXUS_USERNAME") or "admin",
        "password": os.environ["NEXUS_PASSWORD"],
    }
    if options.ca:
        connection["ca"] = read_authority("--ca", options.ca)
    with Progress(sys.stderr, "reading") as progress:
        return read(NexusClient(connection), choice, connection.get("ca", ""), progress.show)


def _write(found: Snapshot, folder: Path, name: str) -> int:
    made = program(found)
    left = [f"not declared: {line}\n" for line in made.left_out]
    left += [f"not read: {line}\n" for line in found.unread]
    if found.failure and not found.objects:
        sys.stderr.writelines([*left, "Nothing was written. Correct the reasons above and run export again.\n"])
        return FAILED
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files_of(made, found, name, _requirement()).items():
            (folder / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(error) from None
    sys.stdout.write(f"{len(made.entries)} resources written to {folder}. Its README.md says what to do next.\n")
    sys.stderr.writelines(left)
    return FAILED if found.failure else DONE


def _requirement() -> str:
    """How pip installs this package from where it was installed here (PEP 610): a clone, an address, an index."""
    for one in metadata.distributions(name="nexus-registry"):
        source = json.loads(one.read_text("direct_url.json") or "{}")
        if source.get("dir_info", {}).get("editable"):
            return f"-e {source['url']}"
        if vcs := source.get("vcs_info"):
            return f"nexus-registry @ {vcs['vcs']}+{_without_login(source['url'])}@{vcs['commit_id']}"
        if source:
            return f"nexus-registry @ {_without_login(source['url'])}"
    return "nexus-registry"


def _without_login(url: str) -> str:
    """The address without its password, its query and, over HTTP, its user, which may be a token."""
    parts = urlsplit(url)
    login, at, place = parts.netloc.rpartition("@")
    user = "" if parts.scheme.startswith("http") else login.partition(":")[0] + at
    return parts._replace(netloc=user + place, query="").geturl()


def _show(found: Snapshot, state: Any, *, as_json: bool) -> int:
    lacking = unmanaged(found, state)
    if as_json:
        rows = [{"kind": one.kind.__name__, "id": one.identity} for one in lacking]
        result = {"unmanaged": rows, "undeclared": found.left_out, "unread": found.unread}
        sys.stdout.write(f"{json.dumps(result, indent=2, ensure_ascii=False)}\n")
    else:
        sys.stdout.writelines(f"{one} is not managed by the stack\n" for one in lacking)
        sys.stdout.writelines(f"{line}\n" for line in found.left_out)
        sys.stderr.writelines(f"can't tell: {line}\n" for line in found.unread)
    if found.unread:
        return FAILED
    return FOUND if lacking or found.left_out else DONE


def _project_name(folder: Path) -> str:
    """The folder's name, with what a project's name may not have replaced."""
    name = "".join(
        one if one.isascii() and (one.isalnum() or one in "-_.") else "-" for one in folder.resolve().name
    )
    return name[:100].strip("-.") or "nexus"
