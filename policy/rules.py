"""The rules: pure functions on plain data of resources.

Each rule takes all resources of a stack and its settings and yields violations, so that it runs without Pulumi,
in the policy pack, and over a state file.
"""

from __future__ import annotations

import fnmatch
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from .access import Servers, server, texts

_DYNAMIC = "pulumi-python:dynamic/nexus:"
_COMMAND = "command:remote:Command"
_ACCOUNTS = ("User", "ExternalUser", "SamlUser")
_LEVEL: Mapping[str, Any] = {"type": "string", "enum": ("mandatory", "advisory", "disabled")}


@dataclass(frozen=True)
class Resource:
    """A resource of a stack as plain data.

    Attributes:
        urn: its URN.
        type: its type token.
        properties: inputs or outputs; what is secret or not known may be left out or be any other value.
    """

    urn: str
    type: str
    properties: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The class of a resource of ``nexus_registry.providers``, such as ``User``; empty for any other."""
        return self.type.removeprefix(_DYNAMIC) if self.type.startswith(_DYNAMIC) else ""

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]

    @property
    def stack(self) -> str:
        return self.urn.removeprefix("urn:pulumi:").partition("::")[0]


@dataclass(frozen=True)
class Violation:
    """What a rule found."""

    rule: str
    urn: str
    message: str
    level: str = "mandatory"


Found = Iterator[tuple[Resource, str]]
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes:
        name: by which it is configured.
        description: one sentence.
        check: yields each resource that breaks it, and why.
        settings: JSON schema of each setting, with its default.
        whole_stack: whether it needs all resources; otherwise it takes each by itself, before it is created.
    """

    name: str
    description: str
    check: Callable[[Sequence[Resource], Settings], Found]
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    whole_stack: bool = False

    def defaults(self) -> dict[str, Any]:
        return {key: schema["default"] for key, schema in self.settings.items()}


def evaluate(
    resources: Iterable[Resource], config: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[Violation]:
    """Apply the rules to the resources of a stack.

    Args:
        resources: of one stack.
        config: settings by the rule's name, as in a file for ``--policy-pack-config``.

    Raises:
        ValueError: for a rule or a setting that does not exist; the text names it and what there is.
    """
    given, all_resources = check_config({} if config is None else config), list(resources)
    for rule in RULES:
        settings = given.get(rule.name, {})
        level = settings.get("enforcementLevel", "mandatory")
        if level != "disabled":
            for resource, message in rule.check(all_resources, {**rule.defaults(), **settings}):
                yield Violation(rule.name, resource.urn, message, level)


def check_config(config: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The settings by rule, checked; a text in place of the settings is a level."""
    if not isinstance(config, Mapping):
        raise ValueError("must be an object of settings by rule.")
    rules = {rule.name: rule for rule in RULES}
    found: dict[str, Mapping[str, Any]] = {}
    for name, value in config.items():
        if name not in rules:
            raise ValueError(f"{name}: there is no such rule. The rules are {', '.join(rules)}.")
        settings = {"enforcementLevel": value} if isinstance(value, str) else value
        if not isinstance(settings, Mapping):
            raise ValueError(f"{name}: must be an object of settings. Give it, or a level.")
        for key, item in settings.items():
            known: dict[str, Mapping[str, Any]] = {"enforcementLevel": _LEVEL, **rules[name].settings}
            if key not in known:
                raise ValueError(f"{name}.{key}: there is no such setting. The settings are {', '.join(known)}.")
            _check_setting(f"{name}.{key}", item, known[key])
        found[name] = settings
    return found


def _check_setting(path: str, value: Any, schema: Mapping[str, Any]) -> None:
    kinds: dict[str, type] = {"string": str, "integer": int, "array": list}
    kind = kinds[schema["type"]]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{path}: must be of the type {schema['type']}, not {value!r}.")
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None and not least <= value <= most:
        raise ValueError(f"{path}: must be from {least} to {most}, not {value}.")
    if "enum" in schema and value not in schema["enum"]:
        raise ValueError(f"{path}: must be one of {', '.join(schema['enum'])}, not {value!r}.")
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        raise ValueError(f"{path}: must be a list of strings.")


def _list(description: str, *default: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}, "default": list(default), "description": description}


def _anonymous_push(resources: Sequence[Resource], settings: Settings) -> Found:  # noqa: ARG001
    servers = Servers(resources)
    for one in resources:
        if one.kind != "AnonymousAccess" or one.properties.get("enabled") is not True:
            continue
        user = one.properties.get("user_id") or "anonymous"
        here, access = server(one), servers.of(one)
        declared = [(server(account), given) for account, name, given in _accounts(resources) if name == user]
        roles = [role for place, given in declared if not here or place in ("", here) for role in given]
        if here not in [place for place, _ in declared]:
            roles.append("nx-admin" if user == "admin" else "nx-anonymous")
        for role, privilege in access.privileges(roles):
            if access.writes(privilege):
                yield one, f"anybody may write: {user} has {privilege} by the role {role}. Take it from that role."


def _wildcard_privilege(resources: Sequence[Resource], settings: Settings) -> Found:
    servers = Servers(resources)
    for one, user, roles in _accounts(resources, settings["exempt"]):
        access = servers.of(one)
        for role, privilege in access.privileges(roles):
            if access.is_wildcard(privilege):
                yield (
                    one,
                    f"{user} has the wildcard privilege {privilege} by the role {role}. Use narrower ones.",
                )


def _administrator(resources: Sequence[Resource], settings: Settings) -> Found:
    servers = Servers(resources)
    for one, user, roles in _accounts(resources, settings["administrators"]):
        access = servers.of(one)
        all_powerful = {role for role, privilege in access.privileges(roles) if access.is_everything(privilege)}
        for role in sorted(all_powerful | ({"nx-admin"} & access.roles(roles))):
            yield one, f"{user} is an administrator by the role {role}. Use roles for what is needed."


def _accounts(
    resources: Sequence[Resource], exempt: Sequence[str] = ()
) -> Iterator[tuple[Resource, str, list[str]]]:
    """Each account of whatever directory with its name and roles, and everybody with the default role."""
    for one in resources:
        given = one.properties
        generic = one.kind == "Capability" and given.get("type") == "defaultrole"
        if one.kind == "DefaultRoleCapability" or generic:
            inner = given.get("properties")
            role = given.get("role") or (inner.get("role") if isinstance(inner, Mapping) else None)
            if given.get("enabled") is not False:
                yield one, "everybody who logs in", texts([role])
        elif one.kind in _ACCOUNTS and given.get("user_id") not in exempt:
            yield one, str(given.get("user_id")), texts(given.get("roles"))


def _tls(resources: Sequence[Resource], settings: Settings) -> Found:
    for one in resources:
        port = one.properties.get("http_port")
        number = int(port) if isinstance(port, (int, float)) else 0
        if one.kind.endswith("Repository") and number and str(number) not in settings["exempt_ports"]:
            yield one, f"http_port: {number} is a connector without TLS. Use https_port, or path_enabled."
        if one.kind == "LdapServer" and one.properties.get("protocol") == "LDAP":
            yield one, "protocol: LDAP sends passwords in the clear. Use LDAPS."


def _destroy(resources: Sequence[Resource], settings: Settings) -> Found:
    for one in resources:
        if not any(fnmatch.fnmatchcase(one.stack, pattern) for pattern in settings["stacks"]):
            continue
        if one.kind and one.properties.get("force_destroy") is True:
            yield one, f"force_destroy: must not be set in the stack {one.stack}. Set it to false."
        if one.type == _COMMAND and _flag(one.properties.get("delete"), "--purge-data") == "yes":
            yield one, f"purge_data: must not be set in the stack {one.stack}. Set it to false."


def _flag(command: Any, flag: str) -> str:
    try:
        words = shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return ""
    return words[words.index(flag) + 1] if flag in words[:-1] else ""


def _certificate(resources: Sequence[Resource], settings: Settings) -> Found:
    now, days = datetime.now(timezone.utc), int(settings["days"])  # the engine sends a float
    for one in resources:
        if one.kind != "Keystore":
            continue
        try:
            ends = datetime.strptime(str(one.properties.get("not_after")), "%Y-%m-%dT%H:%M:%SZ")
        except ValueError:  # not known yet
            continue
        if ends.replace(tzinfo=timezone.utc) <= now + timedelta(days=days):
            yield one, f"certificate: ends on {ends:%Y-%m-%d}, within {days} days. Renew it."


def _licence(resources: Sequence[Resource], settings: Settings) -> Found:
    for one in resources:
        if one.kind == "Eula" and one.properties.get("accepted") is True and not settings["accepted_by"]:
            yield (
                one,
                "accepted: nobody is named who accepted the licence. Read it, and set accepted_by of this rule.",
            )


def _upstream(resources: Sequence[Resource], settings: Settings) -> Found:
    for one in resources:
        if not one.kind.endswith("ProxyRepository"):
            continue
        arguments = ["remote_url", *(["index_url"] if one.properties.get("index_type") == "CUSTOM" else [])]
        for argument in arguments:
            url = one.properties.get(argument)
            if not isinstance(url, str) or "://" not in url:  # not known yet
                continue
            host = urlsplit(url).hostname or ""
            if not any(fnmatch.fnmatchcase(host, pattern.lower()) for pattern in settings["allowed"]):
                yield (
                    one,
                    f"{argument}: {host} is not in the list of upstreams. Add it to allowed, or use another.",
                )


RULES: Sequence[Rule] = (
    Rule(
        "no-anonymous-push",
        "Requests without a login can't add, change or delete components.",
        _anonymous_push,
        whole_stack=True,
    ),
    Rule(
        "no-wildcard-privilege",
        "No user has a privilege that is about everything.",
        _wildcard_privilege,
        {"exempt": _list("ids of users who may have one", "admin")},
        whole_stack=True,
    ),
    Rule(
        "no-other-administrator",
        "Nobody but the managed account is an administrator.",
        _administrator,
        {"administrators": _list("ids of users who may be one", "admin")},
        whole_stack=True,
    ),
    Rule(
        "tls-on-every-connector",
        "Every connector of a repository, and every connection to LDAP, uses TLS.",
        _tls,
        {"exempt_ports": _list("ports that may be without it, such as those behind a proxy on the same host")},
    ),
    Rule(
        "no-destroy-in-production",
        "Neither force_destroy nor purge_data is set in a production stack.",
        _destroy,
        {"stacks": _list("names of production stacks, with * and ?", "prod*")},
    ),
    Rule(
        "certificate-validity",
        "The server's certificate does not end soon.",
        _certificate,
        {
            "days": {
                "type": "integer",
                "default": 21,
                "minimum": 0,
                "maximum": 3650,
                "description": "how many days it must last",
            }
        },
    ),
    Rule(
        "explicit-licence",
        "The Community Edition's licence is accepted only where somebody is named who did.",
        _licence,
        {"accepted_by": {"type": "string", "default": "", "description": "who read and accepts the licence"}},
    ),
    Rule(
        "allowed-upstreams",
        "Proxy repositories have upstreams from a list only.",
        _upstream,
        {"allowed": _list("host names of upstreams, with * and ?")},
    ),
)
