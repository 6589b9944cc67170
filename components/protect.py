"""Keeps the engine from deleting resources with data."""

from __future__ import annotations

import pulumi

_REPOSITORY = "HostedRepository"
_ACCOUNT = "-account"
"""Ends the name of the host step whose deletion may remove the data directory."""


def protect_data(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Protect repositories that keep components, and the server's data directory.

    For ``ResourceOptions(transformations=[protect_data])`` of a NexusServer, a DockerRegistry or a whole stack. A
    ``destroy``, or an ``up`` that would delete or replace one of them, is refused before anything is done, until
    ``pulumi state unprotect`` was run on it. Everything else can be changed and deleted as before.
    """
    is_account = args.type_ == "command:remote:Command" and args.name.endswith(_ACCOUNT)
    if not (is_account or args.type_.endswith(_REPOSITORY)):
        return None
    opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=True))
    return pulumi.ResourceTransformationResult(args.props, opts)
