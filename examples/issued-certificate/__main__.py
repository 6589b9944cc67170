"""A registry at port 443, so that images are named without a port, with a certificate issued in the same stack."""

import pulumi
from issuer import SelfSigned
from nexus_registry.components import DockerRegistry, DockerRegistryArgs, NexusServer, NexusServerArgs
from pulumi_command import remote

config = pulumi.Config()
host = config.require("host")
issued = SelfSigned("certificate", host)

server = NexusServer(
    "nexus",
    NexusServerArgs(
        ssh=remote.ConnectionArgs(
            host=host,
            host_key=config.require("ssh_host_key"),
            private_key=config.require_secret("ssh_private_key"),
        ),
        version="3.76.1-01",
        privileged_ports=True,  # for the registry at 443
        archive_sha256=config.require("archive_sha256"),
        admin_password=config.require_secret("admin_password"),
        certificate=issued.certificate,
        private_key=issued.private_key,
        ca=issued.certificate,  # it signed itself
        keystore_password=config.require_secret("keystore_password"),
    ),
)
registry = DockerRegistry(
    "images",
    DockerRegistryArgs(server=server, https_port=443, pushers={"ci": config.require_secret("ci_password")}),
)

pulumi.export("login_server", registry.login_server)  # the host's name alone
pulumi.export("certificate_not_after", server.certificate_not_after)
