"""A registry with a certificate that is on the host already, and whose key never leaves it."""

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
        certificate_path=f"/etc/letsencrypt/live/{host}/fullchain.pem",
        private_key_path=f"/etc/letsencrypt/live/{host}/privkey.pem",
        keystore_password=config.require_secret("keystore_password"),
        repair=config.get("renewed") or "",  # `nexus-registry doctor --host` says when it is due
    ),
)
registry = DockerRegistry(
    "images",
    DockerRegistryArgs(server=server, https_port=5000, pushers={"ci": config.require_secret("ci_password")}),
)

pulumi.export("login_server", registry.login_server)
