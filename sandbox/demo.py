"""``make demo``: a bare host becomes a registry, and a real Docker client proves it."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable

from .dev import Dev, dev_stack
from .docker import DockerClient
from .shell import CommandFailed, progress, run

HOST = "nexus"
"""The host of the demo, which no test uses."""
_IMAGE = "hello-world"


def demo() -> None:
    """Bring the dev stack up, prove it with Docker, bring it up again, and say where it is."""
    started = time.monotonic()
    dev = dev_stack(HOST)
    _up(dev)
    client = DockerClient().start()
    client.trust(dev.login_server, dev.authority.certificate_pem)
    prove(dev, client, say=_say)
    _again(dev)
    print(
        f"\nDone in {time.monotonic() - started:.0f} s.\n\n"
        f"  Nexus      {dev.url}  (admin / {dev.facts['admin_password']})\n"
        f"  authority  {dev.folder / 'ca' / 'ca.pem'}\n"
        f"  login      docker login --username ci --password {dev.facts['ci_password']} {dev.login_server}\n"
        f"  client     docker {' '.join(client.options())}\n"
        "  remove     make demo-down"
    )


def prove(dev: Dev, client: DockerClient, *, say: Callable[[str], None]) -> None:
    """The last part of the demo, and its expected output: each line is one action of a Docker client."""
    server = dev.login_server
    tag, again = f"{server}/{_IMAGE}:1", f"{server}/{_IMAGE}:2"
    client.make_image(tag)
    client.docker("tag", tag, again)

    refused = client.docker("push", tag, check=False)
    _expect(refused.returncode != 0, "an anonymous push was taken")
    say("push without a login: refused")

    before = refused_logins(dev)
    try:
        client.login(server, "ci", "not-the-password")
    except CommandFailed:
        say("login with a wrong password: refused")
    else:
        raise AssertionError("a wrong password was taken")
    _expect(refused_logins(dev) - before <= 2, "a wrong password was tried again")

    user = client.login(server, "ci", dev.facts["ci_password"])
    say("login: taken")
    digest = _digest(client.docker("push", tag, config=user).stdout)
    second = _digest(client.docker("push", again, config=user).stdout)
    _expect(second == digest, "the second push changed the image")
    say(f"push, twice: {digest}")

    client.pull_anew(f"{server}/{_IMAGE}@{digest}")
    say("pull by digest without a login, from an emptied cache: the same image")
    client.empty_cache()


def _up(dev: Dev) -> None:
    with progress("pulumi up"):
        result = dev.stack.up(on_line=lambda line: print(f"    {line}", file=sys.stderr, flush=True))
    if not result.ok:
        raise CommandFailed(f"up failed: {result.error}")


def _again(dev: Dev) -> None:
    """The second ``up``: its changes, requests and steps are counted at their destination."""
    writes, sessions = api_writes(dev), ssh_sessions(dev)
    started = time.monotonic()
    result = dev.stack.up()
    took = time.monotonic() - started
    changes = sum(count for operation, count in result.changes.items() if operation != "same")
    ran = ssh_sessions(dev) - sessions
    summary = f"{changes} changes, {api_writes(dev) - writes} API writes, {ran} remote commands"
    print(f"  up again: {summary} in {took:.1f} s", file=sys.stderr)
    _expect(result.ok and summary == "0 changes, 0 API writes, 0 remote commands", f"the second up: {summary}")


def api_writes(dev: Dev) -> int:
    log = (dev.host.root / "var/lib/nexus/log/request.log").read_text(errors="replace")
    return len(re.findall(r'"(?:POST|PUT|DELETE|PATCH) ', log))


def refused_logins(dev: Dev) -> int:
    log = (dev.host.root / "var/lib/nexus/log/request.log").read_text(errors="replace")
    return len(re.findall(r'" 401 ', log))


def ssh_sessions(dev: Dev) -> int:
    """How many SSH connections the host has accepted. The log is read without one."""
    log = run(
        ["nsenter", f"--target={dev.host.leader}", "--mount", "journalctl", "--quiet", "--no-pager", "-t", "sshd"]
    )
    return log.stdout.count("Accepted publickey")


def _digest(printed: str) -> str:
    found = re.search(r"sha256:[0-9a-f]{64}", printed)
    _expect(found is not None, "docker push named no digest")
    return found.group() if found else ""


def _expect(true: bool, otherwise: str) -> None:
    if not true:
        raise CommandFailed(otherwise)


def _say(what: str) -> None:
    print(f"  ✓ {what}", file=sys.stderr, flush=True)
