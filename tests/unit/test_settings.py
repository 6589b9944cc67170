"""The configuration of the program: read into arguments, and every mistake reported by key."""

from __future__ import annotations

import dataclasses
import json
import re
import runpy
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
import yaml
from nexus_registry.components.settings import SECRETS, Settings, keys, load
from nexus_registry.providers.client import Connection
from nexus_registry.providers.provider import CONNECTION

from sandbox.paths import PROJECT

from .certs import good

pytestmark = pytest.mark.usefixtures("sdk")
DECLARED = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"]
TYPES = {"str": "string", "int": "integer", "bool": "boolean", "list": "array", "object": "object"}
WITHOUT_DEFAULT = {"registry_http_port", "properties", "extra_roles"}
"""Keys that may be missing and have no default that Pulumi.yaml could state."""
CANARY = "cAnArY-4711"
MIRROR = {"archive_url": "https://mirror/nexus.tar.gz", "archive_username": "bob", "archive_password": CANARY}


def configuration(**changes: Any) -> dict[str, Any]:
    pems = good()
    right = {
        "ssh_host": "nexus.example.com",
        "ssh_private_key": CANARY,
        "version": "3.71.0-06",
        "archive_sha256": "a" * 64,
        "admin_password": CANARY,
        "certificate": pems["certificate"],
        "private_key": pems["private_key"],
        "keystore_password": CANARY,
        "pushers": ["ci"],
        "user_passwords": {"ci": CANARY},
    }
    return {**right, **changes}


def configure(values: Mapping[str, Any]) -> None:
    """Set the configuration to these values and the defaults of Pulumi.yaml."""
    stated = {key: declared["default"] for key, declared in DECLARED.items() if "default" in declared}
    texts = {
        f"nexus-registry:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in {**stated, **values}.items()
        if value is not None
    }
    pulumi.runtime.set_all_config(texts, [f"nexus-registry:{key}" for key in SECRETS])


def read(values: Mapping[str, Any]) -> Settings:
    """The settings of a stack with these values and the defaults of Pulumi.yaml."""
    configure(values)
    return load(pulumi.Config("nexus-registry"))


def mistakes(values: Mapping[str, Any]) -> dict[str, str]:
    """What is reported, by key."""
    with pytest.raises(pulumi.RunError) as refused:
        read(values)
    first, *lines = str(refused.value).split("\n  ")
    assert first == "the configuration is refused:"
    assert CANARY not in str(refused.value)
    return dict(line.split(": ", 1) for line in lines)


def test_every_key_has_type_and_default_of_argument() -> None:
    for key, (kind, default) in keys().items():
        if key not in DECLARED:
            assert key in WITHOUT_DEFAULT or (key in SECRETS and default is None), f"{key} is not in Pulumi.yaml"
            continue
        stated = DECLARED[key]
        assert stated["type"] == TYPES[kind], key
        assert stated.get("secret", False) == (key in SECRETS), key
        if default is dataclasses.MISSING:
            assert "default" not in stated, key
        else:
            assert (stated["default"] or None) == (default or None), key
    assert set(DECLARED) <= {*keys(), *CONNECTION}, "a key that nothing reads"


def test_connection_is_declared_once() -> None:
    """Pulumi.yaml and the type of a connection have the declared properties. A secret is named in the comment."""
    assert set(Connection.__annotations__) == set(CONNECTION)
    comment = (PROJECT / "Pulumi.yaml").read_text().partition("config:")[0]
    for name, field in CONNECTION.items():
        if field.secret:
            assert re.search(rf"\b{name}\b", comment)
        else:
            assert DECLARED[name]["type"] == "string", name
            assert name == "version" or (DECLARED[name]["default"] or None) == field.default, name


def test_configuration_becomes_arguments() -> None:
    values = configuration(
        registry_https_port=443,
        https_port=9443,
        login_server="images.example.com",
        registry_ca="of the proxy",
        properties={"nexus.scripts.allowCreation": "false"},
        extra_roles={"ci": ["nx-metrics"]},
        pullers=["al"],
        cleanup_policy_names=["old-images"],
        user_passwords={"ci": CANARY, "al": CANARY},
        accept_eula=True,
    )
    settings = read(values)
    server, registry = settings.server, settings.registry
    assert (server.https_port, registry.https_port, registry.http_port) == (9443, 443, None)
    assert (server.accept_eula, server.heap_mb, server.java_home) == (True, 2703, None)
    assert (server.ssh.host, server.ssh.port, server.ssh.user) == ("nexus.example.com", 22, "root")
    assert server.properties == {"nexus.scripts.allowCreation": "false"}
    assert (registry.login_server, registry.ca) == ("images.example.com", "of the proxy")
    assert ([*registry.pushers], [*registry.pullers]) == (["ci"], ["al"])
    assert registry.extra_roles == {"ci": ["nx-metrics"]}
    assert registry.cleanup_policy_names == ["old-images"]
    for secret in (server.admin_password, server.private_key, registry.pushers["ci"]):
        assert isinstance(secret, pulumi.Output)


def test_numbers_and_booleans_in_objects_are_strings() -> None:
    """`pulumi config set --path` makes a number of 12345 and a boolean of true."""
    settings = read(
        configuration(
            pushers=["12345"],
            user_passwords={"12345": 678},
            extra_roles={"12345": [True]},
            properties={"nexus.datastore.enabled": True, "a": 10, "b": 1.50},
        )
    )
    assert settings.registry.extra_roles == {"12345": ["true"]}
    assert settings.server.properties == {"nexus.datastore.enabled": "true", "a": "10", "b": "1.5"}


def test_all_mistakes_are_reported_by_key() -> None:
    found = mistakes(
        configuration(
            ssh_host=None,
            admin_password=None,
            heap_mb="much",
            accept_eula="perhaps",
            archive_sha256="abc",
            data_dir="/",
            certificate="none",
            registry_https_port=8443,
            repository="Team",
            pushers=["ci", "bob"],
            anonymous_pull=True,
            docker_port=5000,
        )
    )
    assert set(found) == {
        "ssh_host",
        "admin_password",
        "heap_mb",
        "accept_eula",
        "archive_sha256",
        "data_dir",
        "certificate",
        "registry_https_port",
        "repository",
        "pushers",
        "anonymous_pull",
        "docker_port",
    }
    assert found["ssh_host"] == "is required. Run `pulumi config set ssh_host <value>`."
    assert found["admin_password"] == "is required. Run `pulumi config set --secret admin_password <value>`."
    assert found["heap_mb"] == "must be a whole number, not 'much'."
    assert found["pushers"].startswith("'bob' has no password in user_passwords. Run `pulumi config set --secret")
    assert found["docker_port"].startswith("is called registry_https_port now.")


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({"private_key": "none"}, "private_key", ""),
        ({"keystore_password": "short"}, "keystore_password", "has fewer than 6 characters"),
        (
            {
                **dict.fromkeys(("certificate", "private_key")),
                "certificate_path": "/a.pem",
                "private_key_path": "/a.key",
                "keystore_password": "CRYPT:secret",
            },
            "keystore_password",
            "begins with OBF:, CRYPT: or ENV:, which Jetty",
        ),
        ({"ssh_host": "elsewhere.example.com"}, "hostname", "'elsewhere.example.com' is none of the names"),
        ({"user_passwords": "text"}, "user_passwords", "must be an object"),
        ({"pushers": "ci"}, "pushers", "must be a list of strings"),
        ({"pushers": [7]}, "pushers", "must be a list of strings"),
        ({"properties": {"a": None}}, "properties", "must be an object"),
        ({"extra_roles": {"ci": [{}]}}, "extra_roles", "must be an object"),
        ({"user_passwords": {"ci": ["pw"]}}, "pushers", "'ci' has no password in user_passwords"),
        ({"extra_roles": {"ci": "auditors"}}, "extra_roles", "must be a mapping of strings to lists"),
        ({"pushers": ["o'neil"]}, "pushers", """--path 'user_passwords["o'"'"'neil"]' <password>"""),
        ({"user_passwords": {"ci": ""}}, "pushers", "'ci' has no password in user_passwords"),
        ({"registry_https_port": 0}, "registry_https_port", "is required"),
        ({"version": "3.77.1-01"}, "accept_eula", "version 3.77.1-01 serves nothing"),
        ({**MIRROR, "archive_password": f"{CANARY}\n{CANARY}"}, "archive_password", "must be one line"),
        ({**MIRROR, "archive_username": f"bob:{CANARY}"}, "archive_username", "must contain no colon"),
        ({"context_path": "nexus"}, "context_path", "/nexus"),
    ],
)
def test_error_is_reported_by_key(changes: dict[str, Any], key: str, said: str) -> None:
    found = mistakes(configuration(**changes))
    assert said in found[key], found


def test_misspelled_key_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no effect: images would be open to nobody, or the data unprotected."""
    given = ["anonymus_pull", "protected", "anonymous_pull", "check_passwords", "adopt", "our_team"]
    keys_ = [*(f"nexus-registry:{key}" for key in given), "other:anonymus_pull"]
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(dict.fromkeys(keys_, "x")))
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    read(configuration())
    assert said == [
        "anonymus_pull: is not a configuration key. Did you mean anonymous_pull?",
        "protected: is not a configuration key. Did you mean protect?",
    ]


def test_program_registers_nothing_when_value_is_wrong(sdk: None) -> None:
    """Run the program as it is, once refused and once taken."""
    registered: list[str] = []

    class Recorder(pulumi.runtime.Mocks):
        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
            registered.append(args.name)
            return args.name, {"fingerprint": "ab" * 32, "content": "UEsx", **args.inputs}

        def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], None]:
            return {}, None

    def program() -> None:
        runpy.run_path(str(PROJECT / "__main__.py"))

    pulumi.runtime.set_mocks(Recorder(), project="nexus-registry", preview=True)
    configure(configuration(pushers=["bob"]))
    with pytest.raises(pulumi.RunError, match=r"pushers: 'bob' has no password in user_passwords"):
        program()
    assert registered == []
    configure(configuration())
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    assert {"nexus-service", "registry-repository", "registry:ci", "registry-proof"} <= set(registered)
