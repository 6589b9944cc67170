"""``python -m sandbox``: switch the sandbox's parts on and off by hand."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from sandbox import demo, host
from sandbox.docker import DockerClient
from sandbox.packages import CannotInstall, ensure
from sandbox.paths import WORK
from sandbox.shell import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable


def host_up(given: argparse.Namespace) -> None:
    """create and start a Linux host, or start the one that is there"""
    _describe(host.up(given.name))


def host_down(given: argparse.Namespace) -> None:
    """remove the host and everything on it"""
    host.down(given.name)


def host_status(_: argparse.Namespace) -> None:
    """list the hosts, and how to log in to each"""
    for name in host.names():
        if made := host.find(name):
            _describe(made)
        else:
            print(f"{name}: half made by an interrupted run; host up or host down puts it right")


def client_up(_: argparse.Namespace) -> None:
    """start a Docker daemon and print how to use it"""
    print("docker " + " ".join(DockerClient().start().options()))


def client_down(_: argparse.Namespace) -> None:
    """end the Docker daemon and remove its images and logins"""
    DockerClient().stop()


def setup(_: argparse.Namespace) -> None:
    """install the Debian packages that the demo and the tests need"""
    ensure(*TOOLS)


def run_demo(_: argparse.Namespace) -> None:
    """turn a bare host into a registry and prove it with the real Docker client"""
    demo.demo()


def down(_: argparse.Namespace) -> None:
    """remove every host, stack and client that no running process uses"""
    used = [name for name in host.names() if not host.down(name, if_unused=True)]
    for name in used:
        by = ", ".join(f"process {one.pid} ({one.command})" for one in host.users(name))
        print(f"host {name} and its stacks stay: in use by {by or 'a process that has just ended'}")
    if demo.HOST not in used:
        DockerClient().stop()
        (WORK / "docker.lock").unlink(missing_ok=True)
    for stack in (WORK / "dev").glob("*"):
        if stack.name.rpartition("-")[0] not in used:
            shutil.rmtree(stack)
    for lock in (WORK / "hosts").glob("*.lock"):
        if lock.stem not in used:
            lock.unlink()
    for folder in (WORK / "dev", WORK / "hosts"):
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()


TOOLS = (
    "busybox",
    "default-jdk-headless",  # keytool; Java for Nexus in the contract tests
    "docker-registry",
    "docker.io",
    "maven",
    "mmdebstrap",
    "openssh-client",
    "openssh-server",
    "openssl",
    "shellcheck",
    "skopeo",
    "systemd-container",
)

Command = tuple[str, "Callable[[argparse.Namespace], None]", tuple[str, ...]]

# The words of the command, what it does (its docstring is the help), and the options it takes.
COMMANDS: tuple[Command, ...] = (
    ("host up", host_up, ("--name",)),
    ("host down", host_down, ("--name",)),
    ("host status", host_status, ()),
    ("client up", client_up, ()),
    ("client down", client_down, ()),
    ("setup", setup, ()),
    ("demo", run_demo, ()),
    ("down", down, ()),
)
OPTIONS: dict[str, dict[str, Any]] = {
    "--name": {"default": "nexus", "help": "name of the host (default: nexus)"},
}


def parser() -> argparse.ArgumentParser:
    """The command line that ``COMMANDS`` describes."""
    top = argparse.ArgumentParser(prog="python -m sandbox", description="Try it without owning a server.")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    groups = {}
    for words, action, options in COMMANDS:
        group, _, word = words.rpartition(" ")
        if group and group not in groups:
            actions = ", ".join(other.split()[1] for other, _, _ in COMMANDS if other.startswith(f"{group} "))
            made = commands.add_parser(group, help=actions)
            groups[group] = made.add_subparsers(metavar="ACTION", required=True)
        add = groups[group] if group else commands
        command = add.add_parser(word, help=action.__doc__, description=action.__doc__)
        command.set_defaults(action=action)
        for option in options:
            command.add_argument(option, **OPTIONS[option])
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a failure is shown without a traceback."""
    given = parser().parse_args(arguments)
    try:
        given.action(given)
    except (CannotInstall, CommandFailed, OSError, RuntimeError, ValueError, subprocess.TimeoutExpired) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


def _describe(made: host.Host) -> None:
    state = f"on, init is process {made.leader}" if made.running else "off"
    login = f"ssh -i {made.folder / 'id_ed25519'} -o UserKnownHostsFile={made.folder / 'known_hosts'}"
    print(f"{made.name}: {state}\n  {login} -p {made.ssh_port} root@{made.address}")


if __name__ == "__main__":
    sys.exit(main())
