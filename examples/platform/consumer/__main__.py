"""Hands on what the platform's stack exports for one team. It manages nothing, and needs no package but Pulumi."""

import pulumi

config = pulumi.Config()
team = config.require("team")
platform = pulumi.StackReference(config.require("platform"))


def of_team(output: str) -> pulumi.Output[object]:
    """The team's part of an output; a secret stays one."""
    return platform.require_output(output).apply(lambda known: known[team])


pulumi.export("login_server", of_team("login_servers"))
pulumi.export("pull_secret", of_team("pull_secrets"))
pulumi.export("ca", platform.require_output("ca"))
