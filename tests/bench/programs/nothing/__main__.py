"""As many resources, with as many inputs, that do nothing."""

import pulumi
from things import Nothing  # type: ignore[import-not-found]

config = pulumi.Config()
for number in range(config.require_int("count")):
    Nothing(f"nothing-{number}", description=config.get("change") or "" if number == 0 else "")
