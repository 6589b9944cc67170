"""Half of the objects are raw repositories, the rest roles and users."""

import pulumi
from nexus_registry.providers import RawHostedRepository, Role, User

config = pulumi.Config()
count = config.require_int("count")
people = count // 4

for number in range(count - 2 * people):
    RawHostedRepository(f"repository-{number}", name=f"bench-{number}")
for number in range(people):
    role = Role(
        f"role-{number}",
        role_id=f"bench-{number}",
        description=config.get("change") or "" if number == 0 else "",
        privileges=["nx-repository-view-raw-*-read", "nx-repository-view-raw-*-browse"],
    )
    User(f"user-{number}", user_id=f"bench-{number}", password=f"password-{number}", roles=[role.role_id])
