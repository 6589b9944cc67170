"""The commands in the comments of Pulumi.prod.yaml that take a certificate from another stack, by the real CLI."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from sandbox.paths import PROJECT
from sandbox.pki import Authority
from sandbox.shell import run

from .conftest import NO_CLI, PASSPHRASE

pytestmark = [pytest.mark.pulumi, NO_CLI]
PKI = """
from pathlib import Path

import pulumi

pulumi.export("certificate", Path("certificate.pem").read_text())
pulumi.export("private_key", pulumi.Output.secret(Path("key.pem").read_text()))
"""


def test_certificate_of_another_stack_is_set(tmp_path: Path) -> None:
    issued = Authority.create("Environments").issue(["registry.example.com"], key="ec")
    pki, prod = tmp_path / "pki", tmp_path / "prod"
    for folder in (pki, prod):
        folder.mkdir()
    (pki / "Pulumi.yaml").write_text("name: pki\nruntime: {name: python, options: {virtualenv: .venv}}\n")
    (pki / ".venv").symlink_to(sys.prefix)
    (pki / "__main__.py").write_text(PKI)
    (pki / "certificate.pem").write_text(issued.certificate_pem)
    (pki / "key.pem").write_text(issued.private_key_pem)
    for name in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        shutil.copy(PROJECT / name, prod)
    own = {"BACKEND_URL": f"file://{tmp_path}", "CONFIG_PASSPHRASE": PASSPHRASE, "HOME": str(tmp_path / "home")}
    env = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    env |= {f"PULUMI_{key}": value for key, value in {**own, "SKIP_UPDATE_CHECK": "true"}.items()}

    def shell(folder: Path, *commands: str) -> str:
        return run(["sh", "-euc", "\n".join(commands)], cwd=folder, env=env).stdout

    commands = re.findall(r"^#   (pulumi .*)$", (PROJECT / "Pulumi.prod.yaml").read_text(), re.MULTILINE)
    taken = [command for command in commands if "--stack organization/pki/prod" in command]
    assert len(taken) == 2
    shell(pki, "pulumi stack init prod", "pulumi up --yes --skip-preview --non-interactive")
    shell(prod, commands[0], *taken)
    assert shell(prod, "pulumi config get certificate").strip() == issued.certificate_pem.strip()
    assert shell(prod, "pulumi config get private_key").strip() == issued.private_key_pem.strip()
    assert "PRIVATE KEY" not in (prod / "Pulumi.prod.yaml").read_text()
