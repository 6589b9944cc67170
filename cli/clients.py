"""Whether Docker and containerd on this machine trust the certificate of a registry."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..providers.address import host_and_port, registry_name
from ..providers.authority import tls_context
from .command import CommandError
from .finding import Finding
from .transport import connect

CLIENTS = ("docker", "containerd")
_STRING = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_CA = re.compile(r"^[ \t]*ca[ \t]*=[ \t]*(\[[^\]]*\]|\"[^\"\n]*\"|'[^'\n]*')", re.MULTILINE)
_SKIP_VERIFY = re.compile(r"^[ \t]*skip_verify[ \t]*=[ \t]*true\b", re.MULTILINE)
_HOST_TABLE = re.compile(r"^[ \t]*\[[ \t]*host[ \t]*[.\]]", re.MULTILINE)
_CONFIG_PATH = re.compile(r"^[ \t]*config_path[ \t]*=[ \t]*[\"'][^\"'\n]+[\"']", re.MULTILINE)
_CONFIG_VERSION = re.compile(r"^[ \t]*version[ \t]*=[ \t]*(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class _Trust:
    """What a client trusts beside the authorities of the system."""

    files: list[Path]
    remedy: str


def client_findings(url: str, clients: tuple[str, ...], root: Path) -> Iterator[Finding]:
    """What the configuration of the clients on this machine lacks for the registry at this address.

    Args:
        url: address of the registry.
        clients: those of ``CLIENTS`` that are to use it.
        root: where their configuration is: ``/``, but in a test.
    """
    if not url.startswith("https:"):
        return
    host, port = host_and_port(url)
    name = registry_name(host, port)
    for client in clients:
        trusted = _docker(root, name) if client == "docker" else _containerd(root, name)
        if client == "containerd":
            yield from _containerd_settings(root, name)
        if reason := _untrusted(url, host, trusted.files):
            title = {"docker": "Docker", "containerd": "containerd"}[client]
            yield Finding(
                f"{client}-ca", f"{title} on this machine does not trust {name}: {reason}", trusted.remedy
            )


def _untrusted(url: str, host: str, files: list[Path]) -> str:
    """Why a client with these authorities and the system's refuses the certificate; empty when it does not."""
    context = tls_context()
    for file in files:
        try:
            context.load_verify_locations(cafile=str(file))
        except (OSError, ssl.SSLError) as error:
            return f"{file} can't be read ({getattr(error, 'reason', None) or error.strerror})"
    try:
        if plain := connect(url):
            with plain, context.wrap_socket(plain, server_hostname=host):
                pass
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError:  # the examination of the address itself reports it
        pass
    return ""


def _docker(root: Path, name: str) -> _Trust:
    folder = root / "etc/docker/certs.d" / name
    return _Trust(sorted(folder.glob("*.crt")), f"Copy the certificate of the authority to {folder / 'ca.crt'}")


def _containerd(root: Path, name: str) -> _Trust:
    folder = _folder(root, name)
    hosts = folder / "hosts.toml"
    remedy = (
        f'Write into {hosts}: server = "https://{name}", ca = with the path of the authority in PEM, '
        f'[host."https://{name}"], and below it the same ca ='
    )
    if (text := _text(hosts)) is None:
        return _Trust(sorted(folder.glob("*.crt")), remedy)
    named = [first or second for value in _CA.findall(text) for first, second in _STRING.findall(value)]
    # An absolute path begins at the root, which is / but in a test.
    files = [root / one.lstrip("/") if one.startswith("/") else folder / one for one in named]
    return _Trust(files, remedy)


def _containerd_settings(root: Path, name: str) -> Iterator[Finding]:
    hosts = _folder(root, name) / "hosts.toml"
    if (text := _text(hosts)) is not None:
        if not _HOST_TABLE.search(text):
            yield Finding(
                "containerd-hosts",
                f"{hosts}: there is no [host] table, and containerd before 2.0 ignores such a file",
                f'Add [host."https://{name}"], and below it ca = with the path of the authority in PEM',
            )
        if _SKIP_VERIFY.search(text):
            yield Finding(
                "containerd-skip-verify",
                f"{hosts}: skip_verify makes containerd accept any certificate",
                "Remove it, and name the authority as ca",
            )
    config = root / "etc/containerd/config.toml"
    if (text := _text(config)) is None:
        return
    version = _CONFIG_VERSION.search(text)
    # From version 3 of the file on, which containerd 2 writes, certs.d is read without a setting.
    if int(version[1] if version else 1) < 3 and not _CONFIG_PATH.search(text):
        yield Finding(
            "containerd-config-path",
            f"{config}: there is no config_path, so Kubernetes does not use certs.d",
            'Set config_path = "/etc/containerd/certs.d" in '
            '[plugins."io.containerd.grpc.v1.cri".registry], and restart containerd',
        )


def _folder(root: Path, name: str) -> Path:
    """The folder that containerd reads for a registry: the first one that is there."""
    host, _, port = name.rpartition(":")
    base = root / "etc/containerd/certs.d"
    named = [base / f"{host}_{port}_"] if port.isdecimal() and host else []
    for folder in (*named, base / name, base / "_default"):
        if folder.is_dir():
            return folder
    return base / name


def _text(file: Path) -> str | None:
    """The text of a file without comments; None where there is no file."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise CommandError(f"--client: {error.strerror}: {file}. Run this as a user who may read it") from None
    return re.sub(r"^[ \t]*#.*$", "", text, flags=re.MULTILINE)
