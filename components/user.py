"""DockerUser: one account for several registries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pulumi

from ..providers.connection import server_of
from ..providers.security.role import Role
from ..providers.security.user import User
from .registry import DockerRegistry, RoleRef, docker_config, incarnations_of, role_id
from .validation import Problem, require_none, type_problems, user_problems


@dataclass(kw_only=True)
class DockerUserArgs:
    """The arguments of a DockerUser.

    Args:
        user_id: id of the account.
        password: its password.
        push_to: registries of one server that it pushes to and pulls from. Each must have a push role: a registry
            that declares no pusher itself needs ``create_roles``.
        pull_from: registries of the same server that it only pulls from, likewise.
        extra_roles: more roles.
        adopt: change an account that exists and differs.
    """

    user_id: str
    password: pulumi.Input[str]
    push_to: Sequence[DockerRegistry] = ()
    pull_from: Sequence[DockerRegistry] = ()
    extra_roles: Sequence[RoleRef] = ()
    adopt: bool = False


class DockerUser(pulumi.ComponentResource):
    """An account that pushes to, or pulls from, one or more registries of a server.

    Pulumi type ``nexus-registry:index:DockerUser``. It creates a User with the roles of the registries, and a
    RegistryCheck for each registry: one login with this account after each change.

    Outputs:
        user_id: id of the account.
        docker_config_json: its logins to all its registries in the form of a Kubernetes pull secret; secret.

    Errors: InvalidArguments lists every wrong argument before anything is done.
    """

    user_id: pulumi.Output[str]
    docker_config_json: pulumi.Output[str]

    def __init__(self, name: str, args: DockerUserArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        require_none(f"DockerUser {name!r}", _problems(args))
        super().__init__("nexus-registry:index:DockerUser", name, None, opts)
        registries = [*args.push_to, *args.pull_from]
        server = registries[0].args.server
        if server is not None:
            server.accounts[args.user_id] = name
        granted = [*((one, "push") for one in args.push_to), *((one, "pull") for one in args.pull_from)]
        roles = [*(registry.roles[verb] for registry, verb in granted), *args.extra_roles]
        ids = [registry.role_ids[verb] for registry, verb in granted]
        user = User(
            f"{name}-user",
            user_id=args.user_id,
            password=args.password,
            roles=[*ids, *(role_id(role) for role in args.extra_roles)],
            incarnations=incarnations_of(roles),
            connection=registries[0].connection,
            adopt=args.adopt,
            opts=self._after(*(role for role in roles if isinstance(role, Role))),
        )
        for registry in registries:
            # A repository's name holds no colon, so no two of these names are the same.
            registry.verify(
                f"{name}:{registry.args.repository}",
                args.user_id,
                args.password,
                opts=self._after(registry.repository_resource, user),
            )
        self.user_id = user.user_id
        self.docker_config_json = docker_config(registries, args.user_id, args.password)
        self.register_outputs({"user_id": self.user_id, "docker_config_json": self.docker_config_json})

    def _after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(resources))


def _problems(args: DockerUserArgs) -> Iterator[Problem]:
    if wrong := list(type_problems(args)):
        yield from wrong
        return
    yield from user_problems("user_id", args.user_id, args.password)
    registries = [*args.push_to, *args.pull_from]
    if not registries:
        yield "push_to", "names no registry, nor does pull_from. Name one."
        return
    for registry in registries[1:]:
        if _differ(registry, registries[0]):
            argument = "push_to" if registry in args.push_to else "pull_from"
            yield (
                argument,
                f"{registry.name} and {registries[0].name} are on different servers, or at different addresses of "
                "one. Give both one connection, or declare two users.",
            )
    for registry in args.pull_from:
        if registry in args.push_to:
            yield "pull_from", f"{registry.name} is in push_to, which includes pulling. Name each registry once."
    for argument, verb in (("push_to", "push"), ("pull_from", "pull")):
        named = [*getattr(args, argument)]
        for place, registry in enumerate(named):
            if registry in named[:place]:
                yield argument, f"{registry.name} is named twice. Name each registry once."
            if verb not in registry.roles:
                yield argument, f"{registry.name} has no {verb} role. Set create_roles=True on it."
    server = registries[0].args.server
    if server is not None and args.user_id in server.accounts:
        owner = server.accounts[args.user_id]
        yield "user_id", f"{args.user_id!r} is a user of {owner} already. Take it out there."


def _differ(one: DockerRegistry, other: DockerRegistry) -> bool:
    """Whether two registries are on different servers, or known to have different addresses of one."""
    if one.args.server is not other.args.server:
        return True
    given = [registry.args.connection for registry in (one, other)]
    urls = {connection.get("url") for connection in given if isinstance(connection, Mapping)}
    return len({server_of(url) for url in urls if isinstance(url, str)}) > 1
