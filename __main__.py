"""One Linux host, one Nexus, one private Docker registry, as the stack's configuration says."""

from dataclasses import replace

import pulumi
from nexus_registry.components import DockerRegistry, NexusServer
from nexus_registry.components.settings import load

settings = load(pulumi.Config("nexus-registry"))
server = NexusServer("nexus", settings.server)
registry = DockerRegistry("registry", replace(settings.registry, server=server))

pulumi.export("url", server.url)
pulumi.export("version", server.version)
pulumi.export("data_dir", server.data_dir)
pulumi.export("certificate_not_after", server.certificate_not_after)
pulumi.export("login_server", registry.login_server)
pulumi.export("docker_config_json", registry.docker_config_json)
