"""The same objects by Terraform and its provider datadrivers/nexus, where both are installed.

``terraform init`` must find the provider by itself: in a mirror that the CLI's configuration names, or in
Terraform's registry.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from nexus_registry.providers.client import Connection

COMMANDS = {
    "create": ("apply", "-auto-approve"),
    "unchanged preview": ("plan", "-detailed-exitcode"),
    "unchanged up": ("apply", "-auto-approve"),
    "refresh": ("apply", "-refresh-only", "-auto-approve"),
    "one change": ("apply", "-auto-approve", "-var=change=changed"),
    "destroy": ("destroy", "-auto-approve"),
}
"""By step of the bench."""


class Terraform:
    """A configuration in a folder of its own."""

    def __init__(self, folder: Path, count: int, server: Connection) -> None:
        self._folder = folder
        authority = folder / "ca.pem"
        authority.write_text(server["ca"])
        self._environment = os.environ | {"TF_IN_AUTOMATION": "1", "SSL_CERT_FILE": str(authority)}
        (folder / "main.tf.json").write_text(json.dumps(_configuration(count, server)))

    def prepare(self) -> bool:
        """Whether Terraform and its provider are here."""
        return bool(shutil.which("terraform")) and self._run("init", "-input=false").returncode == 0

    def run(self, step: str) -> None:
        """Run the command of a step; raise when it fails."""
        done = self._run(*COMMANDS[step], "-input=false", "-no-color")
        if done.returncode:
            raise RuntimeError(f"terraform, {step}: {done.stdout[-2000:]}\n{done.stderr[-2000:]}")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["terraform", *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )


def _configuration(count: int, server: Connection) -> dict[str, object]:
    people = count // 4
    name = "bench-${count.index}"
    return {
        "terraform": {"required_providers": {"nexus": {"source": "datadrivers/nexus"}}},
        "provider": {
            "nexus": {
                "url": server["url"],
                "username": server["username"],
                "password": server["password"],
                "insecure": False,
            }
        },
        "variable": {"change": {"default": ""}},
        "resource": {
            "nexus_repository_raw_hosted": {
                "repository": {
                    "count": count - 2 * people,
                    "name": name,
                    "online": True,
                    "storage": {
                        "blob_store_name": "default",
                        "strict_content_type_validation": True,
                        "write_policy": "ALLOW",
                    },
                }
            },
            "nexus_security_role": {
                "role": {
                    "count": people,
                    "roleid": name,
                    "name": name,
                    "description": '${count.index == 0 ? var.change : ""}',
                    "privileges": ["nx-repository-view-raw-*-read", "nx-repository-view-raw-*-browse"],
                }
            },
            "nexus_security_user": {
                "user": {
                    "count": people,
                    "userid": name,
                    "firstname": name,
                    "lastname": name,
                    "email": "${count.index}@bench.invalid",
                    "password": "password-${count.index}",
                    "roles": ["${nexus_security_role.role[count.index].roleid}"],
                    "status": "active",
                }
            },
        },
    }
