"""The components refuse invalid arguments by name, and know addresses without a request."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
from nexus_registry.components import (
    InvalidArguments,
)
from nexus_registry.components.registry import docker_config_json
from nexus_registry.providers.compat import archive_name, java_major
from pulumi_command import remote

from .components import NO_PEMS, ON_HOST, registry, server

pytestmark = pytest.mark.usefixtures("preview")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "latest"}, r"version: 'latest' is no Nexus version.*3\.71\.0-06"),
        ({"version": "3.71.0"}, r"version: '3\.71\.0' has no build"),
        ({"version": "3.77.1-01"}, r"accept_eula: .*ce-eula"),
        ({"archive_sha256": "abc"}, r"archive_sha256: must be 64"),
        ({"archive_url": "https://x/a", "archive_path": "/a"}, r"archive_url: excludes archive_path"),
        ({"architecture": "riscv"}, r"architecture: must be x86_64 or aarch64"),
        ({"version": "3.78.0-01", "accept_eula": True, "architecture": "aarch64"}, r"architecture: .*no archive"),
        (
            {"archive_url": "https://bob:pw@mirror/n.tar.gz"},
            r"archive_url: contains a login\. Give it as archive_username",
        ),
        ({"archive_url": "https://m/n", "archive_password": "pw"}, r"archive_password: needs archive_username"),
        ({"archive_username": "bob", "archive_password": "pw"}, r"archive_username: is for a mirror"),
        ({"archive_url": "https://m/n", "archive_username": "a:b", "archive_password": "p"}, r"no colon"),
        ({"http_port": 0}, r"http_port: must be from 1 to 65535, not 0"),
        ({"http_port": 8443}, r"https_port: is 8443, like http_port"),
        ({"data_dir": "/"}, r"data_dir: '/' has an empty part"),
        ({"data_dir": "/srv/../data"}, r"data_dir: .* has an empty part, '\.' or '\.\.'"),
        ({"data_dir": "/var/lib"}, r"data_dir: /var/lib belongs to the system"),
        (
            {"data_dir": "/var/lib/nexus-registry/data"},
            r"data_dir: .* is for the records of the steps",
        ),
        ({"install_root": "opt"}, r"install_root: 'opt' is not an absolute path"),
        ({"java_home": "java"}, r"java_home: 'java' is not an absolute path"),
        ({"install_root": "/srv/nexus", "data_dir": "/srv/nexus"}, r"install_root: /srv/nexus lies in data_dir"),
        ({"data_dir": "/opt/nexus/nexus-3.71.0-06/data"}, r"data_dir: .* lies in the program of one version"),
        ({"java_home": "/tmp/java"}, r"java_home: /tmp/java: the service has a /tmp"),
        ({"user": "-x"}, r"user: '-x' may hold only"),
        ({"user": "root"}, r"user: Nexus must not run as root"),
        ({"group": "-g"}, r"group: '-g' may hold only"),
        ({"unit": "a b"}, r"unit: 'a b' may hold only"),
        ({"context_path": "nexus"}, r"context_path: must be a path such as /nexus, .*not 'nexus'"),
        ({"context_path": "/nexus/.."}, r"context_path: must be a path .* without \. and \.\. as parts"),
        ({"context_path": "/nexus/"}, r"context_path: must be a path such as /nexus, .*not '/nexus/'"),
        ({"address": "a b"}, r"address: 'a b' is no IP address"),
        ({"properties": {"application-port": "9"}}, r"properties: application-port is managed\. Set http_port"),
        ({"properties": {"a b": "9"}}, r"properties: the key 'a b'"),
        ({"properties": {"a": "\u00e9"}}, r"properties: the value of a is not printable ASCII"),
        (
            {"properties": {"nexus.datastore.nexus.password": "s3cret"}},
            r"properties: nexus.datastore.nexus.password is a secret, .*/etc/fabric/nexus-store.properties",
        ),
        (
            {"properties": {"nexus.datastore.nexus.jdbcUrl": "jdbc:postgresql://db/nexus?user=a&password=s3cret"}},
            r"properties: nexus.datastore.nexus.jdbcUrl contains a password, .*/etc/fabric/nexus-store.properties",
        ),
        (
            {"properties": {"nexus.mySecret": "s3cret"}},
            r"properties: nexus.mySecret is a secret, .*/etc/nexus.properties",
        ),
        ({"start_timeout": 0}, r"start_timeout: must be from 1"),
        ({"certificate": None}, r"certificate: is required. Give it, or certificate_path and private_key_path"),
        ({"certificate_path": "/a.pem"}, r"certificate_path: excludes certificate and private_key"),
        ({**NO_PEMS, "certificate_path": "/a.pem"}, r"private_key_path: is required"),
        ({**ON_HOST, "certificate_path": "a.pem"}, r"certificate_path: must be an absolute path"),
        ({**ON_HOST, "keystore_format": "jks"}, r"keystore_format: must be pkcs12"),
        ({**ON_HOST, "chain": "pem"}, r"chain: requires certificate"),
        ({**ON_HOST, "keystore_password": "s3cr3"}, r"keystore_password: has fewer than 6 characters"),
        ({"url": "nexus.example.com"}, r"url: must be https://host:port"),
        ({**ON_HOST, "hostname": "https://nexus.example.com"}, r"hostname: must be a name or an address, without"),
        ({"heap_mb": 64}, r"heap_mb: must be at least 256"),
        (
            {"version": "3.82.0-08", "accept_eula": True, "java_package": "x"},
            r"java_package: the archive of Nexus 3.82.0-08 contains its Java",
        ),
        ({"keystore_format": "pem"}, r"keystore_format: must be pkcs12 or jks"),
        ({"properties": {"nexus.onboarding.enabled": True}}, r"properties: must be a mapping with strings only\."),
        ({"https_port": "8443"}, r"https_port: must be a whole number, not of the type str"),
        ({"heap_mb": 2703.5}, r"heap_mb: must be a whole number, not of the type float"),
        ({"unit": None}, r"unit: must be a string, not of the type NoneType"),
        ({"data_dir": pulumi.Output.from_input("/x")}, r"data_dir: must be a string, not of the type Output"),
        ({"archive_url": "ftp://mirror/nexus.tar.gz"}, r"archive_url: must begin with https://"),
        ({"open_firewall": "yes"}, r"open_firewall: must be True or False, not of the type str"),
    ],
)
def test_server_refuses_invalid_argument(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidArguments, match=said) as refused:
        server(**changes)
    assert "s3cret" not in str(refused.value)


def test_properties_with_secret_like_names_are_taken() -> None:
    server(properties={"nexus.secrets.file": "/etc/nexus/key.json", "nexus.security.randompassword": "false"})


def test_password_that_is_output_is_refused_in_preview(sdk: asyncio.AbstractEventLoop) -> None:
    """No other check sees the password of a keystore that is made on the host before it is sent there."""

    async def known(outputs: Mapping[str, pulumi.Input[str]]) -> dict[str, Any]:
        return await pulumi.Output.all(**outputs).future() or {}

    def secrets(password: str) -> dict[str, Any]:
        ssh = remote.ConnectionArgs(host=f"{password}.example.com")
        made = server(password, **ON_HOST, ssh=ssh, keystore_password=pulumi.Output.secret(password))
        return sdk.run_until_complete(known(made._certificate(None)[1]))

    assert secrets("secret")["KEYSTORE_PASSWORD"] == "secret"
    with pytest.raises(InvalidArguments, match="keystore_password: has fewer than 6 characters"):
        secrets("s3cr3")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, r"hostname: is required"),
        *(
            ({"hostname": wrong}, r"hostname: must be a name or an address, without scheme and port, not ")
            for wrong in ("https://h", "h:8443", "h/nexus", "ci@h", "[::1", "[::1]:5000")
        ),
        ({"hostname": "h", "https_port": None}, r"https_port: is required"),
        ({"hostname": "h", "https_port": 70000}, r"https_port: must be from 1 to 65535"),
        ({"hostname": "h", "http_port": 5000}, r"https_port: is 5000, like http_port"),
        ({"hostname": "h", "pushers": {}}, r"pushers: names nobody"),
        ({"hostname": "h", "pullers": {"ci": "pw"}}, r"pullers: 'ci' is a pusher too"),
        ({"hostname": "h", "existing_users": {"ci": "pw"}}, r"existing_users: 'ci' is a pusher"),
        ({"hostname": "h", "extra_roles": {"al": ["x"]}}, r"extra_roles: 'al' is no pusher or puller"),
        ({"hostname": "h", "pushers": {"a b": "pw"}}, r"pushers: the id of 'a b' must have no white space"),
        ({"hostname": "h", "pushers": {"admin": "pw"}}, r"pushers: the id of 'admin' is built into Nexus"),
        ({"hostname": "h", "pushers": {"ci": ""}}, r"pushers: the password of 'ci' must not be empty"),
        ({"hostname": "h", "repository": "Team"}, r"repository: must be lower-case letters"),
        ({"hostname": "h", "repository": "x" * 198}, r"repository: must have at most 200 characters"),
        ({"hostname": "h", "cleanup_policy_names": ["a", 3]}, r"cleanup_policy_names: "),
        ({"hostname": "h", "cleanup_policy_names": "a"}, r"cleanup_policy_names: must be a list"),
        ({"hostname": "h", "extra_roles": {"ci": "auditors"}}, r"extra_roles: must be a mapping of"),
        ({"hostname": "h", "pushers": ["ci"]}, r"pushers: must be a mapping, not of the type list"),
        ({"hostname": "h", "write_policy": "never"}, r"write_policy: must be one of"),
        ({"login_server": "https://h"}, r"login_server: must be a host with an optional port"),
    ],
)
def test_registry_refuses_invalid_argument(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidArguments, match=said):
        registry(**changes)


def test_all_invalid_arguments_are_listed() -> None:
    with pytest.raises(InvalidArguments) as refused:
        server(heap_mb=1, data_dir="/", version="latest", http_port=0)
    assert [argument for argument, _ in refused.value.problems] == ["version", "http_port", "data_dir", "heap_mb"]
    assert all(f"\n  {argument}: " in str(refused.value) for argument, _ in refused.value.problems)


def test_anonymous_pull_needs_anonymous_access() -> None:
    with pytest.raises(InvalidArguments, match=r"anonymous_pull: needs anonymous_access"):
        registry(server=server(), anonymous_pull=True)


@pulumi.runtime.test  # type: ignore[untyped-decorator]
def test_addresses_are_known_in_preview() -> pulumi.Output[None]:
    nexus = server(context_path="/nexus")
    images = registry(server=nexus, blob_store_name=pulumi.Output.from_input("images"))

    def look(known: list[Any]) -> None:
        url, login_server, connection, config = known
        assert url == connection["url"] == "https://registry.example.com:8443/nexus"
        assert connection["version"] == "3.71.0-06", "by which a preview refuses what it lacks"
        assert login_server == "registry.example.com:5000"
        assert list(json.loads(config)["auths"]) == [login_server]

    return pulumi.Output.all(nexus.url, images.login_server, nexus.connection, images.docker_config_json).apply(
        look
    )


@pytest.mark.parametrize(("host_key", "warnings"), [("ssh-ed25519 AAAA", 0), (None, 1)])
def test_missing_host_key_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, host_key: str | None, warnings: int
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, resource: said.append(f"{resource.name}: {text}"))
    ssh = remote.ConnectionArgs(host="registry.example.com", private_key="k", host_key=host_key)
    name = server(ssh=ssh).name
    assert len(said) == warnings
    assert all(one.startswith(f"{name}: ssh: has no host_key, so the host's identity") for one in said)


def test_server_without_rest_gets_host_steps_only() -> None:
    assert [type(one).__name__ for one in server(version="3.19.1-01").ready] == ["Command"]


def test_pull_secret_has_docker_config_format() -> None:
    config = json.loads(docker_config_json("host:5000", "ci", 'p"w'))
    auth = base64.b64decode(config["auths"]["host:5000"]["auth"]).decode()
    assert auth == 'ci:p"w'


@pytest.mark.parametrize(
    ("version", "architecture", "name", "java"),
    [
        ("3.19.1-01", "x86_64", "nexus-3.19.1-01-unix.tar.gz", 8),
        ("3.70.1-02", "x86_64", "nexus-3.70.1-02-java8-unix.tar.gz", 8),
        ("3.71.0-06", "aarch64", "nexus-3.71.0-06-unix.tar.gz", 17),
        ("3.78.2-04", "x86_64", "nexus-unix-x86-64-3.78.2-04.tar.gz", None),
        ("3.96.0-01", "aarch64", "nexus-3.96.0-01-linux-aarch_64.tar.gz", None),
    ],
)
def test_archive_and_java_follow_version(version: str, architecture: str, name: str, java: int | None) -> None:
    assert (archive_name(version, architecture), java_major(version)) == (name, java)


def test_registry_at_443_requires_privileged_ports() -> None:
    with pytest.raises(InvalidArguments, match=r"https_port: 443 needs privileged_ports on the server"):
        registry("a", server=server(), https_port=443)
    for name, changes in (("b.example.com", {"privileged_ports": True}), ("c.example.com", {"https_port": 444})):
        nexus = server(name[0], ssh=remote.ConnectionArgs(host=name), **changes)
        assert registry(f"of-{name[0]}", server=nexus, https_port=443).address == name


@pytest.mark.parametrize("hostname", ["2001:db8::1", "[2001:db8::1]"])
def test_ipv6_address_of_server_elsewhere_is_bracketed(hostname: str, sdk: None) -> None:
    assert registry(hostname=hostname).address == "[2001:db8::1]:5000"


@pulumi.runtime.test  # type: ignore[untyped-decorator]
def test_ipv6_address_is_bracketed_in_urls() -> pulumi.Output[None]:
    nexus = server(ssh=remote.ConnectionArgs(host="2001:db8::1"))
    images = registry(server=nexus)
    assert nexus.hostname == "2001:db8::1"

    def check(known: list[str]) -> None:
        assert known == ["https://[2001:db8::1]:8443", "[2001:db8::1]:5000"]

    return pulumi.Output.all(nexus.url, images.login_server).apply(check)
