"""Two roles and a repository; ``kinds.py`` is copied here from the unit tests."""

import pulumi
from kinds import RawProxyRepository, Role  # type: ignore[import-not-found]

config = pulumi.Config()
role = Role("pull", role_id="pull", privileges=["b", "a"])
other = Role("push", role_id="push", roles=[role.role_id])
proxy = RawProxyRepository(
    "files",
    name="files",
    remote_url="https://a",
    max_age=config.require_int("max_age"),
    authentication_type="username",
    username="ci",
    password="upstream-canary",
    labels={"role": other.role_id},
)
pulumi.export("roles", other.roles)
pulumi.export("max_age", pulumi.Output.concat("age ", proxy.max_age.apply(str)))
