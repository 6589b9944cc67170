"""A registry behind a reverse proxy on the same host.

Nexus listens at 127.0.0.1. The proxy has to be there before, and passes on

- https://<host>/nexus/ to http://127.0.0.1:8081/nexus/, and
- https://images.<host>/ to http://127.0.0.1:5000/,

each with the headers Host and X-Forwarded-Proto as the client sent and used them, and with no limit on the size of
a request.
"""

import pulumi
from nexus_registry.components import DockerRegistry, DockerRegistryArgs, NexusServer, NexusServerArgs
from pulumi_command import remote

config = pulumi.Config()
host = config.require("host")

server = NexusServer(
    "nexus",
    NexusServerArgs(
        ssh=remote.ConnectionArgs(
            host=host,
            host_key=config.require("ssh_host_key"),
            private_key=config.require_secret("ssh_private_key"),
        ),
        version="3.76.1-01",
        archive_sha256=config.require("archive_sha256"),
        admin_password=config.require_secret("admin_password"),
        certificate=config.require("certificate"),
        private_key=config.require_secret("private_key"),
        keystore_password=config.require_secret("keystore_password"),
        address="127.0.0.1",
        context_path="/nexus",
        url=f"https://{host}/nexus",
    ),
)
registry = DockerRegistry(
    "images",
    DockerRegistryArgs(
        server=server,
        http_port=5000,  # without TLS, for the proxy
        login_server=f"images.{host}",
        pushers={"ci": config.require_secret("ci_password")},
    ),
)

pulumi.export("login_server", registry.login_server)
pulumi.export("docker_config_json", registry.docker_config_json)
