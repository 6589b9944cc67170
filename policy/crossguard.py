"""The policy pack for Pulumi: the rules behind the classes of ``pulumi-policy``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from .rules import RULES, Resource, Rule, check_config


def create(config: Mapping[str, Mapping[str, Any]], name: str) -> PolicyPack:
    """The pack with its first configuration."""
    first = {
        rule: {
            key: EnforcementLevel(value) if key == "enforcementLevel" else value for key, value in settings.items()
        }
        for rule, settings in check_config(config).items()
    }
    return PolicyPack(
        name,
        [_policy(rule) for rule in RULES],
        enforcement_level=EnforcementLevel.MANDATORY,
        initial_config=first,  # type: ignore[arg-type]
        description="Rules for a registry on Sonatype Nexus Repository",
    )


def _policy(rule: Rule) -> Policy:
    schema = (
        PolicyConfigSchema({key: dict(value) for key, value in rule.settings.items()}) if rule.settings else None
    )

    def settings(args: ResourceValidationArgs | StackValidationArgs) -> dict[str, Any]:
        return {**rule.defaults(), **dict(args.get_config())}

    def of_resource(args: ResourceValidationArgs, report: ReportViolation) -> None:
        resource = Resource(args.urn, args.resource_type, known(args.props))
        for _, message in rule.check([resource], settings(args)):
            report(message, None)

    def of_stack(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [Resource(one.urn, one.resource_type, known(one.props)) for one in args.resources]
        for resource, message in rule.check(resources, settings(args)):
            report(message, resource.urn)

    if rule.whole_stack:
        return StackValidationPolicy(rule.name, rule.description, of_stack, config_schema=schema)
    return ResourceValidationPolicy(rule.name, rule.description, of_resource, config_schema=schema)


class _Known(Mapping[str, Any]):
    """Properties of which those that are not known yet are None, where Pulumi's raise on access."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._properties = properties

    def __getitem__(self, key: str) -> Any:
        return _plain(self._properties, key)

    def __iter__(self) -> Any:
        return iter(self._properties)

    def __len__(self) -> int:
        return len(self._properties)


def known(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties as the rules take them."""
    return _Known(properties)


def _plain(container: Any, key: Any) -> Any:
    from pulumi_policy.proxy import UnknownValueError

    try:
        value = container[key]
    except UnknownValueError:
        return None
    if isinstance(value, (str, bytes, int, float, type(None))):
        return value
    if isinstance(value, Mapping):
        return {one: _plain(value, one) for one in value}
    return [_plain(value, place) for place in range(len(value))]
