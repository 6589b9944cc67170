"""Makes what the configuration lists, in its order.

A thing or a command is ``{"name": …, "inputs": {…}, "options": {…}}``. An input ``"$name.output"`` is that output
of something listed before, ``"$password"`` the secret of the configuration; options name resources by their names.
"""

from typing import Any

import pulumi
from pulumi_command import remote
from things import Group, Thing  # type: ignore[import-not-found]  # beside this file, where the program runs

config = pulumi.Config()
made: dict[str, Any] = {}


def value(given: Any) -> Any:
    if isinstance(given, dict):
        return {key: value(item) for key, item in given.items()}
    if isinstance(given, list):
        return [value(item) for item in given]
    if not (isinstance(given, str) and given.startswith("$")):
        return given
    if given == "$password":
        return config.require_secret("password")
    name, output = given[1:].split(".")
    return getattr(made[name], output)


def alias(given: Any) -> Any:
    """A URN, or what differed: ``{"name": …, "parent": …}``."""
    if isinstance(given, str):
        return given
    return pulumi.Alias(**given | ({"parent": made.get(given["parent"])} if "parent" in given else {}))


def options(given: dict[str, Any]) -> pulumi.ResourceOptions:
    resolved = dict(given)
    if "parent" in given:
        resolved["parent"] = made[given["parent"]]
    if "depends_on" in given:
        resolved["depends_on"] = [made[name] for name in given["depends_on"]]
    resolved["aliases"] = [alias(one) for one in given.get("aliases", [])]
    return pulumi.ResourceOptions(**resolved)


for one in config.require_object("things"):
    opts = options(one.get("options", {}))
    if one.get("group"):
        made[one["name"]] = Group(one["name"], opts)
    else:
        made[one["name"]] = Thing(one["name"], config.require("server"), value(one["inputs"]), opts)
        pulumi.export(one["name"], made[one["name"]].stamp)
for one in config.require_object("commands"):
    made[one["name"]] = remote.Command(one["name"], **value(one["inputs"]), opts=options(one.get("options", {})))
    pulumi.export(one["name"], made[one["name"]].stdout)
if config.require_bool("loud"):
    pulumi.log.warn("loud indeed")
pulumi.export("size", config.require_int("size"))
pulumi.export("password", config.require_secret("password"))
