"""``nexus-registry doctor URL --client``: what Docker and containerd trust."""

from __future__ import annotations

from pathlib import Path

import pytest
from nexus_registry.cli.clients import client_findings
from nexus_registry.cli.command import CommandError

from sandbox.pki import Authority

from .doctor import Registry, authority, codes, context
from .fake import serve

HOSTS = '[host."https://127.0.0.1"]\n  ca = '


CLIENT_FILES: list[tuple[str, dict[str, str], list[str]]] = [
    ("docker", {}, ["docker-ca"]),
    ("docker", {"docker/certs.d/{name}/ca.crt": "right"}, []),
    ("docker", {"docker/certs.d/{name}/ca.crt": "other"}, ["docker-ca"]),
    ("docker", {"docker/certs.d/{name}/ca.crt": "no PEM"}, ["docker-ca"]),
    ("docker", {"docker/certs.d/{name}/ca.pem": "right"}, ["docker-ca"]),
    ("containerd", {}, ["containerd-ca"]),
    ("containerd", {"containerd/certs.d/{name}/hosts.toml": f'{HOSTS}"/etc/ca.pem"', "ca.pem": "right"}, []),
    ("containerd", {"containerd/certs.d/{name}/hosts.toml": f"{HOSTS}['x.pem']",
                    "containerd/certs.d/{name}/x.pem": "right"}, []),
    ("containerd", {"containerd/certs.d/{under}/hosts.toml": f'{HOSTS}[\n"/etc/ca.pem",\n]', "ca.pem": "right"},
     []),
    ("containerd", {"containerd/certs.d/_default/ca.crt": "right"}, []),
    ("containerd", {"containerd/certs.d/{name}/hosts.toml": f'{HOSTS}"/etc/none.pem"'}, ["containerd-ca"]),
    ("containerd", {"containerd/certs.d/{name}/hosts.toml": '# ca = "/etc/ca.pem"',
                    "ca.pem": "right"}, ["containerd-hosts", "containerd-ca"]),
    ("containerd", {"containerd/certs.d/{name}/hosts.toml": 'ca = "/etc/ca.pem"',
                    "ca.pem": "right"}, ["containerd-hosts"]),
    ("containerd", {"containerd/certs.d/{name}/hosts.toml": f'{HOSTS}"/etc/ca.pem"\n skip_verify = true',
                    "ca.pem": "right"}, ["containerd-skip-verify"]),
    ("containerd", {"containerd/config.toml": "version = 2\n[plugins]\n",
                    "containerd/certs.d/{name}/ca.crt": "right"}, ["containerd-config-path"]),
    ("containerd", {"containerd/config.toml": 'version = 2\n  config_path = "/etc/containerd/certs.d"\n',
                    "containerd/certs.d/{name}/ca.crt": "right"}, []),
    ("containerd", {"containerd/config.toml": "version = 3\n", "containerd/certs.d/{name}/ca.crt": "right"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("client", "files", "expected"), CLIENT_FILES)
def test_client_that_does_not_trust_authority(
    tmp_path: Path, client: str, files: dict[str, str], expected: list[str]
) -> None:
    """``{name}`` is the folder that is named as the registry, ``{under}`` the other form of it for containerd."""
    contents = {"right": authority().certificate_pem, "other": Authority.create("Stranger").certificate_pem}
    issued = authority().issue(["127.0.0.1"], key="ec")
    with serve(registry := Registry(), context(tmp_path, issued)) as fake:
        host, port = fake.url.removeprefix("https://").split(":")
        for name, content in files.items():
            file = tmp_path / "root/etc" / name.format(name=f"{host}:{port}", under=f"{host}_{port}_")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(contents.get(content, content))
        given = {"ca": authority().certificate_pem, "clients": (client,), "root": tmp_path / "root"}
        assert codes(fake, registry, **given) == expected


@pytest.mark.parametrize("name", ["etc/containerd/config.toml", "etc/containerd/certs.d/h:1/hosts.toml"])
def test_client_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir(parents=True)  # a folder: root may read any file
    with pytest.raises(CommandError, match=rf"^--client: Is a directory: {tmp_path / name}\. Run this as"):
        list(client_findings("https://h:1", ("containerd",), tmp_path))
