"""Servers and registries on one host have ports and directories of their own."""

from __future__ import annotations

from typing import Any

import pytest
from nexus_registry.components import InvalidArguments
from pulumi_command import remote

from .components import SSH, registry, server

pytestmark = pytest.mark.usefixtures("preview")


def test_ports_of_one_host_are_distinct() -> None:
    nexus = server()
    with pytest.raises(InvalidArguments, match=r"https_port: 8443 is the https_port of Nexus"):
        registry("a", server=nexus, https_port=8443)
    registry("b", server=nexus, repository="b", https_port=5001, pushers={"b": "pw"})
    with pytest.raises(InvalidArguments, match=r"https_port: 5001 is the https_port of b"):
        registry("c", server=nexus, repository="c", https_port=5001)


def test_registries_of_two_servers_on_one_host_have_ports_of_their_own() -> None:
    one, other = server("a"), server("b", **PLACES)
    apart = server("c", **{**PLACES, "unit": "c", "install_root": "/opt/c", "data_dir": "/srv/c", "address": "::1",
                           "ssh": remote.ConnectionArgs(host="other.example.com")})  # fmt: skip
    registry("images", server=one, https_port=5000)
    registry("far", server=apart, https_port=5000)
    with pytest.raises(InvalidArguments, match=r"https_port: 5000 is the https_port of images of 'a' on the same"):
        registry("more", server=other, https_port=5000)
    registry("more", server=other, https_port=5001)


PLACES: dict[str, Any] = {
    "unit": "b",
    "install_root": "/opt/b",
    "data_dir": "/srv/b",
    "http_port": 8082,
    "https_port": 8444,
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unit": "nexus"}, r"unit: nexus is that of 'a' on the same host too"),
        ({"unit": "nexus.service"}, r"unit: nexus.service is that of 'a' on the same host too"),
        ({"install_root": "/opt/nexus"}, r"install_root: /opt/nexus is that of 'a' on the same host too"),
        ({"data_dir": "/var/lib/nexus"}, r"data_dir: /var/lib/nexus is that of 'a'"),
        ({"http_port": 8443}, r"http_port: 8443 is the https_port of Nexus of 'a' on the same host"),
    ],
)
def test_server_with_directory_of_other_is_refused(changes: dict[str, Any], said: str) -> None:
    server("a")
    with pytest.raises(ValueError, match=said):
        server("b", **{**PLACES, **changes})


def test_two_servers_on_one_host_have_places_of_their_own() -> None:
    server("a", address="192.0.2.1")
    server("b", **PLACES)
    server("c", ssh=remote.ConnectionArgs(host="other.example.com"))
    for name in ("e", "f"):  # each network has a host of this address
        bastion = remote.ProxyConnectionArgs(host=f"{name}.example.com")
        server(name, ssh=remote.ConnectionArgs(host="10.0.0.5", proxy=bastion))
    for port in (2201, 2202):
        forwarded: Any = {"host": "g.example.com", "port": port}
        server(f"g{port}", ssh=remote.ConnectionArgs(host="10.0.0.5", proxy=forwarded))
    server(
        "d",
        **{
            **PLACES,
            "unit": "d",
            "install_root": "/opt/d",
            "data_dir": "/srv/d",
            "address": "192.0.2.2",
            "http_port": 8081,
            "https_port": 8443,
            "ssh": SSH,
        },
    )
