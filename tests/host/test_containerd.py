"""Whether ``doctor`` says of containerd's files what the real containerd does with them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import pytest

from sandbox.packages import ensure
from sandbox.paths import PROJECT
from sandbox.process import Process
from sandbox.shell import run
from tests.contract.docker_api import Registry
from tests.contract.upstream import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.pki import Authority

pytestmark = pytest.mark.xdist_group("containerd")

HOST = "registry.test"
"""Not localhost, of which containerd checks no certificate."""
NAMESPACE = 'mount --bind "$1/hosts" /etc/hosts && mount --bind "$1/etc" /etc/containerd && shift && exec "$@"'
"""What sees other files in /etc/hosts and /etc/containerd than the machine has."""
TABLE = '[host."https://{name}"]\n  '
CA = 'ca = "/etc/containerd/ca.pem"\n'
PAGE = (PROJECT / "docs/how-to/clients.md").read_text().partition("```toml\n")[2].partition("```")[0]
"""The first file that the page shows."""
ADVISED = PAGE.replace("registry.example.com:5000", "{name}").replace(
    "/etc/ssl/certs/our-authority.pem", "/etc/containerd/ca.pem"
)
CASES: dict[str, tuple[dict[str, str], bool]] = {
    "nothing": ({}, False),
    "what the page advises": ({"{name}/hosts.toml": ADVISED}, True),
    "of a host alone": ({"{name}/hosts.toml": f"{TABLE}{CA}"}, True),
    "no table of a host": ({"{name}/hosts.toml": f'server = "https://{{name}}"\n{CA}'}, False),
    "a list": ({"{name}/hosts.toml": f"{TABLE}ca = [\n'/etc/containerd/ca.pem',\n]"}, True),
    "beside it": ({"{name}/hosts.toml": f'{TABLE}ca = "x.pem"', "{name}/x.pem": "right"}, True),
    "folder without a colon": ({"{under}/hosts.toml": f"{TABLE}{CA}"}, True),
    "every registry's": ({"_default/ca.crt": "right"}, True),
    "stranger": ({"{name}/ca.crt": "other"}, False),
    "in a comment": ({"{name}/hosts.toml": f"{TABLE}# {CA}"}, False),
    "file that hosts.toml replaces": ({"{name}/hosts.toml": TABLE, "{name}/ca.crt": "right"}, False),
}


@pytest.fixture(scope="module")
def containerd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a containerd that runs, with its socket ``socket``."""
    if not which("containerd"):
        ensure("containerd")
    folder: Path = tmp_path_factory.mktemp("d")
    settings = f'version = 2\nroot = "{folder}/root"\nstate = "{folder}/state"\n'
    settings += f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "{folder}/socket"\n'
    (folder / "config.toml").write_text(settings)
    Path("/etc/containerd").mkdir(exist_ok=True)
    command: list[str | Path] = ["containerd", "--config", folder / "config.toml"]
    process = Process.start(command, record=folder / "process", log=folder / "log")
    try:
        deadline = time.monotonic() + 200
        while run(["ctr", "--address", folder / "socket", "version"], check=False).returncode:
            assert process.alive, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.1)
        yield folder
    finally:
        process.end()


@pytest.fixture(scope="module")
def address(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that has ``app:1``; its address."""
    folder: Path = tmp_path_factory.mktemp("registry")
    (folder / "ca.pem").write_text(authority.certificate_pem)
    with registry(folder, authority.issue([HOST, "localhost"])) as at:
        assert Registry(f"https://{at}", verify=str(folder / "ca.pem")).push("app", "1").status_code == 201
        yield at.replace("localhost", HOST)


def inside(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return run(["unshare", "--mount", "sh", "-c", NAMESPACE, "sh", folder, *command], check=False)


@pytest.mark.parametrize("case", CASES)
def test_doctor_agrees_with_containerd(
    containerd: Path, address: str, authority: Authority, tmp_path: Path, case: str
) -> None:
    files, trusted = CASES[case]
    contents = {"right": authority.certificate_pem, "other": type(authority).create("Stranger").certificate_pem}
    names = {"name": address, "under": address.replace(":", "_") + "_"}
    for name, content in {"../ca.pem": "right", **files}.items():
        file = tmp_path / "etc/certs.d" / name.format(**names)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(contents.get(content, content.replace("{name}", address)))
    (tmp_path / "hosts").write_text(f"127.0.0.1 localhost {HOST}\n")

    pull: list[str | Path] = [
        "ctr",
        "--address",
        containerd / "socket",
        "images",
        "pull",
        "--hosts-dir=/etc/containerd/certs.d",
    ]
    said = inside(tmp_path, *pull, f"{address}/app:1").stderr
    assert ("x509: " in said) == (not trusted), said
    if "advises" in case:  # a missing image is then not reported as a lack of trust
        assert inside(tmp_path, *pull, f"{address}/none:1").stderr.rstrip().endswith("not found")

    program = Path(sys.executable).with_name("nexus-registry")
    doctor = inside(tmp_path, program, "doctor", f"https://{address}", "--client=containerd", "--json")
    codes = [one["code"] for one in json.loads(doctor.stdout)]
    assert (not {"containerd-ca", "containerd-hosts"}.isdisjoint(codes)) == (not trusted), doctor.stdout
    assert ("containerd-hosts" in codes) == ("invalid `host` tree" in said), said
