"""The policy pack that is made of the rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from nexus_registry import policy
from nexus_registry.policy import RULES, Resource
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

from .policy_resources import ALLOWED, CI, keystore, resource, role
from .test_policy import BROKEN


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
