"""Reads the configuration of the program in this repository into the arguments of the components.

A key is the argument of the same name. Two groups have a prefix: ``ssh_`` for the SSH connection, and
``registry_`` for those arguments of the registry that the server has too. Every mistake is reported, by key,
before anything starts.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pulumi
from pulumi_command import remote

from ..providers.keystore import KeystoreProvider
from ..providers.provider import CONNECTION
from .registry import DockerRegistryArgs
from .server_arguments import NexusServerArgs
from .validation import Problem, provider_problems, registry_problems, server_problems

SECRETS: Final = frozenset(
    {
        "ssh_private_key",
        "ssh_private_key_password",
        "admin_password",
        "current_admin_password",
        "archive_username",
        "archive_password",
        "private_key",
        "private_key_passphrase",
        "keystore_password",
        "user_passwords",
    }
)
RENAMED: Final = {"docker_port": "registry_https_port"}
"""Keys of earlier versions, each with its name now."""
USERS: Final = ("pushers", "pullers", "existing_users")
"""Arguments that the configuration splits into lists of user ids and the passwords in ``user_passwords``."""
_SSH: Final[Mapping[str, str]] = {
    "host": "str",
    "port": "int",
    "user": "str",
    "private_key": "str",
    "private_key_password": "str",
    "host_key": "str",
}
_NO_KEY: Final = frozenset({"ssh", "server", "connection", "manage_server"})
_ON_BOTH: Final = frozenset({"http_port", "https_port", "ca"})
_PLACEHOLDERS: Final[Mapping[str, Any]] = {"version": "3.71.0-06", "archive_sha256": "0" * 64}

_Field: TypeAlias = "dataclasses.Field[Any]"


@dataclass(frozen=True)
class Settings:
    """The settings in the configuration.

    Attributes:
        server: arguments of the server.
        registry: arguments of the registry, without its server.
        protect: whether the engine refuses to delete what holds data.
    """

    server: NexusServerArgs
    registry: DockerRegistryArgs
    protect: bool


def load(config: pulumi.Config) -> Settings:
    """Read the configuration.

    Args:
        config: the keys of Pulumi.yaml.

    Raises:
        pulumi.RunError: with every mistake, one a line, each named by its key.
    """
    for key, meant in _misspelled(config.name):
        pulumi.log.warn(f"{key}: is not a configuration key. Did you mean {meant}?")
    reader = _Reader(config)
    settings = reader.settings()
    problems = reader.problems
    refused = {key for key, _ in problems}
    problems += [problem for problem in _value_problems(reader, settings) if problem[0] not in refused]
    if problems:
        lines = [f"{key}: {problem}" for key, problem in dict.fromkeys(problems)]
        raise pulumi.RunError("\n  ".join(["the configuration is refused:", *lines]))
    return settings


def password_path(user_id: str) -> str:
    """Where a user's password is in the configuration, for `pulumi config set --path` in a shell."""
    return shlex.quote(f"user_passwords[{json.dumps(user_id, ensure_ascii=False)}]")


def _misspelled(project: str) -> Iterator[tuple[str, str]]:
    """Each key of the stack that nothing reads and that is nearly another one, with that one."""
    known = {*keys(), *RENAMED, *CONNECTION, "adopt", "check_passwords"}
    for name in pulumi.runtime.get_config_env():
        given, _, key = name.partition(":")
        if given == project and key not in known and (near := difflib.get_close_matches(key, known, 1, 0.85)):
            yield key, near[0]


def registry_key(argument: str) -> str:
    """The key of an argument of the registry."""
    return f"registry_{argument}" if argument in _ON_BOTH else argument


def keys() -> dict[str, tuple[str, Any]]:
    """Every key with the type of its argument and the default, ``MISSING`` where it is required."""
    found: dict[str, tuple[str, Any]] = {
        f"ssh_{name}": (kind, dataclasses.MISSING if name in ("host", "private_key") else None)
        for name, kind in _SSH.items()
    }
    found |= {
        "ssh_port": ("int", 22),
        "ssh_user": ("str", "root"),
        "protect": ("bool", False),
        "user_passwords": ("object", dataclasses.MISSING),
    }
    found |= {field.name: (_kind(field), _default(field)) for field in _fields(NexusServerArgs)}
    for field in _fields(DockerRegistryArgs):
        if field.name != "hostname":
            found[registry_key(field.name)] = (_kind(field), _default(field))
    found["registry_https_port"] = ("int", 5000)
    return found


class _Reader:
    """Reads values by key, and notes what is wrong with them."""

    def __init__(self, config: pulumi.Config) -> None:
        self._config = config
        self._keys = keys()
        self.problems: list[Problem] = []
        for former, key in RENAMED.items():
            if config.get(former) is not None:
                self.problems.append(
                    (former, f"is called {key} now. Set that key and run `pulumi config rm {former}`.")
                )

    def settings(self) -> Settings:
        ssh = {name: self._value(f"ssh_{name}") for name in _SSH}
        server = {field.name: self._value(field.name) for field in _fields(NexusServerArgs)}
        passwords = self._value("user_passwords")
        registry: dict[str, Any] = {}
        for field in _fields(DockerRegistryArgs):
            if field.name in USERS:
                registry[field.name] = dict(self._users(field.name, passwords))
            elif field.name != "hostname":
                registry[field.name] = self._value(registry_key(field.name))
        registry["https_port"] = registry["https_port"] or None  # 0 stands for none
        for name in ("https_port", "http_port"):
            server["privileged_ports"] |= 0 < (registry[name] or 0) < 1024
        return Settings(
            NexusServerArgs(ssh=remote.ConnectionArgs(**ssh), **server),
            DockerRegistryArgs(**registry),
            self._value("protect"),
        )

    def plain(self, key: str) -> str | None:
        """The text of a value, also of a secret."""
        return self._config.get(key) or None

    def _users(self, key: str, passwords: Mapping[str, str]) -> Iterator[tuple[str, pulumi.Output[str]]]:
        for user_id in self._value(key):
            password = passwords.get(user_id)
            if not (isinstance(password, str) and password):
                command = f"pulumi config set --secret --path {password_path(user_id)} <password>"
                self.problems.append((key, f"{user_id!r} has no password in user_passwords. Run `{command}`."))
            yield user_id, pulumi.Output.secret(password or "unknown")

    def _value(self, key: str) -> Any:
        kind, default = self._keys[key]
        given = self.plain(key)
        if given is None:
            if default is dataclasses.MISSING:
                secret = "--secret " if key in SECRETS else ""
                self.problems.append((key, f"is required. Run `pulumi config set {secret}{key} <value>`."))
                return {} if kind == "object" else _PLACEHOLDERS.get(key, "unknown")
            return default
        try:
            value = _parsed(kind, given)
        except ValueError as error:
            self.problems.append((key, f"{error}."))
            return default if default is not dataclasses.MISSING else {}
        return pulumi.Output.secret(value) if key in SECRETS and isinstance(value, str) else value


def _value_problems(reader: _Reader, settings: Settings) -> Iterator[Problem]:
    """What is wrong with values that could be read."""
    server, registry = settings.server, settings.registry
    texts: dict[str, Any] = {
        name: reader.plain(name) for name in ("keystore_password", "archive_username", "archive_password")
    }
    yield from server_problems(dataclasses.replace(server, **texts))
    ports = {server.http_port: "http_port of Nexus", server.https_port: "https_port of Nexus"}
    for argument, problem in registry_problems(registry, server, ports, {}):
        yield registry_key(argument), problem
    certificate = {
        "private_key": "private_key",
        "certificate": "certificate",
        "chain": "chain",
        "private_key_passphrase": "private_key_passphrase",
        "password": "keystore_password",
        "alias": "keystore_alias",
    }
    inputs: dict[str, Any] = {name: reader.plain(key) for name, key in certificate.items()}
    inputs |= {"format": server.keystore_format, "renew_before": server.renew_before}
    inputs |= {"alias": server.keystore_alias, "hostname": server.hostname or reader.plain("ssh_host")}
    if not (inputs["private_key"] and inputs["certificate"] and inputs["password"]):
        return
    arguments = {**certificate, "hostname": "hostname", "renew_before": "renew_before"}
    yield from provider_problems(KeystoreProvider(), inputs, arguments)


def _fields(arguments: type[Any]) -> Iterator[_Field]:
    return (field for field in dataclasses.fields(arguments) if field.name not in _NO_KEY)


def _default(field: _Field) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return [] if field.name in USERS else field.default_factory()
    return field.default


def _kind(field: _Field) -> str:
    """The type of a key's value: ``str``, ``int``, ``bool``, ``list`` or ``object``."""
    kind = str(field.type).removesuffix(" | None")
    if field.name in USERS or kind.startswith("Sequence["):
        return "list"
    if kind in ("int", "bool"):
        return kind
    return "object" if kind.startswith("Mapping[") else "str"


def _parsed(kind: str, given: str) -> Any:
    """A value of the configuration, which is text; raises ValueError.

    `pulumi config set --path` makes a number of 12345 and a boolean of true. They are read as strings in an
    object. In a list Pulumi itself refuses them, because Pulumi.yaml declares strings.
    """
    if kind == "int":
        if not re.fullmatch(r"-?[0-9]{1,9}", given):
            raise ValueError(f"must be a whole number, not {given!r}")
        return int(given)
    if kind == "bool":
        if given.lower() not in ("true", "false"):
            raise ValueError(f"must be true or false, not {given!r}")
        return given.lower() == "true"
    if kind == "str":
        return given
    try:
        value = json.loads(given, parse_int=str, parse_float=str) if kind == "object" else json.loads(given)
    except ValueError:
        value = None
    if kind == "list":
        if not _is_list(value):
            raise ValueError("must be a list of strings")
        return value
    value = _strings(value)
    if not (isinstance(value, dict) and all(isinstance(item, str) or _is_list(item) for item in value.values())):
        raise ValueError("must be an object whose values are strings")
    return value


def _strings(value: Any) -> Any:
    """The value with strings for booleans."""
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, list):
        return [_strings(item) for item in value]
    return {key: _strings(item) for key, item in value.items()} if isinstance(value, dict) else value


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
