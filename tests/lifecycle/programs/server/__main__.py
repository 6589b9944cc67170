"""One NexusServer, whose name is configured."""

import pulumi
from nexus_registry.components import NexusServer, NexusServerArgs
from pulumi_command import remote

config = pulumi.Config()
former = config.get("alias")
NexusServer(
    config.require("name"),
    NexusServerArgs(
        ssh=remote.ConnectionArgs(**config.require_object("ssh")),
        admin_password=config.require_secret("admin_password"),
        keystore_password=config.require_secret("keystore_password"),
        private_key=config.require_secret("private_key"),
        **config.require_object("arguments"),
    ),
    pulumi.ResourceOptions(aliases=[pulumi.Alias(name=former)] if former else []),
)
