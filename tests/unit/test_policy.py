"""The rules of ``nexus_registry.policy``."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from nexus_registry.policy import RULES, Resource, evaluate

from sandbox.paths import PROJECT

from .policy_resources import ALLOWED, ANONYMOUS, CI, OPEN, PULL, PUSH, keystore, pattern, resource, role, step

EACH = ["READ", "EDIT", "ADD", "DELETE"]
INDEX = {"remote_url": "https://hub.example.com", "index_url": "https://evil/"}


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
    *(  # each action instead of ALL
        (rule, [CI, role("own"), resource("ApplicationPrivilege", name="own", domain="*", actions=EACH)], "ci ")
        for rule in ("no-wildcard-privilege", "no-other-administrator")
    ),
    (
        "no-wildcard-privilege",
        [
            CI,
            role("own"),
            resource("RepositoryAdminPrivilege", name="own", repository="*", format="*", actions=EACH),
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
        for one in (
            "*",
            "nexus",
            "NEXUS:*",
            "nexus:*:*",
            "nexus,other:users,*",
            "nexus:*:create,read,update,delete",
        )
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


def test_anonymous_account_of_another_server_does_not_count() -> None:
    def on(server: str, one: Resource) -> Resource:
        return Resource(one.urn, one.type, {**one.properties, "connection": {"url": f"https://{server}"}})

    server = [on("a", OPEN), on("a", role(PUSH, name="nx-anonymous"))]
    harmless = resource("User", user_id="anonymous", roles=[])
    for other in ([], [on("b", harmless)], [harmless]):
        assert [one.rule for one in evaluate([*server, *other], ALLOWED)] == ["no-anonymous-push"]
    assert list(evaluate([*server, on("a", harmless)], ALLOWED)) == []


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
        ("allowed-upstreams", {"allowed": ["*.B"]}, [resource("RawProxyRepository", remote_url="https://a.b/")]),
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


def test_example_configuration_is_right() -> None:
    config = json.loads((PROJECT / "examples/policy/config.json").read_text())
    assert list(evaluate([], config)) == []


def test_page_lists_every_rule_with_its_settings() -> None:
    page = (PROJECT / "docs/how-to/policy.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \|.*\| (?:`(\w+)` \(`?(.*?)`?\))? ?\|$", page, re.MULTILINE)
    listed = {rule: {setting: json.loads(default)} if setting else {} for rule, setting, default in rows}
    assert listed == {rule.name: rule.defaults() for rule in RULES}
