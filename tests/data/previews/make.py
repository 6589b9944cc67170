"""Records the previews in this folder with the Pulumi CLI: ``python -m tests.data.previews.make``.

Each file is what ``pulumi preview --json`` prints for the program of this repository, shortened. No server is
needed: the state that the later previews start from is made of the first one's inputs.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import runpy
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pulumi
import yaml
from nexus_registry.components.settings import SECRETS

from sandbox.paths import PROJECT
from sandbox.pki import Authority
from sandbox.stack import PulumiStack, open_stack
from tests.unit.components import Recorder
from tests.unit.test_settings import configure

HERE = Path(__file__).parent
CANARY = "cAnArY-4711"
"""Every secret of the recorded stack has this in it."""
MARK, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
LONG = 240
CONNECTION = {"dialErrorLimit": 10, "perDialTimeout": 15, "port": 22, "user": "root"}


def stack_configuration() -> dict[str, Any]:
    authority, start = Authority.create("Example CA"), dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
    issued = authority.issue(
        ["registry.example.com"], not_before=start, not_after=start.replace(year=2036), intermediate=False
    )
    return {
        "ssh_host": "registry.example.com",
        "ssh_private_key": CANARY,
        "version": "3.76.1-01",
        "archive_sha256": "a" * 64,
        "admin_password": CANARY,
        "certificate": issued.certificate_pem,
        "private_key": issued.private_key_pem,
        "keystore_password": CANARY,
        "pushers": ["ci"],
        "pullers": ["kubelet"],
        "user_passwords": {"ci": CANARY, "kubelet": CANARY},
    }


def preview(stack: PulumiStack, command: str = "preview", *options: str) -> dict[str, Any]:
    argv = ["pulumi", command, "--json", f"--stack={stack.name}", f"--config-file={stack.config_file}", *options]
    env = stack._environment(None)
    done = subprocess.run(argv, cwd=stack.program, env=env, capture_output=True, text=True, check=False)
    if not done.stdout.startswith("{"):
        raise RuntimeError(done.stdout + done.stderr)
    return dict(json.loads(done.stdout))


def registered(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the program registers, by name, with its secrets in the clear: the CLI shows none of them."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder, project="nexus-registry", preview=False)
    configure(values)
    program = str(PROJECT / "__main__.py")
    pulumi.runtime.test(lambda: (runpy.run_path(program), None)[1])()  # type: ignore[no-untyped-call]
    return {name: inputs for (_, name), inputs in recorder.made.items()}


def sealed(value: Any) -> Any:
    """The value with its secrets marked as `pulumi stack import` takes them, at any depth."""
    if isinstance(value, dict) and MARK in value:
        return {MARK: SECRET, "plaintext": json.dumps(sealed(value["value"]))}
    if isinstance(value, dict):
        return {key: sealed(item) for key, item in value.items()}
    return [sealed(item) for item in value] if isinstance(value, list) else value


def state_of(stack: PulumiStack, masked: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """What an `up` would have left, for `pulumi stack import`."""
    known = registered(values)
    providers: dict[str, dict[str, Any]] = {}
    resources = []
    for new in (one["newState"] for one in masked["steps"]):
        entry = {key: new[key] for key in ("urn", "custom", "type", "parent") if key in new}
        if new["custom"]:
            package = new["type"].split(":")[0]
            urn = f"urn:pulumi:{stack.name}::{stack.project}::pulumi:providers:{package}::default"
            kind = {"urn": urn, "custom": True, "type": f"pulumi:providers:{package}", "id": f"id-{package}"}
            providers.setdefault(package, kind | {"inputs": {}, "outputs": {}})
            inputs: dict[str, Any] = dict(new.get("inputs", {}))
            for key in [key for key, value in inputs.items() if value == "[secret]"]:
                value = sealed(known[new["urn"].rpartition("::")[2]][key])
                if package == "command" and key == "connection":
                    value = {**CONNECTION, **value}
                inputs[key] = {MARK: SECRET, "plaintext": json.dumps(value)}
            outputs: dict[str, Any] = {"stdout": "", "stderr": ""} if package == "command" else {}
            if new["type"].endswith("Keystore"):
                outputs = {"content": {MARK: SECRET, "plaintext": json.dumps("UEsx")}}
            entry |= {"id": "it", "inputs": inputs, "outputs": inputs | outputs}
            entry |= {"provider": f"{urn}::id-{package}"}
        resources.append(entry)
    salt = yaml.safe_load(stack.config_file.read_text())["encryptionsalt"]
    deployment = {
        "manifest": {},
        "secrets_providers": {"type": "passphrase", "state": {"salt": salt}},
        "resources": [*providers.values(), *resources],
    }
    return {"version": 3, "deployment": deployment}


KEPT = ("urn", "type", "custom", "inputs", "protect", "retainOnDelete", "additionalSecretOutputs")


def trimmed(value: Any) -> Any:
    if isinstance(value, dict):
        state = "custom" in value
        return {
            key: item if key in ("create", "update", "delete") else trimmed(item)
            for key, item in value.items()
            if not state or key in KEPT
        }
    if isinstance(value, list):
        return [trimmed(item) for item in value]
    return f"{value[:LONG]}…" if isinstance(value, str) and len(value) > LONG else value


def record(name: str, found: dict[str, Any]) -> None:
    found["diagnostics"] = [
        one
        for one in found.get("diagnostics") or []
        if not one["severity"].startswith("info") and "from $PATH" not in one["message"]
    ]
    for key in ("config", "duration"):
        found.pop(key, None)
    text = json.dumps(trimmed(found), indent=1, ensure_ascii=False).replace(str(PROJECT), "/srv/nexus-registry")
    if CANARY in text:
        raise RuntimeError(f"{name}: a secret is in the preview")
    (HERE / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    print(name, len(text), found.get("changeSummary"))  # noqa: T201


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        stack = open_stack("pulumi", program=PROJECT, name="prod", work=Path(folder), passphrase="x")
        assert isinstance(stack, PulumiStack)
        right = stack_configuration()

        def change(**changes: Any) -> None:
            for key, value in {**right, **changes}.items():
                stack.set_config(key, value, secret=key in SECRETS)

        change()
        masked = preview(stack)
        record("create", masked)
        state = Path(folder) / "import.json"
        state.write_text(json.dumps(state_of(stack, masked, right)))
        stack._pulumi("stack", "import", "--force", "--file", str(state))
        record("same", preview(stack, "preview", "--expect-no-changes"))
        change(heap_mb=3000, pullers=[], user_passwords={"ci": CANARY + "2"}, renew_before=3650)
        record("update", preview(stack))
        change(heap_mb=2703, renew_before=30, repository="images", force_destroy=True, purge_data=True)
        record("replace", preview(stack))
        record("destroy", preview(stack, "destroy", "--preview-only"))
        change(data_dir="/", repository="docker-hosted", force_destroy=False, purge_data=False)
        record("refused", preview(stack))


if __name__ == "__main__":
    main()
