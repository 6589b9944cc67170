"""The one module that makes a host step a remote command.

A step is a POSIX sh file beside this module. What runs on the host is ``sh -s -- VERB --flag value …``; its
standard input carries a record of the step, the secrets, the step's files and the lines ``START``, in this order.
Nothing is copied to the host, a changed script runs ``update``, a delete carries its own script in state,
and no secret is in a command line, an error text or the process list. docs/architecture.md describes the contract
of each step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from shlex import quote
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import pulumi
from pulumi_command import remote

from . import sent

if TYPE_CHECKING:
    from pulumi import Input, Output, ResourceOptions

Verb: TypeAlias = Literal["create", "update", "delete"]
Value: TypeAlias = "str | int | float | bool | Sequence[str | int | float] | Mapping[str, str] | None"
"""A flag's value. None leaves the flag out, a sequence repeats it, a mapping repeats it as ``KEY=VALUE``."""


@dataclass(frozen=True)
class Step:
    """What a step is made of and takes.

    Args:
        files: the sh files of its script, in this order.
        required: flags that every run gives, by their argument names.
        optional: flags that may be left out.
        repeated: flags that may be given more than once.
        secrets: shell variables in its standard input.
    """

    files: tuple[str, ...]
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def flags(self) -> frozenset[str]:
        """Every flag that the step takes."""
        return frozenset((*self.required, *self.optional, *self.repeated, *EVERY_STEP))


EVERY_STEP: Final = ("lock_timeout", "repair", "urn")
"""Flags that every step takes."""

START: Final = 'step "$@" </dev/null\nnote_claim\n'
"""The last lines of every script."""

STEPS: Final[Mapping[str, Step]] = {
    "prepare": Step(
        files=("lib", "urns", "units", "paths", "packages", "java", "selinux", "firewall", "prepare"),
        required=("unit", "install_root", "data_dir", "heap_mb", "min_disk_mb"),
        optional=("user", "group", "java_major", "java_home", "java_package", "open_firewall", "https_port"),
    ),
    "account": Step(
        files=("lib", "urns", "units", "paths", "owner", "account"),
        required=("unit", "user", "group", "data_dir"),
        optional=("purge_data",),
    ),
    "archive": Step(
        files=("lib", "urns", "units", "archive"),
        required=("unit", "version", "install_root", "sha256"),
        optional=("url", "path"),
        secrets=("ARCHIVE_USERNAME", "ARCHIVE_PASSWORD"),
    ),
    "keystore": Step(
        files=("lib", "urns", "units", "paths", "java", "jetty", "certificate", "keystore"),
        required=("unit", "user", "group", "data_dir", "install_root", "version", "fingerprint"),
        optional=("java_home", "certificate_path", "private_key_path", "hostname", "alias"),
        secrets=("KEYSTORE_BASE64", "PRIVATE_KEY_PASSPHRASE", "KEYSTORE_PASSWORD"),
    ),
    "service": Step(
        files=(
            *("lib", "urns", "ports", "units", "paths", "owner", "java", "jetty", "properties", "unit", "start"),
            *("upgrade", "password", "selinux", "firewall", "takeover", "service"),
        ),
        required=(
            *("unit", "version", "install_root", "data_dir", "user", "group", "http_port", "https_port"),
            *("heap_mb", "fingerprint", "digest", "start_timeout"),
        ),
        optional=("address", "context_path", "java_home", "privileged_ports"),
        repeated=("property",),
        secrets=("ADMIN_PASSWORD", "KEYSTORE_PASSWORD"),
    ),
    "port": Step(
        files=("lib", "urns", "ports", "firewall", "port"),
        required=("unit",),
        optional=("for", "open_firewall", "https_port", "http_port", "address"),
    ),
}
"""Every step. tests/unit/test_docs.py compares this table with the sh files and docs/architecture.md."""

_SUDO = (
    '[ "$(id -u)" -ne 0 ] || exec sh -s -- "$@"; '  # ssh.user may be an output that is root
    "why=$(sudo -n sh -c : 2>&1 </dev/null) || {"
    ' echo "ssh.user: sudo does not let $(id -un) become root without a password (${why##*: }).'
    ' Add a NOPASSWD rule for $(id -un) to sudoers, without requiretty, or connect as root." >&2; exit 1; };'
    ' exec sudo -n sh -s -- "$@"'
)


def host_step(
    step: str,
    name: str,
    *,
    ssh: Input[remote.ConnectionArgs],
    arguments: Mapping[str, Input[Any]],
    secrets: Mapping[str, Input[str]] | None = None,
    sudo: bool = False,
    opts: ResourceOptions | None = None,
) -> remote.Command:
    """Run a step on the host: to create, whenever an argument, a secret or its script changes, and to undo it.

    Args:
        step: which one; ``STEPS`` has its flags and secrets, docs/architecture.md what they mean.
        name: the resource's name.
        ssh: how to reach the host over SSH.
        arguments: the flags by their argument names (``install_root`` becomes ``--install-root``); each value is a
            ``Value`` or an output of one. Never a secret: they are in the command line and in error texts.
        secrets: the step's secrets by their shell names; their values reach the step by standard input only.
        sudo: run as root through ``sudo -n``, for a user who is not root.
        opts: options of the resource.

    Returns:
        The command; its ``stdout`` holds the step's progress lines and never a secret.
    """
    flags = pulumi.Output.all(**arguments)

    def line(verb: Verb) -> Output[str]:
        return flags.apply(lambda known: command(verb, known, sudo=sudo))

    text: Input[str] = stdin(step, sudo=sudo)
    if secrets:
        known_secrets = pulumi.Output.all(**secrets)
        text = pulumi.Output.secret(known_secrets.apply(lambda known: stdin(step, known, sudo=sudo)))
    return remote.Command(
        name,
        connection=ssh,
        create=line("create"),
        update=line("update"),
        delete=line("delete"),
        stdin=text,
        logging=remote.Logging.STDOUT_AND_STDERR,
        add_previous_output_in_env=False,
        # The delete of the former copy would otherwise remove what the create of the new one has found.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
    )


def command(verb: Verb, arguments: Mapping[str, Value], *, sudo: bool = False) -> str:
    """The command line for the remote user's login shell."""
    words = [verb, *(word for name, value in arguments.items() for word in _flag(name, value))]
    return _prefix(sudo) + " ".join(quote(word) for word in words)


def stdin(step: str, secrets: Mapping[str, str] | None = None, *, sudo: bool = False) -> str:
    """What the step's shell reads: record, secrets, script, start."""
    assignments = "".join(_assignment(name, value) for name, value in (secrets or {}).items())
    record = sent.record(step, len(_prefix(sudo)), len(assignments))
    return f"{record}{assignments}{script(step)}{START}"


def _prefix(sudo: bool) -> str:
    """The command line before the verb."""
    return f"sh -c {quote(_SUDO)} nexus-registry " if sudo else "sh -s -- "


def script(step: str) -> str:
    """The step's files, one after the other."""
    if step not in STEPS:
        raise ValueError(f"there is no host step {step!r}. The steps are {', '.join(STEPS)}.")
    folder = resources.files(__package__ or "")
    return "".join(folder.joinpath(f"{part}.sh").read_text(encoding="utf-8") for part in STEPS[step].files)


def _assignment(name: str, value: str) -> str:
    """A shell variable that isn't exported, also where the remote user's environment has one of that name."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
        raise ValueError(f"secret {name!r}: must be the name of a shell variable in capitals.")
    if "\0" in value:
        raise ValueError(f"secret {name}: must contain no NUL character, which no shell accepts.")
    return f"unset {name}\n{name}='" + value.replace("'", "'\\''") + "'\n"


def _flag(name: str, value: Value) -> list[str]:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"argument {name!r}: must be a snake_case name.")
    if value is None:
        return []
    if isinstance(value, Mapping):
        value = [f"{key}={item}" for key, item in value.items()]
    elif isinstance(value, (str, int, float)):
        value = [value]
    flag = "--" + name.replace("_", "-")
    return [word for item in value for word in _words(flag, _text(name, item))]


def _words(flag: str, text: str) -> tuple[str, str]:
    """A flag and its value; in octal digits where a login shell such as fish or tcsh reads quotes unlike sh."""
    if "\\" in text or "!" in text:
        return f"{flag}:octal", "".join(f"{byte:03o}" for byte in text.encode("utf-8", "surrogateescape"))
    return flag, text


def _text(name: str, value: str | float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):  # what the engine makes of every number
        if not value.is_integer():
            raise ValueError(f"argument {name}: {value} is not a whole number.")
        value = int(value)
    text = str(value)
    if "\0" in text or "\n" in text or "\r" in text:
        raise ValueError(f"argument {name}: must be a single line.")
    return text
