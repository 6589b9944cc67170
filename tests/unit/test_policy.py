"""The rules of ``nexus_registry.policy``, the policy pack made of them, and the audit of a state."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from nexus_registry import policy
from nexus_registry.cli.main import main
from nexus_registry.policy import RULES, Resource, evaluate
from nexus_registry.policy.crossguard import known
from pulumi.runtime.proto.analyzer_pb2 import MANDATORY, AnalyzeRequest, AnalyzerResource, AnalyzeStackRequest
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub
from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from sandbox.paths import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "cAnArY-4711"
ALLOWED = {"allowed-upstreams": {"allowed": ["*.example.com"]}}


def resource(kind: str, stack: str = "prod", **properties: Any) -> Resource:
    token = kind if ":" in kind else f"pulumi-python:dynamic/nexus:{kind}"
    return Resource(f"urn:pulumi:{stack}::p::{token}::it", token, properties)


def step(**words: str) -> Resource:
    return resource("command:remote:Command", **words)


def keystore(days: float) -> Resource:
    ends = datetime.now(timezone.utc) + timedelta(days=days)
    return resource("Keystore", not_after=ends.strftime("%Y-%m-%dT%H:%M:%SZ"))


OPEN = resource("AnonymousAccess", enabled=True, user_id="anonymous")
ANONYMOUS = resource("User", user_id="anonymous", roles=["guest"])
CI = resource("User", user_id="ci", roles=["team"])
INDEX = {"remote_url": "https://hub.example.com", "index_url": "https://evil/"}
PUSH = "nx-repository-view-docker-images-add"
PULL = "nx-repository-view-docker-images-read"


def role(*privileges: str, name: str = "team", roles: tuple[str, ...] = ()) -> Resource:
    return resource("Role", role_id=name, privileges=[*privileges], roles=[*roles])


def pattern(text: str) -> Resource:
    return resource("WildcardPrivilege", name="own", pattern=text)


BROKEN: list[tuple[str, list[Resource], str]] = [
    ("no-anonymous-push", [OPEN, ANONYMOUS, role(PUSH, name="guest")], PUSH),
    ("no-anonymous-push", [OPEN, ANONYMOUS, role(name="guest", roles=("team",)), role(PUSH)], "by the role team"),
    ("no-anonymous-push", [OPEN, role(PULL, PUSH, name="nx-anonymous")], "by the role nx-anonymous"),
    (
        "no-anonymous-push",
        [
            OPEN,
            ANONYMOUS,
            role("own", name="guest"),
            resource(
                "RepositoryViewPrivilege", name="own", repository="a", format="raw", actions=["READ", "EDIT"]
            ),
        ],
        "own",
    ),
    *(
        ("no-anonymous-push", [OPEN, ANONYMOUS, role("own", name="guest"), pattern(one)], "own")
        for one in (
            "*",
            "nexus",
            "nexus:*",
            "nexus:repository-view",
            "NEXUS:Repository-View:docker:*:ADD",
            "nexus:repository-view,components:docker:*:add",
            "nexus:repository-view:docker:*:read, add",
            "nexus:repository-content-selector:all:docker:images",
        )
    ),
    ("no-anonymous-push", [resource("AnonymousAccess", enabled=True, user_id="admin")], "admin has nx-all"),
    # As version 0.1.0 kept a role.
    ("no-other-administrator", [CI, resource("Role", id="team", privileges=["nx-all"])], "by the role team"),
    # Two servers may each have a role or a privilege of that id.
    ("no-other-administrator", [CI, role("nx-all"), role(PULL)], "ci is an administrator"),
    (
        "no-wildcard-privilege",
        [CI, role("own"), pattern("nexus:*"), pattern("nexus:repository-view:raw:a:read")],
        "ci has the wildcard privilege own",
    ),
    ("no-wildcard-privilege", [CI, role("nx-all")], "nx-all"),
    ("no-wildcard-privilege", [CI, role("nx-repository-view-*-*-*")], "nx-repository-view-*-*-*"),
    *(
        (rule, [OPEN, ANONYMOUS, role("own", name="guest"), everywhere], "own")
        for rule in ("no-anonymous-push", "no-wildcard-privilege")
        for everywhere in [resource("ApplicationPrivilege", name="own", domain="*", actions=["ALL"])]
    ),
    *(
        ("no-wildcard-privilege", [CI, role("own"), pattern(one)], "own")
        for one in ("nexus", "nexus:*", "nexus:users", "nexus:repository-admin:docker:images")
    ),
    (
        "no-wildcard-privilege",
        [
            CI,
            role("own"),
            resource("RepositoryViewPrivilege", name="own", repository="*", format="*", actions=["ALL"]),
        ],
        "own",
    ),
    ("no-other-administrator", [resource("User", user_id="eve", roles=["nx-admin"])], "eve is an administrator"),
    *(
        ("no-other-administrator", [resource(kind, user_id="eve", roles=["nx-admin"])], "eve is an administrator")
        for kind in ("ExternalUser", "SamlUser")
    ),
    *(
        ("no-other-administrator", [one], "everybody who logs in is an administrator by the role nx-admin")
        for one in (
            resource("DefaultRoleCapability", role="nx-admin", enabled=True),
            resource("Capability", type="defaultrole", properties={"role": "nx-admin"}, enabled=True),
        )
    ),
    (
        "no-wildcard-privilege",
        [resource("DefaultRoleCapability", role="team"), role("nx-repository-admin-*-*-*")],
        "everybody who logs in has the wildcard privilege",
    ),
    ("no-other-administrator", [CI, role(roles=("nx-admin",))], "by the role nx-admin"),
    ("no-other-administrator", [CI, role("nx-all")], "by the role team"),
    *(
        ("no-other-administrator", [CI, role("own"), pattern(one)], "by the role team")
        for one in ("*", "nexus", "NEXUS:*", "nexus:*:*", "nexus,other:users,*")
    ),
    (
        "no-other-administrator",
        [CI, role("own"), resource("ApplicationPrivilege", name="own", domain="*", actions=["ALL"])],
        "by the role team",
    ),
    ("tls-on-every-connector", [resource("DockerHostedRepository", http_port=5001.0)], "5001 is a connector"),
    ("tls-on-every-connector", [resource("LdapServer", protocol="LDAP")], "LDAPS"),
    ("no-destroy-in-production", [resource("RawHostedRepository", force_destroy=True)], "force_destroy"),
    ("no-destroy-in-production", [step(delete="sh -s -- delete --purge-data yes")], "purge_data"),
    ("certificate-validity", [keystore(3)], "within 21 days"),
    ("certificate-validity", [keystore(-3)], "within 21 days"),
    ("explicit-licence", [resource("Eula", accepted=True)], "nobody is named"),
    ("allowed-upstreams", [resource("RawProxyRepository", remote_url="https://a.example.org/")], "a.example.org"),
    ("allowed-upstreams", [resource("RawProxyRepository", remote_url="https://x@evil/?.example.com")], "evil"),
    ("allowed-upstreams", [resource("DockerProxyRepository", **INDEX, index_type="CUSTOM")], "index_url: evil"),
]
RIGHT: list[list[Resource]] = [
    [OPEN, ANONYMOUS, role(PULL, name="guest")],
    [OPEN],
    [resource("AnonymousAccess", enabled=False), ANONYMOUS, role(PUSH, name="guest")],
    [CI, role(PUSH, PULL, "nx-repository-view-docker-images-*")],
    [CI, role("own"), pattern("nexus:repository-view:raw:a:read")],
    [CI, role("own"), pattern("nexus:users:read")],
    [OPEN, ANONYMOUS, role("own", name="guest"), pattern("nexus:repository-content-selector:add:raw:add:read")],
    [resource("DefaultRoleCapability", role="nx-admin", enabled=False)],
    [resource("DefaultRoleCapability", role=None), resource("Capability", type="audit", properties=None)],
    [resource("User", user_id="admin", roles=["nx-admin"])],
    [resource("DockerHostedRepository", https_port=5000, http_port=None)],
    [resource("LdapServer", protocol="LDAPS")],
    [resource("RawHostedRepository", stack="dev", force_destroy=True)],
    [step(delete="sh -s -- delete --purge-data no"), step(delete="it's"), step()],
    [keystore(60)],
    [resource("Keystore", not_after="[secret]")],
    [resource("Capability", type="defaultrole", properties="[secret]")],
    [resource("Eula", accepted=False)],
    [resource("RawProxyRepository", remote_url="https://repo.example.com/raw")],
    [resource("RawProxyRepository", remote_url=None)],
    [resource("DockerProxyRepository", **INDEX, index_type="REGISTRY")],
    [resource("aws:s3/bucket:Bucket", force_destroy=True, roles=["nx-admin"])],
]


@pytest.mark.parametrize(("rule", "resources", "said"), BROKEN)
def test_rule_reports_violation(rule: str, resources: list[Resource], said: str) -> None:
    found = [one for one in evaluate(resources, ALLOWED) if one.rule == rule]
    assert len(found) == 1
    assert said in found[0].message
    assert found[0].urn in {one.urn for one in resources}


def test_every_rule_is_tested() -> None:
    assert {rule for rule, _, _ in BROKEN} == {rule.name for rule in RULES}


def test_role_of_one_id_on_another_server_is_another_role() -> None:
    def on(server: str, one: Resource) -> Resource:
        place = (
            {"connection": {"url": f"https://{server}"}}
            if server == "a"
            else {"configured_url": f"https://{server}"}
        )
        return Resource(one.urn, one.type, {**one.properties, **place})

    stack = [on("a", role("nx-all")), on("b", role(PULL)), on("b", CI)]
    assert list(evaluate(stack, ALLOWED)) == []
    found = [one.rule for one in evaluate([*stack, on("a", CI)], ALLOWED)]
    assert found == ["no-wildcard-privilege", "no-other-administrator"]
    configured = Resource(CI.urn, CI.type, {**CI.properties, "configured_url": "https://a:443/"})
    assert len(list(evaluate([*stack, configured], ALLOWED))) == 2, "another form of the same address"
    hidden = Resource(CI.urn, CI.type, {**CI.properties, "connection": None, "configured_url": None})
    assert len(list(evaluate([*stack, hidden], ALLOWED))) == 2, "a server that is not known may be each of them"


@pytest.mark.parametrize("resources", RIGHT)
def test_valid_stack_has_no_violation(resources: list[Resource]) -> None:
    assert list(evaluate(resources, ALLOWED)) == []


@pytest.mark.parametrize(
    ("rule", "settings", "resources"),
    [
        ("no-wildcard-privilege", {"exempt": ["ci"]}, [CI, role("nx-repository-view-*-*-*")]),
        ("no-other-administrator", {}, [CI, role("own"), pattern("nexus:users:*")]),
        (
            "no-other-administrator",
            {"administrators": ["eve"]},
            [resource("User", user_id="eve", roles=["nx-admin"])],
        ),
        (
            "tls-on-every-connector",
            {"exempt_ports": ["5001"]},
            [resource("DockerHostedRepository", http_port=5001)],
        ),
        ("no-destroy-in-production", {"stacks": ["live"]}, [resource("RawHostedRepository", force_destroy=True)]),
        ("certificate-validity", {"days": 2}, [keystore(3)]),
        ("explicit-licence", {"accepted_by": "Jane"}, [resource("Eula", accepted=True)]),
        ("allowed-upstreams", {"allowed": ["*"]}, [resource("RawProxyRepository", remote_url="https://a.b/")]),
        ("allowed-upstreams", "disabled", [resource("RawProxyRepository", remote_url="https://a.b/")]),
        ("allowed-upstreams", {"enforcementLevel": "disabled"}, [resource("P", remote_url="https://a.b/")]),
    ],
)
def test_setting_permits_violation(rule: str, settings: Any, resources: list[Resource]) -> None:
    assert [one for one in evaluate(resources, {rule: settings}) if one.rule == rule] == []


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"no-such": {}}, "no-such: there is no such rule. The rules are no-anonymous-push"),
        ({"certificate-validity": {"day": 1}}, "certificate-validity.day: there is no such setting"),
        ({"certificate-validity": {"days": "1"}}, "certificate-validity.days: must be of the type integer"),
        ({"certificate-validity": {"days": 10**12}}, "certificate-validity.days: must be from 0 to 3650, not 10"),
        ({"certificate-validity": {"days": -1}}, "certificate-validity.days: must be from 0 to 3650, not -1"),
        ({"allowed-upstreams": {"allowed": [1]}}, "must be a list of strings"),
        ({"allowed-upstreams": "off"}, "must be one of mandatory, advisory, disabled"),
        ({"allowed-upstreams": 1}, "must be an object"),
        ([], "must be an object of settings by rule"),
    ],
)
def test_wrong_configuration_is_refused(config: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list(evaluate([], config))


def pack_of(monkeypatch: pytest.MonkeyPatch, **config: Any) -> dict[str, Any]:
    """The pack's policies by name; it is not served, which waits for an engine."""
    made: list[dict[str, Any]] = []

    def keep(name: str, policies: list[Any], **rest: Any) -> None:
        made.append({"name": name, "policies": policies, **rest})

    monkeypatch.setattr("nexus_registry.policy.crossguard.PolicyPack", keep)
    policy.pack(config)
    return {**made[0], "policies": {one.name: one for one in made[0]["policies"]}}


@pytest.mark.parametrize(("rule", "resources", "said"), BROKEN)
def test_pack_reports_violations_of_rules(
    rule: str, resources: list[Resource], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = pack_of(monkeypatch)["policies"][rule]
    found: list[str] = []

    def report(message: str, urn: str | None = None) -> None:
        found.append(message)

    settings = ALLOWED.get(rule, {})
    if isinstance(one, ResourceValidationPolicy):
        for each in resources:
            props = unknown_checking_proxy(dict(each.properties))
            args = ResourceValidationArgs(each.type, props, each.urn, each.name, _options(), None, settings)
            one.validate(args, report)
    else:
        assert isinstance(one, StackValidationPolicy)
        given = [
            PolicyResource(
                each.type,
                unknown_checking_proxy(dict(each.properties)),
                each.urn,
                each.name,
                _options(),
                None,
                None,
                [],
                {},
            )
            for each in resources
        ]
        one.validate(StackValidationArgs(given, settings), report)
    assert len(found) == 1
    assert said in found[0]


def test_number_in_settings_of_pack_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine sends each number as a float."""
    one, said, due = pack_of(monkeypatch)["policies"]["certificate-validity"], list[str](), keystore(3)
    args = ResourceValidationArgs(due.type, due.properties, due.urn, due.name, _options(), None, {"days": 30.0})
    one.validate(args, lambda message, _: said.append(message))
    assert "within 30 days" in said[0]


def _options() -> PolicyResourceOptions:
    return PolicyResourceOptions(False, [], False, [], PolicyCustomTimeouts(0, 0, 0), [])


def test_values_that_are_not_known_yet_break_no_rule() -> None:
    properties = {"not_after": UNKNOWN_STRING_VALUE, "deep": {"a": UNKNOWN_STRING_VALUE, "b": [1]}}
    plain = known(unknown_checking_proxy(properties))
    assert {key: plain[key] for key in plain} == {"not_after": None, "deep": {"a": None, "b": [1]}}


def test_pack_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    made = pack_of(monkeypatch, **{"certificate-validity": {"days": 5, "enforcementLevel": "advisory"}})
    first = made["initial_config"]["certificate-validity"]
    assert (first["days"], first["enforcementLevel"].value) == (5, "advisory")
    assert made["policies"]["certificate-validity"].config_schema.properties["days"]["default"] == 21
    with pytest.raises(ValueError, match="no such rule"):
        policy.pack({"x": {}})


def test_example_configuration_is_right() -> None:
    config = json.loads((PROJECT / "examples/policy/config.json").read_text())
    assert list(evaluate([], config)) == []


def test_page_lists_every_rule_with_its_settings() -> None:
    page = (PROJECT / "docs/how-to/policy.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \|.*\| (?:`(\w+)` \(`?(.*?)`?\))? ?\|$", page, re.MULTILINE)
    listed = {rule: {setting: json.loads(default)} if setting else {} for rule, setting, default in rows}
    assert listed == {rule.name: rule.defaults() for rule in RULES}


def state(folder: Path, *resources: Resource) -> str:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": f'"{CANARY}"'}
    entries = [
        {
            "urn": one.urn,
            "type": one.type,
            "custom": True,
            "id": "it",
            "inputs": {**one.properties, "password": secret},
            "outputs": {**one.properties, "password": secret},
        }
        for one in resources
    ]
    file = folder / "state.json"
    file.write_text(json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": entries}}))
    return str(file)


def test_audit_reports_by_level(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = state(tmp_path, resource("User", user_id="eve", roles=["nx-admin"]), CI)
    config = tmp_path / "config.json"
    config.write_text('{"no-other-administrator": "advisory", "no-wildcard-privilege": "disabled"}')
    assert main(["audit", "--file", file]) == 1
    assert "mandatory: it: eve is an administrator" in capsys.readouterr().out
    assert main(["audit", "--file", file, "--config", str(config), "--json"]) == 0
    out = capsys.readouterr().out
    assert [(one["rule"], one["level"]) for one in json.loads(out)] == [("no-other-administrator", "advisory")]
    assert CANARY not in out


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("content", "config", "said"),
    [
        ("[]", "{}", "--file: this is not an exported stack"),
        ("{", "{}", "--file: this is not an exported stack"),
        ('{"deployment": {"resources": [1]}}', "{}", "--file: this is not an exported stack"),
        ('{"deployment": {"resources": 5}}', "{}", "--file: this is not an exported stack"),
        (
            '{"deployment": {"resources": [{"urn": "a", "type": "b", "inputs": 5}]}}',
            "{}",
            "--file: this is not an exported stack",
        ),
        ('{"deployment": {"manifest": {}}}', '{"x": 1}', "--config: x: there is no such rule"),
        ('{"deployment": {"manifest": {}}}', "{", "--config: "),
        pytest.param('{"deployment": {"manifest": {}}}', DEEP, "--config: is nested too deeply", id="deep"),
        pytest.param(DEEP, "{}", "--file: this is not an exported stack", id="deep state"),
    ],
)
def test_audit_refuses_unreadable_input(
    content: str, config: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state.json").write_text(content)
    (tmp_path / "config.json").write_text(config)
    assert main(["audit", "--file", str(tmp_path / "state.json"), "--config", str(tmp_path / "config.json")]) == 2
    assert said in capsys.readouterr().err


def test_audit_of_empty_stack_finds_nothing(tmp_path: Path) -> None:
    assert main(["audit", "--file", state(tmp_path)]) == 0


def test_example_pack_answers_engine(tmp_path: Path) -> None:
    """The pack as the CLI's analyzer starts it, asked over its own protocol."""
    argv = [sys.executable, "-u", str(PROJECT / "examples/policy/__main__.py"), "127.0.0.1:1", str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout
            port = process.stdout.readline().strip()
            with grpc.insecure_channel(f"127.0.0.1:{int(port)}") as channel:
                pack = AnalyzerStub(channel)
                info = pack.GetAnalyzerInfo(Empty(), timeout=60)
                assert {one.name for one in info.policies} == {rule.name for rule in RULES}
                open_port = resource("DockerHostedRepository", http_port=5001, force_destroy=UNKNOWN_STRING_VALUE)
                answer = pack.Analyze(_request(open_port), timeout=60)
                (said,) = answer.diagnostics
                assert (said.policyName, said.enforcementLevel) == ("tls-on-every-connector", MANDATORY)
                assert "5001 is a connector without TLS" in said.message
                stack = pack.AnalyzeStack(
                    AnalyzeStackRequest(resources=[_resource(one) for one in (CI, role("nx-all"))]), timeout=60
                )
                assert {one.policyName for one in stack.diagnostics} == {
                    "no-wildcard-privilege",
                    "no-other-administrator",
                }
        finally:
            process.kill()


def _request(one: Resource) -> AnalyzeRequest:
    properties = json_format.ParseDict(dict(one.properties), Struct())
    return AnalyzeRequest(type=one.type, urn=one.urn, name=one.name, properties=properties)


def _resource(one: Resource) -> AnalyzerResource:
    properties = json_format.ParseDict(dict(one.properties), Struct())
    return AnalyzerResource(type=one.type, urn=one.urn, name=one.name, properties=properties)
