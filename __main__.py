"""One Linux host, one Nexus, one private Docker registry, as the stack's configuration says."""

import pulumi
from nexus_registry.components import DockerRegistry, DockerRegistryArgs, NexusServer, NexusServerArgs
from pulumi_command import remote

config = pulumi.Config("nexus-registry")


def number(key: str) -> int:
    return config.require_int(key)


def switch(key: str) -> bool:
    return config.require_bool(key)


def optional(key: str) -> str | None:
    return config.get(key) or None


server = NexusServer(
    "nexus",
    NexusServerArgs(
        ssh=remote.ConnectionArgs(
            host=config.require("ssh_host"),
            port=number("ssh_port"),
            user=config.require("ssh_user"),
            private_key=config.require_secret("ssh_private_key"),
            private_key_password=config.get_secret("ssh_private_key_password"),
            host_key=optional("ssh_host_key"),
        ),
        hostname=optional("hostname"),
        version=config.require("version"),
        archive_sha256=config.require("archive_sha256"),
        archive_url=optional("archive_url"),
        archive_path=optional("archive_path"),
        architecture=config.require("architecture"),
        accept_eula=switch("accept_eula"),
        java_home=optional("java_home"),
        java_package=optional("java_package"),
        heap_mb=number("heap_mb"),
        install_root=config.require("install_root"),
        data_dir=config.require("data_dir"),
        http_port=number("http_port"),
        https_port=number("https_port"),
        purge_data=switch("purge_data"),
        open_firewall=switch("open_firewall"),
        repair=config.get("repair") or "",
        admin_password=config.require_secret("admin_password"),
        current_admin_password=config.get_secret("current_admin_password"),
        certificate=config.require("certificate"),
        chain=optional("chain"),
        ca=optional("ca"),
        private_key=config.require_secret("private_key"),
        private_key_passphrase=config.get_secret("private_key_passphrase"),
        keystore_password=config.require_secret("keystore_password"),
        renew_before=number("renew_before"),
        anonymous_access=switch("anonymous_pull"),
    ),
)

passwords = config.require_secret_object("user_passwords")


def accounts(key: str) -> dict[str, pulumi.Output[str]]:
    """The users under a key, each with the password that `user_passwords` holds for it."""
    return {user: passwords[user] for user in config.require_object(key)}


registry = DockerRegistry(
    "registry",
    DockerRegistryArgs(
        server=server,
        repository=config.require("repository"),
        https_port=number("docker_port"),
        anonymous_pull=switch("anonymous_pull"),
        write_policy=config.require("write_policy"),
        force_destroy=switch("force_destroy"),
        pushers=accounts("pushers"),
        pullers=accounts("pullers"),
    ),
)

pulumi.export("url", server.url)
pulumi.export("version", server.version)
pulumi.export("data_dir", server.data_dir)
pulumi.export("certificate_not_after", server.certificate_not_after)
pulumi.export("login_server", registry.login_server)
pulumi.export("docker_config_json", registry.docker_config_json)
