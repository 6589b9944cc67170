"""Two teams, each with a Nexus of its own: a registry for images and a raw repository for binaries.

The stack issues the certificates. It exports what others need: a Kubernetes manifest with the pull secret of each
team, one ``.docker/config.json`` for both registries, and the variables of the Ansible play beside this file.
"""

from typing import Any

import pulumi
from authority import Authority, Certificate
from handed_on import docker_config, pull_secret
from nexus_registry.components import DockerRegistry, DockerRegistryArgs, NexusServer, NexusServerArgs
from nexus_registry.providers.repositories.raw import RawHostedRepository
from nexus_registry.providers.security.role import Role
from pulumi_command import remote

config = pulumi.Config()
passwords = config.require_secret_object("passwords")
authority = Authority("authority", "Platform")


def password(team: str, account: str) -> pulumi.Output[str]:
    return passwords.apply(lambda known: str(known[team][account]))


def create(team: str, settings: dict[str, Any]) -> tuple[DockerRegistry, dict[str, pulumi.Input[str]]]:
    """The server of a team; returns its registry, and the variables of the play for its binaries."""
    hostname, more = settings["hostname"], settings.get("server", {})
    issued = Certificate(f"{team}-certificate", hostname, authority)
    server = NexusServer(
        team,
        NexusServerArgs(
            ssh=remote.ConnectionArgs(
                host=more.pop("ssh_host", hostname),
                port=config.require_int("ssh_port"),
                host_key=settings["ssh_host_key"],
                private_key=config.require_secret("ssh_private_key"),
            ),
            hostname=hostname,
            admin_password=password(team, "admin"),
            keystore_password=password(team, "keystore"),
            certificate=issued.certificate,
            private_key=issued.private_key,
            ca=authority.certificate,
            **{**config.require_object("server"), **more},
        ),
    )
    binaries = RawHostedRepository(
        f"{team}-binaries",
        name="binaries",
        connection=server.connection,
        opts=pulumi.ResourceOptions(depends_on=server.ready),
    )

    def may(verb: str, *actions: str) -> Role:
        return Role(
            f"{team}-binaries-{verb}",
            role_id=f"binaries-{verb}",
            privileges=[f"nx-repository-view-raw-binaries-{action}" for action in actions],
            incarnations=[binaries.incarnation],
            connection=server.connection,
            opts=pulumi.ResourceOptions(depends_on=[binaries]),
        )

    registry = DockerRegistry(
        f"{team}-images",
        DockerRegistryArgs(
            server=server,
            repository="images",
            https_port=settings["registry_port"],
            pushers={"ci": password(team, "ci")},
            pullers={"cluster": password(team, "cluster")},
            extra_roles={
                "ci": [may("publish", "browse", "read", "add", "edit")],
                "cluster": [may("fetch", "browse", "read")],
            },
        ),
    )
    download: dict[str, pulumi.Input[str]] = {
        "url": pulumi.Output.concat(server.url, "/repository/binaries"),
        "username": "cluster",
        "password": password(team, "cluster"),
    }
    return registry, download


teams = {team: create(team, settings) for team, settings in sorted(config.require_object("teams").items())}

pulumi.export("ca", authority.certificate)
pulumi.export("login_servers", {team: registry.login_server for team, (registry, _) in teams.items()})
# pulumi stack output --show-secrets pull_secrets | jq .web | kubectl apply -f -
pulumi.export(
    "pull_secrets",
    {team: pull_secret(team, registry.docker_config_json) for team, (registry, _) in teams.items()},
)
# pulumi stack output --show-secrets docker_config > ~/.docker/config.json
pulumi.export("docker_config", docker_config([registry.docker_config_json for registry, _ in teams.values()]))
# pulumi stack output --show-secrets binaries > binaries.json, for the play
downloads = {team: download for team, (_, download) in teams.items()}
pulumi.export("binaries", {"ca": authority.certificate, "teams": downloads})
