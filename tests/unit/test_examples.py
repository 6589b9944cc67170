"""Every example registers what its text says; those that need no host also run on a real server, in contract."""

from __future__ import annotations

import base64
import json
import runpy
import sys
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from cryptography.x509 import KeyUsage, load_pem_x509_certificate
from nexus_registry.providers.keystore import KeystoreProvider

from sandbox.paths import PROJECT

from .components import Made, Recorder, registered

EXAMPLES = PROJECT / "examples"
HOST = {
    "host": "nexus.example.com",
    "ssh_host_key": "ssh-ed25519 AAAA",
    "ssh_private_key": "key",
    "archive_sha256": "a" * 64,
    "admin_password": "pw",
    "ci_password": "pw",
    "keystore_password": "secret",
}
CONFIGURED: dict[str, dict[str, str]] = {
    "existing-server": {"hostname": "nexus.example.com", "port": "5000", "ci_password": "pw"},
    "two-teams": {
        "hostname": "nexus.example.com",
        "port_a": "5001",
        "port_b": "5002",
        "ci_password": "pw",
        "reader_password": "pw",
    },
    "reverse-proxy": {
        **HOST,
        "certificate": "certificate",
        "private_key": "key",
    },
    "issued-certificate": HOST,
    "certificate-on-host": HOST,
    "platform": {
        "teams": json.dumps(
            {
                team: {
                    "hostname": f"{team}.example.com",
                    "registry_port": 5000,
                    "ssh_host_key": "ssh-ed25519 AAAA",
                }
                for team in ("web", "data")
            }
        ),
        "server": json.dumps({"version": "3.76.1-01", "archive_sha256": "a" * 64}),
        "passwords": json.dumps(
            {team: dict.fromkeys(("admin", "keystore", "ci", "cluster"), "secret") for team in ("web", "data")}
        ),
        "ssh_private_key": "key",
        "ssh_port": "22",
    },
}


@pytest.fixture
def run(sdk: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Made]:
    """Runs an example, and returns what it registered."""

    def example(name: str) -> Made:
        values = {f"{name}:{key}": value for key, value in CONFIGURED[name].items()}
        pulumi.runtime.set_all_config(values, [])
        monkeypatch.syspath_prepend(str(EXAMPLES / name))
        program = str(EXAMPLES / name / "__main__.py")
        made = registered(lambda: runpy.run_path(program), name)
        for module in ("issuer", "authority", "handed_on"):
            sys.modules.pop(module, None)
        return made

    return example


def line(made: Made, step: str) -> str:
    return str(made["Command", step]["update"])


def test_every_example_is_tested() -> None:
    programs = {file.parent.name for file in EXAMPLES.glob("*/Pulumi.yaml")}
    assert programs == set(CONFIGURED)


def test_existing_server(run: Callable[[str], Made]) -> None:
    made = run("existing-server")
    assert made["RegistryProof", "team-a-proof"]["login_server"] == "nexus.example.com:5000"


def test_two_teams_share_user_and_use_existing_roles(run: Callable[[str], Made]) -> None:
    made = run("two-teams")
    assert made["User", "ci-user"]["roles"] == ["team-a-images-push", "team-b-images-push"]
    assert made["User", "team-b:reader"]["roles"] == ["nx-anonymous", "team-auditors"]
    assert {name for kind, name in made if kind == "Role"} == {
        "auditors",
        "team-a-push",
        "team-a-pull",
        "team-b-push",
    }


@pytest.mark.parametrize("name", ["reverse-proxy", "issued-certificate", "certificate-on-host", "platform"])
def test_example_verifies_its_host(run: Callable[[str], Made], name: str) -> None:
    connections = [one["connection"] for (kind, _), one in run(name).items() if kind == "Command"]
    assert {one.get("hostKey") for one in connections} == {"ssh-ed25519 AAAA"}


def test_reverse_proxy_is_what_clients_and_resources_reach(run: Callable[[str], Made]) -> None:
    made = run("reverse-proxy")
    assert "--address 127.0.0.1" in line(made, "nexus-service")
    assert "--context-path /nexus" in line(made, "nexus-service")
    repository = made["DockerHostedRepository", "images-repository"]
    assert (repository["http_port"], repository.get("https_port")) == (5000, None)
    assert repository["connection"]["url"] == "https://nexus.example.com/nexus"
    proof = made["RegistryProof", "images-proof"]
    assert (proof["login_server"], proof["scheme"]) == ("images.nexus.example.com", "https")


def test_issued_certificate_with_port_443(run: Callable[[str], Made]) -> None:
    made = run("issued-certificate")
    assert made["Keystore", "nexus-keystore"]["hostname"] == "nexus.example.com"
    assert made["RegistryProof", "images-proof"]["login_server"] == "nexus.example.com"
    assert "port 443" in line(made, "images-port")


def test_certificate_on_host_is_named_by_path(run: Callable[[str], Made]) -> None:
    made = run("certificate-on-host")
    assert not [name for kind, name in made if kind == "Keystore"]
    assert "--certificate-path /etc/letsencrypt/live/nexus.example.com/fullchain.pem" in line(
        made, "nexus-keystore-file"
    )


def test_issuer_issues_and_renews_certificates() -> None:
    issuer: dict[str, Any] = runpy.run_path(str(EXAMPLES / "issued-certificate/issuer.py"))
    issued = issuer["issue"]("nexus.example.com")
    inputs = {key: issued[key] for key in ("certificate", "private_key")}
    checked = KeystoreProvider().check({}, {**inputs, "password": "secret", "hostname": "nexus.example.com"})
    assert checked.failures == []
    provider = issuer["SelfSignedProvider"]()
    assert provider.diff("certificate", issued, {"hostname": "nexus.example.com"}).changes is False
    assert provider.diff("certificate", issued, {"hostname": "other.example.com"}).changes is True
    renewed = provider.update("certificate", issued, {"hostname": "other.example.com"}).outs
    assert renewed["certificate"] != issued["certificate"]


def test_platform_gives_each_team_registry_and_binaries(run: Callable[[str], Made]) -> None:
    made = run("platform")
    for team in ("web", "data"):
        assert made["User", f"{team}-images:ci"]["roles"] == ["images-push", "binaries-publish"]
        assert made["User", f"{team}-images:cluster"]["roles"] == ["images-pull", "binaries-fetch"]
        assert made["RegistryProof", f"{team}-images-proof"]["login_server"] == f"{team}.example.com:5000"
        assert made["Certificate", f"{team}-certificate"]["hostname"] == f"{team}.example.com"
        assert made["RawHostedRepository", f"{team}-binaries"]["connection"]["url"].startswith(f"https://{team}.")


def test_authority_issues_and_renews_certificates() -> None:
    example: dict[str, Any] = runpy.run_path(str(EXAMPLES / "platform/authority.py"))
    root = example["AuthorityProvider"]().create({"common_name": "Platform"}).outs
    provider = example["CertificateProvider"]()
    inputs = {"hostname": "a.example.com", "authority": root["certificate"], "authority_key": root["private_key"]}
    issued = provider.create(inputs).outs
    keystore = {key: issued[key] for key in ("certificate", "private_key")}
    checked = KeystoreProvider().check({}, {**keystore, "password": "secret", "hostname": "a.example.com"})
    assert checked.failures == []
    issuer = load_pem_x509_certificate(root["certificate"].encode())
    # Python 3.13 and newer, and Ansible on it, refuse an authority without.
    assert issuer.extensions.get_extension_for_class(KeyUsage).value.key_cert_sign
    load_pem_x509_certificate(issued["certificate"].encode()).verify_directly_issued_by(issuer)
    assert provider.diff("", issued, inputs).changes is False
    assert provider.diff("", issued, {**inputs, "hostname": "b.example.com"}).changes is True
    assert provider.update("", issued, inputs).outs["certificate"] != issued["certificate"]


def test_consumer_takes_outputs_of_one_team(sdk: None) -> None:
    class Platform(Recorder):
        def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
            outputs = {"login_servers": {"a": "a:5000"}, "pull_secrets": {"a": {"kind": "Secret"}}, "ca": "PEM"}
            return args.name, {"outputs": outputs, "secret_output_names": ["pull_secrets"]}

    exported: dict[str, Any] = {}
    pulumi.runtime.set_mocks(Platform(), project="c", preview=False)
    pulumi.runtime.set_all_config({"c:platform": "organization/platform/prod", "c:team": "a"}, [])

    def program() -> None:
        done = runpy.run_path(str(EXAMPLES / "platform/consumer/__main__.py"))
        for output in ("login_servers", "pull_secrets"):
            done["of_team"](output).apply(lambda value, output=output: exported.update({output: value}))

    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    assert exported == {"login_servers": "a:5000", "pull_secrets": {"kind": "Secret"}}


def test_logins_in_the_forms_of_their_clients(sdk: None) -> None:
    example: dict[str, Any] = runpy.run_path(str(EXAMPLES / "platform/handed_on.py"))
    logins = [json.dumps({"auths": {f"{name}:5000": {"auth": name}}}) for name in ("a", "b")]
    configs: list[str] = []
    manifests: list[dict[str, Any]] = []

    def program() -> None:
        example["docker_config"]([pulumi.Output.secret(one) for one in logins]).apply(configs.append)
        example["pull_secret"]("a", pulumi.Output.secret(logins[0])).apply(manifests.append)

    pulumi.runtime.set_mocks(Recorder(), project="c", preview=False)
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    (config,), (manifest,) = configs, manifests
    assert json.loads(config) == {"auths": {"a:5000": {"auth": "a"}, "b:5000": {"auth": "b"}}}
    assert manifest["type"] == "kubernetes.io/dockerconfigjson"
    assert base64.b64decode(manifest["data"][".dockerconfigjson"]).decode() == logins[0]
