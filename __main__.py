"""One Linux host with Nexus and one private Docker registry, as configured in the stack."""

from dataclasses import replace

import pulumi
from nexus_registry.components import DockerRegistry, NexusServer
from nexus_registry.components.protect import protect_data
from nexus_registry.components.settings import load

settings = load(pulumi.Config("nexus-registry"))
options = pulumi.ResourceOptions(transformations=[protect_data] if settings.protect else [])
server = NexusServer("nexus", settings.server, options)
registry = DockerRegistry("registry", replace(settings.registry, server=server), options)

pulumi.export("url", server.url)
pulumi.export("version", server.version)
pulumi.export("data_dir", server.data_dir)
pulumi.export("certificate_not_after", server.certificate_not_after)
pulumi.export("login_server", registry.login_server)
pulumi.export("docker_config_json", registry.docker_config_json)
