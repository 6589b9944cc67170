"""Declares what ``history.json`` beside it lists, in its order."""

import json
from pathlib import Path
from typing import Any

import pulumi
from nexus_registry.providers.repositories.docker import DockerHostedRepository
from nexus_registry.providers.security.anonymous import AnonymousAccess
from nexus_registry.providers.security.realm import RealmActivation
from nexus_registry.providers.security.role import Role
from nexus_registry.providers.security.user import User

KINDS = {
    "role": Role,
    "user": User,
    "repository": DockerHostedRepository,
    "realm": RealmActivation,
    "anonymous": AnonymousAccess,
}


class Group(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("history:index:Group", name, {}, opts)
        self.register_outputs({})


program = json.loads(Path(__file__).with_name("history.json").read_text())
connection = {**program["connection"], "password": pulumi.Output.secret(program["connection"]["password"])}
made: dict[str, Any] = {}
for name, aliases in program["groups"].items():
    made[name] = Group(name, pulumi.ResourceOptions(aliases=aliases))
for one in program["entries"]:
    inputs, used = dict(one["inputs"]), made.get(one["uses"])
    if isinstance(used, Role):
        inputs["roles"] = [*inputs["roles"], used.role_id]
    if isinstance(used, DockerHostedRepository):
        privilege = pulumi.Output.concat("nx-repository-view-docker-", used.name, "-read")
        inputs["privileges"] = [*inputs["privileges"], privilege]
    opts = pulumi.ResourceOptions(parent=made.get(one["parent"]), aliases=one["aliases"])
    made[one["name"]] = KINDS[one["kind"]](one["name"], **inputs, connection=connection, opts=opts)
