"""DockerRegistry: a docker repository with its roles, users, anonymous pull and a proof that it works."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from ..providers.anonymous import AnonymousAccess
from ..providers.client import Connection
from ..providers.docker import DockerHostedRepository
from ..providers.proof import RegistryProof, digest
from ..providers.realm import RealmActivation
from ..providers.role import Role
from ..providers.user import User
from .server import NexusServer

_PULL = ("browse", "read")
_PUSH = ("browse", "read", "add", "edit")


@dataclass(kw_only=True)
class DockerRegistryArgs:
    """What a registry is to be.

    Args:
        server: the NexusServer it stands on; or, for a server that another program keeps,
        connection: how that is reached, and
        hostname: the name clients use for it.
        repository: name of the repository, lower case; replaces.
        https_port: at which Docker clients reach it over HTTPS.
        http_port: the same without TLS, for a reverse proxy in front.
        pushers: who may push and pull: user ids and their passwords. At least one user must be given in all.
        pullers: who may only pull.
        anonymous_pull: let anybody pull. The server must have anonymous access on.
        blob_store_name: where blobs are kept; replaces.
        write_policy: ``ALLOW``, ``ALLOW_ONCE`` (no tag is pushed twice) or ``DENY``.
        force_destroy: let a deletion take the images with it; needs an ``up`` of its own before.
        adopt: take repository, roles and users that exist and differ, and change them.
        manage_server: on a server that no NexusServer of this stack keeps, also own what exists once per server:
            the docker realm and anonymous access.
    """

    server: NexusServer | None = None
    connection: pulumi.Input[Connection] | None = None
    hostname: str | None = None
    repository: str = "docker-hosted"
    https_port: int | None = None
    http_port: int | None = None
    pushers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    pullers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    anonymous_pull: bool = False
    blob_store_name: str = "default"
    write_policy: str = "ALLOW"
    force_destroy: bool = False
    adopt: bool = False
    manage_server: bool = False


class DockerRegistry(pulumi.ComponentResource):
    """A private Docker registry on a Nexus server.

    Pulumi type ``nexus-registry:index:DockerRegistry``. It makes a DockerHostedRepository, a Role for pushing and
    one for pulling where somebody has it, a User for each account, and a RegistryProof: after each change one
    login and one pull challenge. On a NexusServer of the stack a host step looks first that the ports are free.

    Outputs:
        login_server: ``host:port`` for ``docker login``, from the arguments.
        docker_config_json: logins of the first puller (or pusher) in the form of a Kubernetes pull secret; secret.
        repository: name of the repository.
    """

    login_server: pulumi.Output[str]
    docker_config_json: pulumi.Output[str]
    repository: pulumi.Output[str]

    def __init__(self, name: str, args: DockerRegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("nexus-registry:index:DockerRegistry", name, None, opts)
        self.name = name
        self.args = args
        hostname = _refuse_bad(name, args)
        port, scheme = (args.https_port, "https") if args.https_port else (args.http_port, "http")
        login_server = f"{hostname}:{port}"
        self.login_server = pulumi.Output.from_input(login_server)
        self.repository = pulumi.Output.from_input(args.repository)
        self._connection = args.server.connection if args.server else args.connection

        ready = self._ready()
        repository = DockerHostedRepository(
            f"{name}-repository",
            name=args.repository,
            connection=self._connection,
            blob_store_name=args.blob_store_name,
            write_policy=args.write_policy,
            force_basic_auth=not args.anonymous_pull,
            http_port=args.http_port,
            https_port=args.https_port,
            force_destroy=args.force_destroy,
            adopt=args.adopt,
            opts=self._after(*ready),
        )
        self._roles: list[Role] = []
        users = self._accounts(repository, "push", _PUSH, args.pushers)
        users += self._accounts(repository, "pull", _PULL, args.pullers)
        username, password = next(iter({**args.pullers, **args.pushers}.items()))
        self.docker_config_json = pulumi.Output.secret(password).apply(
            lambda known: docker_config_json(login_server, username, known)
        )
        self._proof(login_server, scheme, repository, users)
        self.register_outputs(
            {
                "login_server": self.login_server,
                "docker_config_json": self.docker_config_json,
                "repository": self.repository,
            }
        )

    def _ready(self) -> list[pulumi.Resource]:
        """What must be done before the repository is made."""
        args = self.args
        if args.server is None:
            if not args.manage_server:
                return []
            realm = RealmActivation(f"{self.name}-docker-realm", connection=self._connection, opts=self._after())
            anonymous = AnonymousAccess(
                f"{self.name}-anonymous",
                enabled=args.anonymous_pull,
                connection=self._connection,
                opts=self._after(),
            )
            return [realm, anonymous]
        ports = [port for port in (args.https_port, args.http_port) if port]
        asked = {"port": ports, "for": self.name, "open_firewall": args.server.args.open_firewall or None}
        free = args.server.step("port", f"{self.name}-port", asked, opts=self._after(*args.server.ready))
        return [*args.server.ready, free]

    def _accounts(
        self,
        repository: DockerHostedRepository,
        what: str,
        actions: tuple[str, ...],
        accounts: Mapping[str, pulumi.Input[str]],
    ) -> list[User]:
        if not accounts:
            return []
        role = Role(
            f"{self.name}-{what}",
            id=f"{self.args.repository}-{what}",
            description=f"May {what} images of {self.args.repository}",
            privileges=[f"nx-repository-view-docker-{self.args.repository}-{action}" for action in actions],
            incarnations=[repository.incarnation],
            connection=self._connection,
            adopt=self.args.adopt,
            opts=self._after(repository),
        )
        self._roles.append(role)
        return [
            User(
                f"{self.name}-{user_id}",
                user_id=user_id,
                password=password,
                roles=[f"{self.args.repository}-{what}"],
                incarnations=[role.incarnation],
                connection=self._connection,
                adopt=self.args.adopt,
                opts=self._after(role),
            )
            for user_id, password in accounts.items()
        ]

    def _proof(
        self, login_server: str, scheme: str, repository: DockerHostedRepository, users: list[User]
    ) -> RegistryProof:
        args = self.args
        username, password = next(iter({**args.pushers, **args.pullers}.items()))
        plain = {
            "repository": args.repository,
            "ports": [args.https_port, args.http_port],
            "anonymous_pull": args.anonymous_pull,
            "users": [[*args.pushers], [*args.pullers]],
        }
        server_facts = args.server.facts if args.server else ""
        incarnations = [repository.incarnation, *(role.incarnation for role in self._roles)]
        proves = pulumi.Output.all(server_facts, *incarnations).apply(
            lambda known: digest({**plain, "changes": known})
        )
        ca = pulumi.Output.from_input(self._connection).apply(lambda known: (known or {}).get("ca", ""))
        return RegistryProof(
            f"{self.name}-proof",
            login_server=login_server,
            scheme=scheme,
            ca=pulumi.Output.unsecret(ca),
            username=username,
            password=password,
            anonymous_pull=args.anonymous_pull,
            proves=proves,
            opts=self._after(repository, *users),
        )

    def _after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(resources))


def docker_config_json(login_server: str, username: str, password: str) -> str:
    """The content of a Docker ``config.json`` with one login; Kubernetes takes it as ``.dockerconfigjson``."""
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    login = {"username": username, "password": password, "auth": auth}
    return json.dumps({"auths": {login_server: login}}, separators=(",", ":"))


def _refuse_bad(name: str, args: DockerRegistryArgs) -> str:
    """Raise for what can be known to be wrong before anything runs; return the name clients use."""
    if args.server is not None and (args.connection is not None or args.hostname or args.manage_server):
        raise ValueError(
            "server excludes connection, hostname and manage_server: those are for a server kept elsewhere"
        )
    if args.server is None and args.hostname is None:
        raise ValueError("server or hostname is required: the name that Docker clients use")
    if not (args.https_port or args.http_port):
        raise ValueError("https_port is required: the port at which Docker clients reach the registry")
    if not (args.pushers or args.pullers):
        raise ValueError("pushers or pullers must name at least one user, with a password")
    twice = set(args.pushers) & set(args.pullers)
    if twice:
        raise ValueError(f"pullers names {', '.join(sorted(twice))}, who may push already: name each user once")
    for key in ("https_port", "http_port"):
        port = getattr(args, key)
        if port is None:
            continue
        if not 1 <= port <= 65535:
            raise ValueError(f"{key} must be from 1 to 65535, not {port}")
        if args.server is not None:
            owner = args.server.ports.setdefault(port, f"{key} of {name}")
            if owner != f"{key} of {name}":
                raise ValueError(f"{key} of {name} is {port}, which is the {owner}: give each a port of its own")
    if args.server is not None and args.anonymous_pull and not args.server.args.anonymous_access:
        raise ValueError("anonymous_pull needs anonymous_access on the NexusServer: turn that on, or this off")
    return args.server.hostname if args.server is not None else str(args.hostname)
