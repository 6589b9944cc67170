"""The command lines of the host steps that the components create."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .components import ON_HOST, registered, registry, server

pytestmark = pytest.mark.usefixtures("sdk")


def host_lines(**changes: Any) -> dict[str, str]:
    """The command line of each host step's update, by the resource's name."""
    made = registered(lambda: registry(server=server(**changes)))
    return {name: inputs["update"] for (kind, name), inputs in made.items() if kind == "Command"}


def test_new_value_of_repair_runs_every_host_step_again() -> None:
    before, after = host_lines(), host_lines(repair="2026-11-24")
    names = ["prepare", "account", "archive", "keystore-file", "service"]
    assert sorted(after) == sorted([*(f"nexus-{name}" for name in names), "registry-port"])
    assert {name: line.replace(" --repair 2026-11-24", "") for name, line in after.items()} == before
    assert all(" --repair 2026-11-24" in line for line in after.values())


def test_host_steps_name_component() -> None:
    """By its URN a delete knows whether another resource has taken over."""
    named = [name for name, line in host_lines().items() if re.search(r" --urn '\S+:NexusServer::nexus'$", line)]
    assert sorted(named) == sorted(
        f"nexus-{step}" for step in ("prepare", "account", "archive", "keystore-file", "service")
    )


def test_open_firewall_opens_https_and_registry_ports() -> None:
    assert not [line for line in host_lines().values() if "firewall" in line]
    opened = [name for name, line in host_lines(open_firewall=True).items() if "--open-firewall yes" in line]
    assert sorted(opened) == ["nexus-prepare", "registry-port"]


def test_address_of_server_is_that_of_registry() -> None:
    lines = host_lines(address="10.0.0.5")
    assert all("--address 10.0.0.5" in lines[name] for name in ("nexus-service", "registry-port"))


def test_certificate_on_host_is_read_there() -> None:
    lines = host_lines(**ON_HOST)
    paths = "--certificate-path /etc/ssl/nexus.pem --private-key-path /etc/ssl/nexus.key"
    assert f"--fingerprint host {paths} --hostname registry.example.com" in lines["nexus-keystore-file"]
    assert "--fingerprint host" in lines["nexus-service"]


def test_privileged_ports_and_timeouts_reach_steps() -> None:
    plain, changed = host_lines(), host_lines(https_port=443, lock_timeout=60)
    assert not [line for line in plain.values() if "privileged" in line or "lock" in line]
    assert "--privileged-ports yes" in changed["nexus-service"]
    assert all("--lock-timeout 60" in line for line in changed.values())
