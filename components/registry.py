"""DockerRegistry: a docker repository with its roles, users, anonymous pull and a verification that it works."""

from __future__ import annotations

import base64
import json
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pulumi

from ..providers.address import registry_name, with_port
from ..providers.client import Connection
from ..providers.registry_check import RegistryCheck, digest
from ..providers.repositories.docker import DockerHostedRepository
from ..providers.security.anonymous import AnonymousAccess
from ..providers.security.realm import RealmActivation
from ..providers.security.role import Role
from ..providers.security.user import User
from .same_host import ports_beside
from .server import NexusServer
from .validation import registry_problems, require_none

_ACTIONS = {"push": ("browse", "read", "add", "edit"), "pull": ("browse", "read")}

RoleRef: TypeAlias = "Role | pulumi.Input[str]"
"""A Role of the program, or the id of a role that is on the server."""


@dataclass(kw_only=True)
class DockerRegistryArgs:
    """The arguments of a DockerRegistry.

    Args:
        server: the NexusServer of the registry.
        connection: instead of ``server``, the connection to a server that is managed elsewhere. Default: the one
            of the configuration.
        hostname: the name that clients use for such a server.
        login_server: ``host`` or ``host:port`` that clients use, where a reverse proxy is in front; without a port
            it is 443. Verification and pull secret go through it, over HTTPS. Default: hostname and ``https_port``
            (without the port when that is 443), else ``http_port``.
        ca: authority of the certificate at ``login_server`` in PEM. Default: the one of the server's connection.
        repository: name of the repository, lower case; replaces.
        https_port: port at which Docker clients reach it over HTTPS.
        http_port: the same without TLS, for a reverse proxy in front.
        pushers: users who push and pull: user ids and their passwords. The registry creates them.
        pullers: users who only pull, likewise.
        existing_users: users that something else manages: user ids and passwords. Nothing about them is changed.
            The first one is verified, and is in the pull secret, where no pusher or puller is given.
        extra_roles: more roles of pushers and pullers, by user id.
        push_role: role of the pushers, where it exists already. Default: ``<repository>-push``, created.
        pull_role: role of the pullers, where it exists already. Default: ``<repository>-pull``, created.
        create_roles: create both roles also when no user here has them, for users that are declared elsewhere.
        anonymous_pull: let anybody pull. The server must have ``anonymous_access`` on.
        blob_store_name: where blobs are kept; replaces.
        write_policy: ``ALLOW``, ``ALLOW_ONCE`` (no tag is pushed twice) or ``DENY``.
        cleanup_policy_names: names of the CleanupPolicy resources that mark images for deletion.
        force_destroy: let a deletion take the images with it; needs an ``up`` of its own before.
        adopt: change a repository, roles and users that exist and differ.
        manage_server: on a server that no NexusServer of this stack manages, also manage what exists once per
            server: the docker realm and anonymous access.
    """

    server: NexusServer | None = None
    connection: pulumi.Input[Connection] | None = None
    hostname: str | None = None
    login_server: str | None = None
    ca: pulumi.Input[str] | None = None
    repository: str = "docker-hosted"
    https_port: int | None = None
    http_port: int | None = None
    pushers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    pullers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    existing_users: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    extra_roles: Mapping[str, Sequence[RoleRef]] = field(default_factory=dict)
    push_role: RoleRef | None = None
    pull_role: RoleRef | None = None
    create_roles: bool = False
    anonymous_pull: bool = False
    blob_store_name: pulumi.Input[str] = "default"
    write_policy: pulumi.Input[str] = "ALLOW"
    cleanup_policy_names: Sequence[pulumi.Input[str]] = field(default_factory=list)
    force_destroy: bool = False
    adopt: bool = False
    manage_server: bool = False


class DockerRegistry(pulumi.ComponentResource):
    """A private Docker registry on a Nexus server.

    Pulumi type ``nexus-registry:index:DockerRegistry``. It creates a DockerHostedRepository, a Role for pushing
    and one for pulling if a user has it, a User for each pusher and puller, and a RegistryCheck: after each
    change one login and one pull challenge. On a NexusServer of the stack a host step first checks that the ports
    are free.

    A user of more than one registry is a DockerUser.

    Outputs:
        login_server: ``host:port`` for ``docker login``, from the arguments.
        docker_config_json: login of the first puller (else pusher, else existing user) in the form of a Kubernetes
            pull secret; secret.
        repository: name of the repository.
        push_role, pull_role: ids of the roles; empty where there is none.
        repository_incarnation, push_role_incarnation, pull_role_incarnation: change when another object takes the
            place of this one; for ``incarnations`` of roles and users that are declared elsewhere. Empty where the
            object is not created here.

    Errors: InvalidArguments lists every wrong argument before anything is done.
    """

    login_server: pulumi.Output[str]
    docker_config_json: pulumi.Output[str]
    repository: pulumi.Output[str]
    push_role: pulumi.Output[str]
    pull_role: pulumi.Output[str]
    repository_incarnation: pulumi.Output[str]
    push_role_incarnation: pulumi.Output[str]
    pull_role_incarnation: pulumi.Output[str]

    def __init__(self, name: str, args: DockerRegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        server = args.server
        taken = {} if server is None else {**ports_beside(server), **server.ports}
        accounts = {} if server is None else server.accounts
        known = None if server is None else server.args
        require_none(f"DockerRegistry {name!r}", registry_problems(args, known, taken, accounts))
        super().__init__("nexus-registry:index:DockerRegistry", name, None, opts)
        self.name = name
        self.args = args
        if server is not None:
            server.ports.update({port: f"{key} of {name}" for key, port in _ports(args)})
            server.accounts.update(dict.fromkeys((*args.pushers, *args.pullers), name))
        self.address, self.scheme = address(args)
        self.connection = server.connection if server else args.connection
        """How the server is reached; None: by the configuration."""
        self.login_server = pulumi.Output.from_input(self.address)
        self.repository = pulumi.Output.from_input(args.repository)

        self.repository_resource = self._repository()
        self.repository_incarnation = self.repository_resource.incarnation
        self.roles: dict[str, RoleRef] = {}
        """The role for ``push`` and the one for ``pull``, where there is one."""
        self.role_ids: dict[str, pulumi.Input[str]] = {}
        """Their ids, in a preview too where this registry creates them."""
        users = [*self._users("push", args.pushers), *self._users("pull", args.pullers)]
        self.push_role, self.push_role_incarnation = self._exported("push")
        self.pull_role, self.pull_role_incarnation = self._exported("pull")
        username, password = next(iter({**args.pullers, **args.pushers, **args.existing_users}.items()), ("", ""))
        self.docker_config_json = docker_config([self] if username else [], username, password)
        username, password = next(iter({**args.pushers, **args.pullers, **args.existing_users}.items()), ("", ""))
        if username:
            self.verify(f"{name}-proof", username, password, opts=self._after(self.repository_resource, *users))
        self.register_outputs(
            {
                "login_server": self.login_server,
                "docker_config_json": self.docker_config_json,
                "repository": self.repository,
                "push_role": self.push_role,
                "pull_role": self.pull_role,
                "repository_incarnation": self.repository_incarnation,
                "push_role_incarnation": self.push_role_incarnation,
                "pull_role_incarnation": self.pull_role_incarnation,
            }
        )

    def verify(
        self, name: str, username: str, password: pulumi.Input[str], *, opts: pulumi.ResourceOptions
    ) -> RegistryCheck:
        """One login and one pull challenge, made again whenever something of the registry changes.

        Args:
            name: name of the resource.
            username, password: who logs in.
            opts: options of the resource.
        """
        args = self.args
        plain = {
            "repository": args.repository,
            "ports": [args.https_port, args.http_port],
            "anonymous_pull": args.anonymous_pull,
            "users": [[*args.pushers], [*args.pullers]],
        }
        server_facts = args.server.facts if args.server else ""
        incarnations = [self.repository_incarnation, *incarnations_of(self.roles.values())]
        checked = pulumi.Output.all(server_facts, *incarnations).apply(
            lambda known: digest({**plain, "changes": known})
        )
        ca: pulumi.Input[str] | None = args.ca
        if ca is None:
            ca = pulumi.Output.from_input(self.connection).apply(
                lambda known: known.get("ca", "") if known else ""
            )
        return RegistryCheck(
            name,
            login_server=self.address,
            scheme=self.scheme,
            ca=pulumi.Output.unsecret(pulumi.Output.from_input(ca)),
            username=username,
            password=password,
            anonymous_pull=args.anonymous_pull,
            proves=checked,
            opts=opts,
        )

    def _repository(self) -> DockerHostedRepository:
        args = self.args
        return DockerHostedRepository(
            f"{self.name}-repository",
            name=args.repository,
            connection=self.connection,
            blob_store_name=args.blob_store_name,
            write_policy=args.write_policy,
            cleanup_policy_names=list(args.cleanup_policy_names),
            force_basic_auth=not args.anonymous_pull,
            http_port=args.http_port,
            https_port=args.https_port,
            probe_connectors=not args.login_server,
            force_destroy=args.force_destroy,
            adopt=args.adopt,
            opts=self._after(*self._prerequisites()),
        )

    def _prerequisites(self) -> list[pulumi.Resource]:
        """The resources that must exist before the repository."""
        args = self.args
        if args.server is None:
            if not args.manage_server:
                return []
            realm = RealmActivation(f"{self.name}-docker-realm", connection=self.connection, opts=self._after())
            anonymous = AnonymousAccess(
                f"{self.name}-anonymous",
                enabled=args.anonymous_pull,
                connection=self.connection,
                opts=self._after(),
            )
            return [realm, anonymous]
        server = args.server.args
        flags = {
            **dict(_ports(args)),
            "address": server.address,
            "for": self.name,
            "open_firewall": server.open_firewall or None,
        }
        free = args.server.step("port", f"{self.name}-port", flags, opts=self._after(*args.server.ready))
        return [*args.server.ready, free]

    def _users(self, verb: str, passwords: Mapping[str, pulumi.Input[str]]) -> list[User]:
        """The role for ``push`` or ``pull`` where it is needed, and its users."""
        role: RoleRef | None = getattr(self.args, f"{verb}_role")
        if role is not None:
            self.role_ids[verb] = role_id(role)
        elif passwords or self.args.create_roles:
            role = self._create_role(verb)
            self.role_ids[verb] = f"{self.args.repository}-{verb}"
        else:
            return []
        self.roles[verb] = role
        users = []
        for user_id, password in passwords.items():
            extra = self.args.extra_roles.get(user_id, ())
            roles = [role, *extra]
            users.append(
                User(
                    user_resource_name(self.name, user_id),
                    user_id=user_id,
                    password=password,
                    roles=[self.role_ids[verb], *(role_id(one) for one in extra)],
                    incarnations=incarnations_of(roles),
                    connection=self.connection,
                    adopt=self.args.adopt,
                    opts=pulumi.ResourceOptions.merge(
                        self._after(*(one for one in roles if isinstance(one, Role))),
                        pulumi.ResourceOptions(aliases=former_names(self.name, user_id)),
                    ),
                )
            )
        return users

    def _create_role(self, verb: str) -> Role:
        repository = self.args.repository
        return Role(
            f"{self.name}-{verb}",
            role_id=f"{repository}-{verb}",
            description=f"May {verb} images of {repository}",
            privileges=[f"nx-repository-view-docker-{repository}-{action}" for action in _ACTIONS[verb]],
            incarnations=[self.repository_incarnation],
            connection=self.connection,
            adopt=self.args.adopt,
            opts=self._after(self.repository_resource),
        )

    def _exported(self, verb: str) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Id and incarnation of a role, as outputs."""
        role = self.roles.get(verb)
        if role is None:
            return pulumi.Output.from_input(""), pulumi.Output.from_input("")
        incarnation = role.incarnation if isinstance(role, Role) else ""
        return pulumi.Output.from_input(self.role_ids[verb]), pulumi.Output.from_input(incarnation)

    def _after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(resources))


def address(args: DockerRegistryArgs) -> tuple[str, str]:
    """``host`` or ``host:port`` for ``docker login``, and ``https`` or ``http``."""
    if args.login_server:
        return args.login_server, "https"
    hostname = args.server.hostname if args.server else str(args.hostname).strip("[]")
    if args.https_port:
        return registry_name(hostname, args.https_port), "https"
    return with_port(hostname, args.http_port), "http"


def docker_config(
    registries: Iterable[DockerRegistry], username: str, password: pulumi.Input[str]
) -> pulumi.Output[str]:
    """The content of a Docker ``config.json`` with one user's login to these registries, as a secret."""
    addresses = [registry.address for registry in registries]
    return pulumi.Output.secret(password).apply(lambda known: docker_config_json(addresses, username, known))


def docker_config_json(login_servers: str | Iterable[str], username: str, password: str) -> str:
    """The content of a Docker ``config.json``; Kubernetes takes it as ``.dockerconfigjson``."""
    servers = [login_servers] if isinstance(login_servers, str) else login_servers
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    login = {"username": username, "password": password, "auth": auth}
    return json.dumps({"auths": dict.fromkeys(servers, login)}, separators=(",", ":"))


def role_id(role: RoleRef) -> pulumi.Input[str]:
    """The id of a role."""
    return role.role_id if isinstance(role, Role) else role


def incarnations_of(roles: Iterable[RoleRef]) -> list[pulumi.Input[str]]:
    """The incarnations of those roles that the program declares."""
    return [role.incarnation for role in roles if isinstance(role, Role)]


def user_resource_name(component: str, user_id: str) -> str:
    """The name of a user's resource, unique for each component and user: a user id contains no colon."""
    return f"{component}:{user_id}"


_former_names: weakref.WeakKeyDictionary[Any, set[str]] = weakref.WeakKeyDictionary()


def former_names(component: str, user_id: str) -> list[str | pulumi.Alias]:
    """The name that the resource had up to 0.1, which was the same for ``a``, ``b-c`` and ``a-b``, ``c``.

    The first of them gets such a name, because the state contains at most one of them.
    """
    former = f"{component}-{user_id}"
    taken = _former_names.setdefault(pulumi.runtime.settings.get_monitor(), set())
    if former in taken:
        return []
    taken.add(former)
    return [pulumi.Alias(name=former)]


def _ports(args: DockerRegistryArgs) -> Iterator[tuple[str, int]]:
    for key in ("https_port", "http_port"):
        port = getattr(args, key)
        if port:
            yield key, port
