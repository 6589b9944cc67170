"""Every kind of version 0.1.0 that needs no host."""

import pulumi
from nexus_registry.components import DockerRegistry, DockerRegistryArgs
from nexus_registry.providers import (
    AdminPassword,
    AnonymousAccess,
    DockerHostedRepository,
    Eula,
    RealmActivation,
    Role,
    User,
)

config = pulumi.Config()

DockerRegistry(
    "team",
    DockerRegistryArgs(
        hostname="localhost",
        repository="team",
        https_port=config.require_int("port"),
        pushers={"team-ci": "pusher-secret-1"},
        pullers={"team-reader": "puller-secret-1"},
        anonymous_pull=True,
    ),
)
AdminPassword("admin-password", password=config.require_secret("admin_password"))
Eula("eula", accepted=True)
RealmActivation("docker-realm", realm="DockerToken")
AnonymousAccess("anonymous", enabled=True)
plain = DockerHostedRepository(
    "plain", name="plain", write_policy="ALLOW_ONCE", latest_policy=True, force_basic_auth=False
)
reader = Role(
    "reader",
    role_id="reader",
    name="Reader",
    description="May pull from plain",
    privileges=["nx-repository-view-docker-plain-read", "nx-repository-view-docker-plain-browse"],
    incarnations=[plain.incarnation],
)
User(
    "jane",
    user_id="jane",
    password="jane-secret-1",
    roles=["reader", "nx-anonymous"],
    email_address="jane@example.com",
    status="disabled",
    incarnations=[reader.incarnation],
    opts=pulumi.ResourceOptions(depends_on=[reader]),
)
