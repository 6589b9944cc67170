"""A registry for a team, on a Nexus that is there already."""

import pulumi
from nexus_registry.components import DockerRegistry, DockerRegistryArgs
from nexus_registry.providers.security.role import Role

config = pulumi.Config()

registry = DockerRegistry(
    "team-a",
    DockerRegistryArgs(
        hostname=config.require("hostname"),
        repository="team-a",
        https_port=config.require_int("port"),
        pushers={"team-a-ci": config.require_secret("ci_password")},
        anonymous_pull=True,
        manage_server=True,  # also enables the docker realm and anonymous access; destroy restores both
    ),
)

# Any object of Nexus can be declared by itself.
Role("auditors", role_id="auditors", privileges=["nx-metrics-all"], description="May read the metrics")

pulumi.export("login_server", registry.login_server)
pulumi.export("pull_secret", registry.docker_config_json)
