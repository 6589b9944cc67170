"""``nexus-registry audit``: the rules of ``nexus_registry.policy`` over an exported state."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..policy.rules import Resource, Violation, check_config, evaluate
from .command import DONE, FOUND, CommandError, State, read_text
from .state import Unreadable, hidden, plain, resources_in

HELP = "check a stack's state against the rules of nexus_registry.policy"
DESCRIPTION = (
    "Check a stack's state against the rules of nexus_registry.policy. Exit status: 0 no mandatory rule is "
    "broken, 1 one is, 2 can't tell."
)
_STATE = State("--file", secrets=False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    _STATE.add_arguments(parser)
    parser.add_argument(
        "--config", metavar="FILE", help="settings of the rules in JSON, as for --policy-pack-config"
    )
    parser.add_argument("--json", action="store_true", help="print the violations as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the violations and return the exit status."""
    state = _STATE.read(options)
    try:
        config = check_config(json.loads(read_text("--config", options.config)) if options.config else {})
    except RecursionError:
        raise CommandError("--config: is nested too deeply. Give an object of settings by rule.") from None
    except ValueError as error:
        raise CommandError(f"--config: {error}") from None
    found = audit(state, config)
    lines = [f"{one.level}: {one.urn.rpartition('::')[2]}: {one.message} ({one.rule})" for one in found]
    sys.stdout.write(f"{as_json(found)}\n" if options.json else "".join(f"{line}\n" for line in lines))
    return FOUND if any(one.level == "mandatory" for one in found) else DONE


def audit(export: Any, config: Mapping[str, Any]) -> list[Violation]:
    """What in an exported state breaks a rule; raises Unreadable, or ValueError for the configuration.

    Args:
        export: what `pulumi stack export` prints, parsed. A role or privilege whose connection is encrypted
            may be on any server of the stack.
        config: settings by rule.
    """
    resources = (_resource(one) for one in resources_in(export, "--file") if not one.get("delete"))
    return list(evaluate(resources, config))


def _resource(one: Mapping[str, Any]) -> Resource:
    # The outputs are what a refresh saw; inputs fill in what has none.
    properties = {**(one.get("inputs") or {}), **(one.get("outputs") or {})}
    known = hidden(properties)
    with suppress(Unreadable, TypeError, ValueError, RecursionError):  # encrypted
        connection = plain(properties.get("connection"))
        if isinstance(connection, Mapping):
            known["connection"] = {"url": connection.get("url")}
    return Resource(one["urn"], one["type"], known)


def as_json(found: list[Violation]) -> str:
    """The violations for a program."""
    return json.dumps([vars(one) for one in found], indent=1)
