"""``python -m tests.bench``: calls and time of each command over a stack of many objects, on a real Nexus Core.

Half of the objects are raw repositories, the rest roles and users. The same commands over as many resources that
do nothing are the engine's floor, measured in the same run. Where Terraform and the provider datadrivers/nexus are
installed, the same objects by them stand beside it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from nexus_registry.providers.client import Connection, NexusClient

from sandbox.paths import WORK
from sandbox.shell import progress
from sandbox.stack import NO_CHECKPOINTS, Result, Stack, default_engine, open_stack
from tests.contract.server import Nexus, make, started
from tests.peak import Peak

from .proxy import DelayingProxy
from .terraform import Terraform

PROGRAMS = Path(__file__).parent / "programs"
HEAD = (
    "| objects | round trip | checkpoints | step | calls | s | floor s | of floor | server s | provider MB "
    "| Terraform calls | Terraform s |"
)
Command = Callable[[Stack, dict[str, str]], Result]


@dataclass(frozen=True)
class Measured:
    """What one command took."""

    seconds: float
    memory_mb: int
    calls: int = 0
    server_seconds: float = 0.0


def _changed(stack: Stack, env: dict[str, str]) -> Result:
    stack.set_config("change", "changed")
    return stack.up(env=env)


STEPS: dict[str, Command] = {
    "create": lambda stack, env: stack.up(env=env),
    "unchanged preview": lambda stack, env: stack.preview(expect_no_changes=True, env=env),
    "unchanged up": lambda stack, env: stack.up(expect_no_changes=True, env=env),
    "refresh": lambda stack, env: stack.refresh(expect_no_changes=True, env=env),
    "one change": _changed,
    "destroy": lambda stack, env: stack.destroy(env=env),
}


@contextmanager
def stack_of(program: str, count: int) -> Iterator[Stack]:
    """A stack of this program, and nothing of it afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        copy = Path(folder) / "program"
        shutil.copytree(PROGRAMS / program, copy)
        (copy / ".venv").symlink_to(sys.prefix)
        stack = open_stack(program=copy, name="bench", work=Path(folder) / "work", passphrase="bench")
        stack.set_config("count", count)
        yield stack


Run = dict[str, Measured]
"""By step."""


def measure(
    label: str, run: Callable[[str], None], proxy: DelayingProxy | None, stack: Stack | None = None
) -> Run:
    """Every step in turn, with the memory of this stack's providers; destroys what was created when one fails."""
    found = {}
    try:
        for name in STEPS:
            if proxy:
                proxy.reset()
            began = time.monotonic()
            with progress(f"{label}: {name}"), Peak(stack) if stack else nullcontext() as peak:
                run(name)
            seconds = time.monotonic() - began
            calls, server = (proxy.calls, proxy.server_seconds) if proxy else (0, 0.0)
            found[name] = Measured(seconds, peak.memory_kb // 1024 if peak else 0, calls, server)
    except BaseException:
        run("destroy")
        raise
    return found


def measure_stack(stack: Stack, env: dict[str, str], proxy: DelayingProxy | None) -> Run:
    """The steps by Pulumi."""

    def run(name: str) -> None:
        result = STEPS[name](stack, env)
        if not result.ok:
            raise RuntimeError(f"{name}: {result.error}\n{result.stdout[-3000:]}")

    return measure(stack.project, run, proxy, stack)


def measure_terraform(count: int, server: Connection, proxy: DelayingProxy) -> Run:
    """The same by Terraform; empty where it is not installed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        terraform = Terraform(Path(folder), count, server)
        return measure("terraform", terraform.run, proxy) if terraform.prepare() else {}


def rows(count: int, delay_ms: int, checkpoints: bool, own: Run, floor: Run, terraform: Run) -> str:
    """The table's rows for one run."""

    def beside(name: str) -> str:
        found = terraform.get(name)
        return f"{found.calls:,} | {found.seconds:.1f}" if found else "- | -"

    return "".join(
        f"| {count:,} | {delay_ms} ms | {'yes' if checkpoints else 'no'} | {name} | {one.calls:,} "
        f"| {one.seconds:.1f} | {floor[name].seconds:.1f} | {one.seconds / floor[name].seconds:.1f} "
        f"| {one.server_seconds:.1f} | {one.memory_mb} | {beside(name)} |\n"
        for name, one in own.items()
    )


def bench(nexus: Nexus, counts: list[int], delays_ms: list[int], modes: list[bool], out: Path) -> None:
    """Measure every combination; print and write each row as it comes."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w") as file, DelayingProxy(nexus.http_port, nexus.authority) as proxy:
        server: Connection = {
            "url": proxy.url,
            "username": nexus.username,
            "password": nexus.password,
            "ca": proxy.ca,
        }

        def say(text: str) -> None:
            for one in (sys.stdout, file):
                one.write(text)
                one.flush()

        say(f"{HEAD}\n|{'---|' * HEAD.count('|', 1)}\n")
        for count in counts:
            by_terraform: dict[int, Run] = {}
            for checkpoints in modes:
                env = {} if checkpoints else NO_CHECKPOINTS
                with stack_of("nothing", count) as stack:
                    floor = measure_stack(stack, env, None)
                for delay in delays_ms:
                    proxy.delay = delay / 1000
                    if delay not in by_terraform:
                        by_terraform[delay] = measure_terraform(count, server, proxy)
                        require_empty(nexus)
                    with stack_of("objects", count) as stack:
                        stack.set_config("nexus-registry:url", proxy.url)
                        stack.set_config("nexus-registry:ca", proxy.ca)
                        stack.set_config("nexus-registry:password", nexus.password, secret=True)
                        own = measure_stack(stack, env, proxy)
                        say(rows(count, delay, checkpoints, own, floor, by_terraform[delay]))
                        require_empty(nexus)


def require_empty(nexus: Nexus) -> None:
    """Fail when something was left behind."""
    client = NexusClient({"url": nexus.url, "username": nexus.username, "password": nexus.password})
    lists = (("repositories", "name"), ("security/roles", "id"), ("security/users", "userId"))
    left = [one[key] for path, key in lists for one in client.get_list(f"/v1/{path}") if "bench-" in one[key]]
    if left:
        raise RuntimeError(f"destroy left {', '.join(left[:5])}")


def main() -> None:
    """Read the arguments, start a server, measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--objects", type=int, nargs="+", default=[50, 200, 1000], metavar="N")
    parser.add_argument("--delay", type=int, nargs="+", default=[0, 20, 50], metavar="MS", help="round trip")
    parser.add_argument("--checkpoints", choices=("both", "yes", "no"), default="both")
    parser.add_argument("--output", type=Path, default=WORK / "bench/table.md")
    options = parser.parse_args()
    modes = {"both": [True, False], "yes": [True], "no": [False]}[options.checkpoints]
    if default_engine() != "pulumi":
        modes = [True]  # the sandbox's engine always notes each step
    nexus = started(make("bench", docker=False))
    try:
        bench(nexus, options.objects, options.delay, modes, options.output)
    finally:
        nexus.stop()


if __name__ == "__main__":
    main()
