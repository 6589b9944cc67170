"""InstalledVersion: which version the host runs, so that a preview refuses a change that has no way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult

from ...providers.compat import refused_change
from ...providers.provider import Proof
from ...providers.resource import TrackedResource
from ...providers.schema import Field, boolean, text


class InstalledVersionProvider(Proof):
    kind = "version"
    schema = {
        "version": Field(text(r"\d+\.\d+\.\d+(-\d+)?", hint="must be a version such as 3.71.0-06"), required=True),
        "h2": Field(boolean, default=False),
    }

    def identity(self, inputs: Mapping[str, Any]) -> str:  # noqa: ARG002
        return self.kind

    def look(self, inputs: Mapping[str, Any]) -> None:
        """Nothing: the service step, which comes before, has seen this version run."""

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        result = super().check(olds, news)
        before, wished = olds.get("version"), result.inputs.get("version")
        if not result.failures and isinstance(before, str) and isinstance(wished, str):
            reason = refused_change(before, wished, h2=bool(olds.get("h2")))
            if reason:
                result.failures.append(CheckFailure("version", reason))
        return result


class InstalledVersion(TrackedResource, module="nexus", name="InstalledVersion"):
    """The version that the service step brought up last. Made after that step, it tells another version only
    when that one runs; a preview then refuses an older one, and one that the database can't follow to.

    Args:
        resource_name: name of the resource in the stack.
        version: with the build.
        h2: whether a version before 3.71 keeps its data in H2 (``nexus.datastore.enabled``).

    Errors: a version older than the one that runs; one from 3.71 on while the data are OrientDB's; one from 3.70
    on while they are the H2's of before.
    """

    provider_class = InstalledVersionProvider

    def __init__(
        self,
        resource_name: str,
        *,
        version: pulumi.Input[str],
        h2: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, {"version": version, "h2": h2}, opts)
