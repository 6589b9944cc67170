"""Two registries on one Nexus: a user of both, and a role that exists already."""

import pulumi
from nexus_registry.components import DockerRegistry, DockerRegistryArgs, DockerUser, DockerUserArgs
from nexus_registry.providers.security.realm import RealmActivation
from nexus_registry.providers.security.role import Role

config = pulumi.Config()
hostname = config.require("hostname")
# Docker logins need this realm; it exists once per server, so one resource of one program has it.
realm = RealmActivation("docker-realm")
after = pulumi.ResourceOptions(depends_on=[realm])

auditors = Role("auditors", role_id="team-auditors", privileges=["nx-metrics-all"])

team_a = DockerRegistry(
    "team-a",
    DockerRegistryArgs(
        hostname=hostname,
        repository="team-a-images",
        https_port=config.require_int("port_a"),
        create_roles=True,  # its users are declared below
    ),
    after,
)
team_b = DockerRegistry(
    "team-b",
    DockerRegistryArgs(
        hostname=hostname,
        repository="team-b-images",
        https_port=config.require_int("port_b"),
        pullers={"reader": config.require_secret("reader_password")},
        pull_role="nx-anonymous",  # a role that the server has already
        extra_roles={"reader": [auditors]},
        create_roles=True,
    ),
    after,
)
ci = DockerUser(
    "ci",
    DockerUserArgs(user_id="ci", password=config.require_secret("ci_password"), push_to=[team_a, team_b]),
)

# Another program gives its users the role by this id.
pulumi.export("push_role", team_a.push_role)
pulumi.export("login_servers", [team_a.login_server, team_b.login_server])
pulumi.export("pull_secret", ci.docker_config_json)  # holds both logins
