"""What is wrong with arguments, as far as that is known before anything runs.

Each function yields ``(argument, problem)``; the problem is ``<what is wrong>. <what to do>.`` The components
raise all problems at once; the program in this repository reports them by configuration key.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import ResourceProvider

from ..providers.compat import archive_url, java_major, licence_reason
from ..providers.errors import sentence
from ..providers.keystore import store_password
from ..providers.repositories.docker import DockerHostedRepositoryProvider
from ..providers.schema import Invalid
from ..providers.security.role import RoleProvider
from ..providers.security.user import UserProvider
from .host import arguments
from .server_arguments import NexusServerArgs, privileged_ports

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from .registry import DockerRegistryArgs

Problem = tuple[str, str]
"""An argument, and what is wrong with its value and what to do."""

_ARCHITECTURES = ("x86_64", "aarch64")
_CONNECTION = {"url": "https://nexus.example.com", "username": "admin", "password": "unused"}
"""A placeholder for the server, for checks of the other properties."""


class InvalidArguments(ValueError):
    """Arguments of a component that are refused before anything runs.

    Attributes:
        problems: each argument and what is wrong with it.
    """

    def __init__(self, component: str, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        lines = [f"{argument}: {problem}" for argument, problem in self.problems]
        super().__init__(lines[0] if len(lines) == 1 else "\n  ".join([f"{component}:", *lines]))


def require_none(component: str, problems: Iterable[Problem]) -> None:
    """Raise InvalidArguments when there is a problem."""
    found = list(problems)
    if found:
        raise InvalidArguments(component, found)


def provider_problems(
    provider: ResourceProvider, inputs: Mapping[str, Any], arguments: Mapping[str, str]
) -> Iterator[Problem]:
    """What a resource's provider refuses in these inputs.

    Args:
        provider: of the resource; only its ``check`` is called, which needs no server.
        inputs: properties of the resource; those that are not strings, numbers and the like are left out.
        arguments: the component's argument for each property.
    """
    plain = {name: value for name, value in inputs.items() if is_plain(value)}
    for failure in provider.check({}, plain).failures:
        if failure.property in arguments and (failure.property in plain or failure.property not in inputs):
            yield arguments[failure.property], failure.reason


def is_plain(value: object) -> bool:
    """Whether a value is known now, which an output of another resource is not."""
    if isinstance(value, Mapping):
        return all(is_plain(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return all(is_plain(item) for item in value)
    return isinstance(value, (str, int, float))


def type_problems(args: DataclassInstance) -> Iterator[Problem]:
    """Arguments of another type than declared, such as the output of a resource. The other checks need values."""
    for field in dataclasses.fields(args):
        value = getattr(args, field.name)
        kind, _, optional = str(field.type).partition(" | ")
        if not (value is None and optional) and (expected := _unlike(kind, value)):
            given = "" if isinstance(value, Mapping) else f", not of the type {type(value).__name__}"
            yield field.name, f"must be {expected}{given}."


def _unlike(kind: str, value: object) -> str:
    """The type that a value must have; empty if it has it, or if the kind takes outputs."""
    if kind == "str":
        return "" if isinstance(value, str) else "a string"
    if kind == "bool":
        return "" if isinstance(value, bool) else "True or False"
    if kind == "int":
        return "" if isinstance(value, int) and not isinstance(value, bool) else "a whole number"
    if kind.startswith("Sequence["):
        return "" if isinstance(value, Iterable) and not isinstance(value, (str, Mapping)) else "a list"
    if not kind.startswith("Mapping["):
        return ""
    if not isinstance(value, Mapping):
        return "a mapping"
    if "Sequence[" in kind:
        return "a mapping of strings to lists" if any(isinstance(item, str) for item in value.values()) else ""
    texts = kind != "Mapping[str, str]" or all(isinstance(item, str) for item in value.values())
    return "" if texts and all(isinstance(key, str) for key in value) else "a mapping with strings only"


def port_problems(args: NexusServerArgs | DockerRegistryArgs, names: Iterable[str]) -> Iterator[Problem]:
    """Ports out of range."""
    for name in names:
        port = getattr(args, name)
        if port is not None and not 1 <= port <= 65535:
            yield name, f"must be from 1 to 65535, not {port}."


def server_problems(args: NexusServerArgs) -> Iterator[Problem]:
    """What is wrong with the arguments of a NexusServer."""
    if wrong := list(type_problems(args)):
        yield from wrong
        return
    yield from _version_problems(args)
    if not re.fullmatch(r"[0-9a-f]{64}", args.archive_sha256):
        yield (
            "archive_sha256",
            "must be 64 lower-case hexadecimal digits. Give the vendor's SHA-256 of the archive.",
        )
    if args.archive_url and args.archive_path:
        yield "archive_url", "excludes archive_path. Give the one that holds the archive."
    yield from _login_problems(args)
    if args.architecture not in _ARCHITECTURES:
        yield "architecture", f"must be x86_64 or aarch64, not {args.architecture!r}."
    if args.keystore_format not in ("pkcs12", "jks"):
        yield "keystore_format", f"must be pkcs12 or jks, not {args.keystore_format!r}."
    yield from port_problems(args, ("http_port", "https_port"))
    if args.http_port == args.https_port:
        yield "https_port", f"is {args.https_port}, like http_port. Give each a port of its own."
    yield from _certificate_problems(args)
    yield from _host_problems(args)
    if args.url and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", args.url):
        yield "url", "must be https://host:port, with the context path if there is one. Leave out user, ? and #."
    if not args.hostname and not isinstance(args.ssh.host, str):
        yield "hostname", "is required when ssh.host is an output. Give the name that clients use."
    elif args.hostname:
        yield from _hostname_problems(args.hostname)


def _certificate_problems(args: NexusServerArgs) -> Iterator[Problem]:
    given = {name: getattr(args, name) is not None for name in ("certificate", "private_key")}
    on_host = {name: getattr(args, name) is not None for name in ("certificate_path", "private_key_path")}
    if any(given.values()) and any(on_host.values()):
        yield "certificate_path", "excludes certificate and private_key. Give either these or the paths."
        return
    for name, existing in (on_host if any(on_host.values()) else given).items():
        if not existing:
            other = "certificate_path and private_key_path" if name in given else "certificate and private_key"
            yield name, f"is required. Give it, or {other}."
    for name in on_host:
        path = getattr(args, name)
        if path is not None and not re.fullmatch(r"(/[A-Za-z0-9._+-]+)+", path):
            yield name, f"must be an absolute path of letters, digits and . _ + -, not {path!r}."
    if any(on_host.values()) and args.keystore_format != "pkcs12":
        yield "keystore_format", "must be pkcs12 where the certificate is read on the host. Leave it out."
    if any(on_host.values()) and args.chain is not None:
        yield "chain", "requires certificate. Put the intermediates into the file at certificate_path."
    if any(on_host.values()) and isinstance(args.keystore_password, str):
        yield from _password_problems(args.keystore_password)


def valid_keystore_password(password: str) -> str:
    """The password of a keystore that is made on the host; raises InvalidArguments."""
    require_none("NexusServer", _password_problems(password))
    return password


def _password_problems(password: str) -> Iterator[Problem]:
    try:
        store_password(password)
    except Invalid as error:
        yield "keystore_password", sentence(str(error))


def _login_problems(args: NexusServerArgs) -> Iterator[Problem]:
    if args.archive_url and "@" in re.split(r"[/?#]", args.archive_url.partition("://")[2], maxsplit=1)[0]:
        yield (
            "archive_url",
            "contains a login. Give it as archive_username and archive_password, which are secret.",
        )
    if args.archive_url and not re.fullmatch(r"(https?://|file:///)\S+", args.archive_url):
        yield "archive_url", "must begin with https://, http:// or file:///, without blanks."
    names = ("archive_username", "archive_password")
    given = [name for name in names if getattr(args, name) is not None]
    if len(given) == 1:
        yield given[0], f"needs {next(name for name in names if name not in given)}. Give both, or none."
    elif given and not args.archive_url:
        yield "archive_username", "is for a mirror. Give the mirror's archive_url."
    for name in given:
        value = getattr(args, name)
        if isinstance(value, str) and (not value or re.search(r"[\0\r]|\n.", value, re.DOTALL)):
            yield name, "must be one line that is not empty."
    if isinstance(args.archive_username, str) and ":" in args.archive_username:
        yield "archive_username", "must contain no colon, which ends it in a login."


def _version_problems(args: NexusServerArgs) -> Iterator[Problem]:
    try:
        licence = licence_reason(args.version)
    except ValueError:
        yield "version", f"{args.version!r} is no Nexus version. Give one with its build, such as 3.71.0-06."
        return
    if not re.fullmatch(r"3\.\d+\.\d+-\d+", args.version):
        yield "version", f"{args.version!r} has no build. Give the full version, such as 3.71.0-06."
    elif args.architecture in _ARCHITECTURES and not (args.archive_url or args.archive_path):
        try:
            archive_url(args.version, args.architecture)
        except ValueError as error:
            yield "architecture", f"{error}, or give archive_url."
    if licence and not args.accept_eula:
        yield "accept_eula", f"version {args.version} {licence} and set accept_eula to true."


def _host_problems(args: NexusServerArgs) -> Iterator[Problem]:
    """What the host steps would refuse, as far as that is known without a connection."""
    yield from arguments.place_problems(args.install_root, args.data_dir, args.java_home)
    for name in ("user", "group", "unit"):
        yield from arguments.word_problems(name, getattr(args, name).removesuffix(".service"))
    if args.user in ("root", "0"):
        yield "user", "Nexus must not run as root. Choose another user."
    yield from arguments.context_path_problems(args.context_path)
    yield from arguments.address_problems(args.address)
    if args.heap_mb < 256:
        yield "heap_mb", f"must be at least 256, not {args.heap_mb}. The vendor's minimum is 2703."
    yield from _java_problems(args)
    for name, low in (("min_disk_mb", 0), ("connect_timeout", 1), ("lock_timeout", 0), ("start_timeout", 1)):
        if not low <= getattr(args, name) < 10**9:
            yield name, f"must be from {low} to {10**9 - 1}, not {getattr(args, name)}."
    yield from arguments.properties_problems(args.properties, args.data_dir)


def _java_problems(args: NexusServerArgs) -> Iterator[Problem]:
    try:
        is_bundled = java_major(args.version) is None
    except ValueError:  # reported for version
        return
    if args.java_package and not args.java_home and is_bundled:
        yield "java_package", f"the archive of Nexus {args.version} contains its Java. Leave java_package out."


def registry_problems(
    args: DockerRegistryArgs,
    server: NexusServerArgs | None,
    ports: Mapping[int, str],
    accounts: Mapping[str, str],
) -> Iterator[Problem]:
    """What is wrong with the arguments of a DockerRegistry.

    Args:
        args: the arguments; ``args.server`` is not used.
        server: the arguments of its NexusServer; None where the server is managed elsewhere.
        ports: the ports in use on that server's host, each with its user.
        accounts: the accounts that exist on that server, each with the component that declares it.
    """
    if wrong := list(type_problems(args)):
        yield from wrong
        return
    if server is not None:
        for name in ("connection", "hostname", "manage_server"):
            if getattr(args, name):
                yield name, "is for a server that is managed elsewhere. Leave out this argument, or server."
    elif not (args.hostname or args.login_server):
        yield "hostname", "is required without server and login_server. Give the name that Docker clients use."
    elif args.hostname and not args.login_server:
        yield from _hostname_problems(args.hostname)
    if args.login_server and not re.fullmatch(r"([^\s/:\[\]]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?", args.login_server):
        yield (
            "login_server",
            f"must be a host with an optional port, such as registry.example.com, not {args.login_server!r}. "
            "Leave out scheme and path.",
        )
    yield from _port_problems(args, ports)
    if server is not None and not privileged_ports(server):
        for name in ("https_port", "http_port"):
            if 0 < (getattr(args, name) or 0) < 1024:
                yield name, f"{getattr(args, name)} needs privileged_ports on the server. Set it to true."
    yield from _user_problems(args, accounts)
    shared = ("blob_store_name", "write_policy", "cleanup_policy_names")
    repository = {"name": args.repository, "connection": _CONNECTION} | {
        name: getattr(args, name) for name in shared
    }
    arguments = {"name": "repository", **{name: name for name in shared}}
    yield from provider_problems(DockerHostedRepositoryProvider(), repository, arguments)
    if server is not None and args.anonymous_pull and not server.anonymous_access:
        yield (
            "anonymous_pull",
            "needs anonymous_access on the server. Set anonymous_access to true, or this to false.",
        )


def _hostname_problems(name: str) -> Iterator[Problem]:
    """What is neither a host's name nor an address; an IPv6 address may be in brackets."""
    if re.fullmatch(r"[^\s/:@?#\[\]]+", name):
        return
    try:
        ipaddress.IPv6Address(re.sub(r"^\[(.*)\]$", r"\1", name))
    except ValueError:
        yield "hostname", f"must be a name or an address, without scheme and port, not {name!r}."


def _port_problems(args: DockerRegistryArgs, ports: Mapping[int, str]) -> Iterator[Problem]:
    if not (args.https_port or args.http_port):
        yield "https_port", "is required. Give the port at which Docker clients reach the registry."
    yield from port_problems(args, ("https_port", "http_port"))
    if args.https_port and args.https_port == args.http_port:
        yield "https_port", f"is {args.https_port}, like http_port. Give each a port of its own."
    for name in ("https_port", "http_port"):
        port = getattr(args, name)
        if port in ports:
            yield name, f"{port} is the {ports[port]}. Give each a port of its own."


def _user_problems(args: DockerRegistryArgs, accounts: Mapping[str, str]) -> Iterator[Problem]:
    if not (args.pushers or args.pullers or args.existing_users or args.create_roles):
        yield (
            "pushers",
            "names nobody, nor do pullers and existing_users. Name one user with a password, or set create_roles.",
        )
    for user_id in sorted({*args.pushers} & {*args.pullers}):
        yield "pullers", f"{user_id!r} is a pusher too, who may pull. Name each user once."
    for user_id in sorted({*args.existing_users} & {*args.pushers, *args.pullers}):
        yield "existing_users", f"{user_id!r} is a pusher or puller too. Name each user once."
    for user_id in sorted({*args.extra_roles} - {*args.pushers, *args.pullers}):
        yield "extra_roles", f"{user_id!r} is no pusher or puller. Name one of those."
    for name in ("pushers", "pullers"):
        for user_id, password in getattr(args, name).items():
            if user_id in accounts:
                yield (
                    name,
                    f"{user_id!r} is a user of {accounts[user_id]} already. Declare a user of several registries "
                    "once, as a DockerUser.",
                )
            yield from user_problems(name, user_id, password)
    if len(args.repository) <= 200:
        for verb in ("push", "pull"):
            role = {"role_id": f"{args.repository}-{verb}", "connection": _CONNECTION}
            if getattr(args, f"{verb}_role") is None:
                yield from provider_problems(RoleProvider(), role, {"role_id": "repository"})


def user_problems(argument: str, user_id: str, password: object) -> Iterator[Problem]:
    """Errors in a user's id and password, reported for the argument that names the user."""
    user = {"user_id": user_id, "roles": ["any"], "password": password if is_plain(password) else "unused"}
    user["connection"] = _CONNECTION
    for found, problem in provider_problems(UserProvider(), user, {"user_id": "id", "password": "password"}):
        yield argument, f"the {found} of {user_id!r} {problem}"
