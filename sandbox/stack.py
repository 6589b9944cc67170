"""One stack on either engine: the Pulumi CLI, or the sandbox's own where that can't be had.

``ENGINE=pulumi`` and ``ENGINE=sandbox`` choose; unset, it is the CLI when that is on ``PATH``. Everything a stack
needs (its configuration, its state, the CLI's home) lies in one folder, never in the checkout.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import yaml

from .engine.state import State
from .paths import PROJECT
from .stackfile import StackFile
from .values import is_secret, plain, secret, walk

OPERATIONS = ("create", "update", "replace", "delete", "same")
NO_CHECKPOINTS = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
"""Environment of the CLI with which it writes the state once, at the end of a command."""


@dataclass(frozen=True)
class Result:
    """The result of a command, the same on both engines."""

    ok: bool
    changes: dict[str, int] = field(default_factory=dict)
    """How many resources were (in a preview: would be) created, updated, replaced, deleted, left the same."""
    steps: list[tuple[str, str]] = field(default_factory=list)
    """The operations that began, in order, each with its resource's URN. A refresh has none."""
    stdout: str = ""
    """What was printed for people."""
    error: str = ""
    """The last line of the first error, which is the provider's own sentence; empty when all went well."""

    def changed(self) -> dict[str, int]:
        """How many resources a command that succeeded changed, by operation."""
        assert self.ok, f"{self.error}\n{self.stdout[-3000:]}"
        return {operation: count for operation, count in self.changes.items() if count and operation != "same"}


def default_engine() -> str:
    """The engine to use: what ``ENGINE`` says, else the CLI when there is one."""
    chosen = os.environ.get("ENGINE") or ("pulumi" if shutil.which("pulumi") else "sandbox")
    if chosen not in ("pulumi", "sandbox"):
        raise ValueError(f"ENGINE is {chosen}; it must be pulumi or sandbox")
    return chosen


def open_stack(engine: str | None = None, *, program: Path, name: str, work: Path, passphrase: str) -> Stack:
    """The stack ``name`` of the program in the folder ``program``, kept in ``work``; made if it isn't there.

    The CLI runs the program with the virtual environment that its Pulumi.yaml names, the sandbox's engine with
    the one that this runs in.
    """
    kind = PulumiStack if (engine or default_engine()) == "pulumi" else SandboxStack
    return kind(program.resolve(), name, work.resolve(), passphrase)


Environment = Mapping[str, str] | None
OnLine = Callable[[str], None] | None


class Running(Protocol):
    """An engine while it works."""

    pid: int

    def poll(self) -> int | None:
        """Its exit status, once it has ended."""


class Stack(ABC):
    """A stack and the commands on it.

    ``env`` is added to the environment of a command, and ``on_line`` is called with each line that it prints.
    """

    def __init__(self, program: Path, name: str, work: Path, passphrase: str) -> None:
        self.program, self.name, self.work, self.passphrase = program, name, work, passphrase
        self.project = str(yaml.safe_load((program / "Pulumi.yaml").read_text())["name"])
        self.config_file = work / "config" / f"Pulumi.{name}.yaml"
        self.running: Running | None = None
        """The engine, while a command runs."""
        if not self.config_file.exists():
            StackFile(self.config_file, passphrase)

    def set_config(self, key: str, value: Any, *, secret: bool = False) -> None:
        """Set a value of the configuration; a key without a namespace is the project's.

        With ``secret`` it is encrypted; of a list or a mapping, every text in it is.
        """
        full = key if ":" in key else f"{self.project}:{key}"
        StackFile(self.config_file, self.passphrase).set(full, value, secret=secret)

    def up(
        self,
        *,
        refresh: bool = False,
        replace: Iterable[str] = (),
        target: Iterable[str] = (),
        expect_no_changes: bool = False,
        env: Environment = None,
        on_line: OnLine = None,
    ) -> Result:
        """Update the stack to the program; ``replace`` are URNs to replace in any case.

        With ``target``, URNs too, nothing but these is created, changed or deleted.
        """
        return self._run("up", _options(replace, refresh, expect_no_changes, target), env, on_line)

    def preview(
        self,
        *,
        refresh: bool = False,
        target: Iterable[str] = (),
        expect_no_changes: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Preview an ``up``."""
        return self._run("preview", _options((), refresh, expect_no_changes, target), env, None)

    def refresh(
        self,
        *,
        expect_no_changes: bool = False,
        env: Environment = None,
        on_line: OnLine = None,
    ) -> Result:
        """Update the state to the actual resources."""
        return self._run("refresh", _options((), False, expect_no_changes), env, on_line)

    def destroy(
        self,
        *,
        target: Iterable[str] = (),
        env: Environment = None,
        on_line: OnLine = None,
    ) -> Result:
        """Delete everything, or what ``target`` names."""
        return self._run("destroy", _options((), False, False, target), env, on_line)

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """What the program exported."""
        roots = [one for one in self.export()["resources"] if one["type"] == "pulumi:pulumi:Stack"]
        return dict(plain(roots[0]["outputs"], None if show_secrets else "[secret]")) if roots else {}

    def export(self) -> dict[str, Any]:
        """``{"resources": [{"urn", "type", "id", "inputs", "outputs", …}, …]}``, without the providers.

        Secrets are in the clear, but marked; ``sandbox.values`` has ``is_secret`` and ``plain`` for that.
        """
        kept = [
            {"custom": False} | one for one in self._exported() if not one["type"].startswith("pulumi:providers:")
        ]
        return {
            "resources": [one | {key: _opened(one.get(key, {})) for key in ("inputs", "outputs")} for one in kept]
        }

    def under_way(self) -> set[str]:
        """URNs of what the engine has noted as begun and not as ended, while it runs or after a kill."""
        try:
            return self._pending(json.loads(self.state_file.read_text()))
        except (FileNotFoundError, ValueError):
            return set()

    @abstractmethod
    def after_a_kill(self) -> None:
        """Unlock the stack after the engine was killed."""

    @property
    @abstractmethod
    def state_file(self) -> Path:
        """The file with the state, its secrets encrypted."""

    @abstractmethod
    def _run(self, command: str, options: Sequence[str], env: Environment, on_line: OnLine) -> Result: ...

    @abstractmethod
    def _pending(self, state: Any) -> set[str]: ...

    @abstractmethod
    def _exported(self) -> list[dict[str, Any]]: ...

    def _follow(
        self,
        argv: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        on_line: Callable[[str], None] | None,
        answer: Path | None = None,
    ) -> tuple[int, str]:
        """Run a program to its end and hand on each line: all it prints or, with a file for stdout, stderr."""
        lines = []
        with ExitStack() as files:
            process = subprocess.Popen(
                argv,
                cwd=folder,
                env=env,
                text=True,
                stdin=subprocess.DEVNULL,
                stdout=files.enter_context(answer.open("w")) if answer else subprocess.PIPE,
                stderr=subprocess.PIPE if answer else subprocess.STDOUT,
            )
            self.running = process
            for line in process.stderr or process.stdout or ():
                lines.append(line)
                if on_line:
                    on_line(line.rstrip("\n"))
            status = process.wait()
            self.running = None
            return status, "".join(lines)

    def _environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
        return inherited | {"PULUMI_CONFIG_PASSPHRASE": self.passphrase} | dict(env or {})


class PulumiStack(Stack):
    """On the Pulumi CLI, with a file backend and a home of its own."""

    def __init__(self, program: Path, name: str, work: Path, passphrase: str) -> None:
        super().__init__(program, name, work, passphrase)
        self._backend = work / "state"
        self.removed = 0
        """How many files of attributes a kill left half, which a file backend does not write in one piece."""
        self._backend.mkdir(parents=True, exist_ok=True)
        if not self.state_file.exists():
            # where a project file of its own is, because the stack's settings are written beside that
            project = {"name": self.project, "runtime": "python"}
            (self.config_file.parent / "Pulumi.yaml").write_text(yaml.safe_dump(project))
            self._pulumi("stack", "init", "--no-select")

    @property
    def state_file(self) -> Path:
        return self._backend / ".pulumi" / "stacks" / self.project / f"{self.name}.json"

    def _run(self, command: str, options: Sequence[str], env: Environment, on_line: OnLine) -> Result:
        log = self.work / "events.json"
        log.unlink(missing_ok=True)
        argv = ["pulumi", command, *options, f"--stack={self.name}", f"--config-file={self.config_file}"]
        argv += [f"--event-log={log}", "--non-interactive", "--color=never", "--suppress-progress"]
        argv += [] if command == "preview" else ["--yes", "--skip-preview"]
        status, text = self._follow(argv, self.program, self._environment(env), on_line)
        errors = re.findall(r"^error: (.*)$", text, re.MULTILINE)
        steps: list[tuple[str, str]] = []
        changes: dict[str, int] = {}
        for line in log.read_text().splitlines() if log.exists() else ():
            try:
                event = json.loads(line)
            except ValueError:  # the engine was killed during a write
                break
            step = event.get("resourcePreEvent", {}).get("metadata")
            if step and step["op"] != "refresh" and not step["type"].startswith("pulumi:providers:"):
                steps.append((step["op"], step["urn"]))
            if event.get("diagnosticEvent", {}).get("severity") == "error":
                errors.append(event["diagnosticEvent"]["message"])
            changes = event.get("summaryEvent", {}).get("resourceChanges", changes)
        said = [one for one in map(_last_line, errors) if not re.fullmatch(r"\w+ failed", one)]
        error = [*said, f"pulumi ended with status {status}"][0] if status else ""
        return Result(not status, {op: changes.get(op, 0) for op in OPERATIONS}, steps, text, error)

    def after_a_kill(self) -> None:
        """Release the lock; and remove a file of attributes that the kill left empty or half.

        A file backend renames a state file into its place, but writes the ``.attrs`` beside it where that is, and
        then says ``failed to load checkpoint: EOF``. Without the file all is well.
        """
        for file in self._backend.rglob("*.attrs"):
            try:
                json.loads(file.read_text())
            except ValueError:
                file.unlink()
                self.removed += 1
        self._pulumi("cancel", "--yes")

    def import_state(self, state: Any) -> None:
        """Replace the state by one that was exported with its secrets."""
        salt = yaml.safe_load(self.config_file.read_text())["encryptionsalt"]
        state["deployment"]["secrets_providers"] = {"type": "passphrase", "state": {"salt": salt}}
        with tempfile.NamedTemporaryFile("w", dir=self.work, suffix=".json") as file:
            json.dump(state, file)
            file.flush()
            self._pulumi("stack", "import", "--file", file.name)

    def _pending(self, state: Any) -> set[str]:
        return {one["resource"]["urn"] for one in state["checkpoint"]["latest"].get("pending_operations") or ()}

    def _exported(self) -> list[dict[str, Any]]:
        deployment = json.loads(self._pulumi("stack", "export", "--show-secrets"))["deployment"]
        return list(deployment.get("resources") or [])

    def _pulumi(self, *arguments: str) -> str:
        argv = ["pulumi", *arguments, "--stack", self.name, "--non-interactive", "--color=never"]
        folder, env = self.config_file.parent, self._environment(None)
        done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"pulumi {' '.join(arguments)} failed: {done.stderr.strip()}")
        return done.stdout

    def _environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        own = {
            "PULUMI_BACKEND_URL": f"file://{self._backend}",
            "PULUMI_DEBUG_COMMANDS": "true",  # for --event-log
            "PULUMI_HOME": str(self.work / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        return super()._environment(own | dict(env or {}))


class SandboxStack(Stack):
    """On the sandbox's engine."""

    python: str | Path = sys.executable
    """What runs the engine, and in it the program."""
    references: Sequence[Stack] = ()
    """The stacks that the program may refer to, as ``organization/<project>/<stack>``."""

    @property
    def state_file(self) -> Path:
        return self.work / "state" / f"{self.name}.json"

    def command_line(self, command: str, *options: str) -> list[str]:
        """What runs a command; with the passphrase in its environment, in the project's folder."""
        places = [f"--program={self.program}", f"--config-file={self.config_file}", f"--state={self.state_file}"]
        for other in self.references if command in ("up", "preview") else ():
            name = f"organization/{other.project}/{other.name}"
            places += ["--reference", name, str(other.state_file), str(other.config_file)]
        return [str(self.python), "-m", "sandbox.engine", command, f"--stack={self.name}", *places, *options]

    def _run(self, command: str, options: Sequence[str], env: Environment, on_line: OnLine) -> Result:
        answer = self.work / "result.json"
        argv = self.command_line(command, *options, "--json")
        status, text = self._follow(argv, PROJECT, self._environment(env), on_line, answer)
        said = json.loads(answer.read_text() or "null") or {"changes": {}, "steps": [], "diagnostics": []}
        errors = [one["message"] for one in said["diagnostics"] if one["severity"] == "error"]
        steps = [(step["op"], step["urn"]) for step in said["steps"]]
        error = _last_line([*errors, text][0]) if status else ""
        return Result(not status, said["changes"], steps, text, error)

    def after_a_kill(self) -> None:
        """No lock is left: it ends with the engine."""

    def _pending(self, state: Any) -> set[str]:
        return set(state["pending"])

    def _exported(self) -> list[dict[str, Any]]:
        keyring = StackFile(self.config_file, self.passphrase).keyring
        return list(State(self.state_file, keyring, dry=True).export(show_secrets=True)["resources"])


def _options(
    replace: Iterable[str], refresh: bool, expect_no_changes: bool, target: Iterable[str] = ()
) -> list[str]:
    flags = {"--refresh": refresh, "--expect-no-changes": expect_no_changes}
    urns = [f"--replace={urn}" for urn in replace] + [f"--target={urn}" for urn in target]
    return urns + [flag for flag, given in flags.items() if given]


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1].strip()


def _opened(value: Any) -> Any:
    """The value, with the CLI's form of a shown secret turned into the engine's."""
    return walk(
        value, lambda it: secret(json.loads(it["plaintext"])) if is_secret(it) and "plaintext" in it else it
    )
